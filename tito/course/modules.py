"""`tito module`: the twenty modules of the course, from the starter file to the recorded completion."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from tinytorch.errors import UsageError
from tinytorch.files import atomic_write
from tito.course.course import MODULES, Module, file_of, find_module, missing_needs
from tito.course.coursework import Coursework, Progress, next_module
from tito.course.testing.command import run_subject
from tito.course.testing.runner import ModuleResult, Subject
from tito.exit_codes import ExitCode
from tito.options import Json, WorkspaceFolder
from tito.terminal import screen
from tito.terminal.tables import table

DEFAULT_FOLDER = Path("modules")
LAST = "tito milestone run 6"  # the competition, after all modules

Name = Annotated[str, typer.Argument(metavar="NAME|NN", help="A module, by name or number.")]
Folder = Annotated[
    Path, typer.Option("--folder", metavar="DIR", help="Where your files of the course are.", show_default=True)
]


def listing(json_: Json = False) -> None:
    """List the modules; 17 and 18 among others are swapped in some editions, so both numbers are given."""
    if json_:
        screen.put_json({"modules": [_row(module) for module in MODULES]})
        return
    shown = table("Modules", "module", "what it is", "builds on")
    for module in MODULES:
        title = f"{module.title} ({module.also})" if module.also else module.title
        shown.add_row(module.label, title, ", ".join(module.needs))
    screen.show(shown)


def status(folder: Folder = DEFAULT_FOLDER, json_: Json = False, workspace: WorkspaceFolder = None) -> None:
    """Show of each module whether it is complete, started, ready, or what it waits for; and the next command."""
    progress = Coursework(workspace).progress()
    rows = [{**_row(module), **_state(module, progress, folder)} for module in MODULES]
    following = _next(progress, folder)
    if json_:
        screen.put_json({"modules": rows, "next": following})
        return
    shown = table("Modules", "module", "state", "")
    for module, row in zip(MODULES, rows, strict=True):
        shown.add_row(module.label, row["state"], row["detail"])
    screen.show(shown)
    screen.say(f"next: {following}")


def start(name: Name, folder: Folder = DEFAULT_FOLDER, json_: Json = False, workspace: WorkspaceFolder = None) -> None:
    """Write a module's starter file, with what is to be written and no solution, into your folder."""
    module = find_module(name)
    if there := file_of(module, folder):
        mend = f"go on with it, or put it aside with: tito module reset {module.name}{_with(folder)}"
        raise UsageError(f"{there} is there already", mend=mend)
    place = Coursework(workspace)
    path = _begin(module, folder, place)
    missing = missing_needs(module, place.progress().completed)
    _tell(module, path, json_, {"needs": [each.name for each in missing]})
    if missing:
        screen.say(f"it builds on {', '.join(each.label for each in missing)}, not complete yet")
    screen.say(f"next: tito module test {module.name}{_with(folder)}")


def check(name: Name, folder: Folder = DEFAULT_FOLDER, json_: Json = False) -> None:
    """Run a module's tests on your file if there is one in your folder, else on ours."""
    outcome = _tested(find_module(name), folder, json_)
    if json_:
        screen.put_json(outcome.as_dict())
    if not outcome.is_good:
        raise typer.Exit(ExitCode.FINDINGS)


def complete(
    name: Name, folder: Folder = DEFAULT_FOLDER, json_: Json = False, workspace: WorkspaceFolder = None
) -> None:
    """Run a module's tests, on your file if there is one, and record that they passed; exit code 1 if they did not."""
    module, place = find_module(name), Coursework(workspace)
    place.progress()  # before the tests: a workspace that cannot be read is said at once
    outcome = _tested(module, folder, json_)
    if outcome.is_good:
        place.complete(module, outcome.subject.tested, len(outcome.results))
    following = LAST if module is MODULES[-1] else _next(place.progress(), folder)
    if json_:
        screen.put_json({**outcome.as_dict(), "recorded": outcome.is_good, "next": following})
    if not outcome.is_good:
        screen.say(f"{module.label} is not recorded as complete")
        raise typer.Exit(ExitCode.FINDINGS)
    screen.say(f"{module.label} is complete: its tests passed on {outcome.subject.tested}")
    screen.say(f"next: {following}")


def reset(name: Name, folder: Folder = DEFAULT_FOLDER, json_: Json = False, workspace: WorkspaceFolder = None) -> None:
    """Rename your file of a module, so that nothing is lost, and write the starter file again."""
    module = find_module(name)
    old = file_of(module, folder)
    if old is None:
        mend = f"tito module start {module.name}{_with(folder)}"
        raise UsageError(f"{folder} has no file of {module.label}", mend=mend)
    kept = old.with_name(f"{old.stem}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}.py")
    _rename(old, kept)
    path = _begin(module, folder, Coursework(workspace))
    _tell(module, path, json_, {"kept": str(kept)})
    screen.say(f"what you had is kept: {kept}")


def _row(module: Module) -> dict[str, Any]:
    return {
        "number": module.number, "number_elsewhere": module.number_elsewhere or module.number, "name": module.name,
        "title": module.title, "home": module.home, "needs": list(module.needs),
    }  # fmt: skip


def _state(module: Module, progress: Progress, folder: Path) -> dict[str, str | None]:
    """A module's state in a word, and what is known of it."""
    done, path = progress.completed.get(module.name), file_of(module, folder)
    missing = missing_needs(module, progress.completed)
    file = str(path) if path else None
    if done:
        detail = f"{done.completed_at:%Y-%m-%d}, {done.passed} tests of {done.tested}, tito {done.version}"
        return {"state": "complete", "detail": detail, "file": file}
    if path:
        return {"state": "started", "detail": str(path), "file": file}
    if missing:
        return {"state": "waits", "detail": f"for {', '.join(each.label for each in missing)}", "file": file}
    return {"state": "ready", "detail": "", "file": file}


def _next(progress: Progress, folder: Path) -> str:
    """The command to type."""
    module = next_module(progress.completed)
    if module is None:
        return LAST
    verb = "complete" if file_of(module, folder) else "start"
    return f"tito module {verb} {module.name}{_with(folder)}"


def _with(folder: Path) -> str:
    return "" if folder == DEFAULT_FOLDER else f" --folder {shlex.quote(str(folder))}"


def _tested(module: Module, folder: Path, is_quiet: bool) -> ModuleResult:
    """Run a module's tests on the student's file; without one on ours, which is said."""
    path = file_of(module, folder)
    if path is None:
        screen.say(f"no {module.file_name} in {folder}: ours is tested")
    return run_subject(Subject(module, path), is_quiet)


def _begin(module: Module, folder: Path, place: Coursework) -> Path:
    """Write the starter file and remember it."""
    path = folder / module.file_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(path, module.starter.read_bytes())
    except OSError as error:
        mend = "choose another folder with --folder DIR"
        raise UsageError(f"cannot write {path}: {error.strerror or error}", mend=mend) from error
    with screen.done_before(f"{path} is written"):
        place.start(module, path)
    return path


def _rename(old: Path, new: Path) -> None:
    try:
        old.rename(new)
    except OSError as error:
        mend = "choose another folder with --folder DIR"
        raise UsageError(f"cannot rename {old}: {error.strerror or error}", mend=mend) from error


def _tell(module: Module, path: Path, json_: bool, more: dict[str, Any]) -> None:
    if json_:
        screen.put_json({"module": module.name, "number": module.number, "file": str(path), **more})
    else:
        screen.put(f"{module.label}: {path}")
