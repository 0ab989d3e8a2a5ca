"""`tito module`: the twenty modules of the course, from the starter file to the recorded completion."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from os.path import relpath
from pathlib import Path
from typing import Annotated, Any

import typer

from tinytorch.errors import UsageError
from tinytorch.files import atomic_write
from tito.course.course import MODULES, Module, alike, changed_ns, files_of, find_module, missing_needs, way_to
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
    Path,
    typer.Option(
        "--folder", metavar="DIR", help="Where your files of the course are, here or above.", show_default=True
    ),
]
Reference = Annotated[bool, typer.Option("--reference", help="Test ours, not yours.")]


class Desk:
    """Where a student works: a folder of files, looked for upwards, and the progress, which is kept beside it."""

    def __init__(self, folder: Path, workspace: Path | None = None) -> None:
        way = way_to(folder)
        self.asked, self.folder = folder, folder if way == Path() else Path(relpath(way / folder))
        self._beside = self.folder.resolve().parent
        self.coursework = Coursework(workspace, beside=Path(relpath(self._beside)))

    def files(self, module: Module) -> list[Path]:
        """The module's files, that which was changed last first, as they are called from here."""
        found = files_of(module, self.folder)
        return found if self.folder == self.asked else [Path(relpath(path)) for path in found]

    def kept_as(self, path: Path) -> str:
        """What the progress calls a file: its path from the folder in which the progress is kept."""
        return relpath(path, self._beside)

    def command(self, verb: str, module: Module) -> str:
        """What to type next, from where the student is."""
        option = "" if self.asked == DEFAULT_FOLDER else f" --folder {shlex.quote(str(self.asked))}"
        return f"tito module {verb} {module.name}{option}"


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
    desk = Desk(folder, workspace)
    progress = desk.coursework.progress()
    rows = [{**_row(module), **_state(module, progress, desk)} for module in MODULES]
    following = _next(desk)
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
    module, desk = _meant(name), Desk(folder, workspace)
    if there := next(iter(desk.files(module)), None):
        mend = f"go on with it, or put it aside with: {desk.command('reset', module)}"
        raise UsageError(f"{there} is there already", mend=mend)
    path = _begin(module, desk.folder, desk)
    missing = missing_needs(module, desk.coursework.progress().completed)
    _tell(module, path, json_, {"needs": [each.name for each in missing]})
    if missing:
        screen.say(f"it builds on {', '.join(each.label for each in missing)}, not complete yet")
    screen.say(f"next: {desk.command('test', module)}")


def check(name: Name, folder: Folder = DEFAULT_FOLDER, reference: Reference = False, json_: Json = False) -> None:
    """Run a module's tests on your file, or with --reference on ours; exit code 1 if there is none, or one failed."""
    module, desk = _meant(name), Desk(folder)
    outcome = run_subject(Subject(module, inside=False), json_) if reference else _tested(module, desk, json_)
    if json_:
        screen.put_json(outcome.as_dict() if outcome else _nothing(module, desk))
    if not (outcome and outcome.is_good):
        raise typer.Exit(ExitCode.FINDINGS)


def complete(
    name: Name, folder: Folder = DEFAULT_FOLDER, json_: Json = False, workspace: WorkspaceFolder = None
) -> None:
    """Run a module's tests on your file and record that they passed; exit code 1 if there is none, or one failed."""
    module, desk = _meant(name), Desk(folder, workspace)
    before = desk.coursework.progress().completed.get(
        module.name
    )  # before the tests: a workspace that cannot be read is said at once
    outcome = _tested(module, desk, json_)
    is_good = outcome is not None and outcome.is_good
    if outcome and outcome.subject.file and is_good:
        desk.coursework.complete(module, desk.kept_as(outcome.subject.file), len(outcome.results))
    following = LAST if module is MODULES[-1] and is_good else _next(desk)
    if json_:
        found = outcome.as_dict() if outcome else _nothing(module, desk)
        screen.put_json({**found, "recorded": is_good, "next": following})
    if not (outcome and is_good):
        stays = f"; what was recorded on {before.completed_at:%Y-%m-%d} stays" if before else ""
        screen.say(f"{module.label} is not recorded as complete{stays}")
        raise typer.Exit(ExitCode.FINDINGS)
    screen.say(f"{module.label} is complete: its tests passed on {outcome.subject.tested}")
    screen.say(f"next: {following}")


def reset(name: Name, folder: Folder = DEFAULT_FOLDER, json_: Json = False, workspace: WorkspaceFolder = None) -> None:
    """Rename your file of a module, so that nothing is lost, and write the starter file again."""
    module, desk = _meant(name), Desk(folder, workspace)
    old = next(iter(desk.files(module)), None)
    if old is None:
        raise UsageError(f"{folder} has no file of {module.label}", mend=desk.command("start", module))
    kept = old.with_name(f"{old.stem}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}{old.suffix}")
    _rename(old, kept)
    path = _begin(module, old.parent, desk)
    _tell(module, path, json_, {"kept": str(kept)})
    screen.say(f"what you had is kept: {kept}")
    screen.say(f"next: {desk.command('test', module)}")


def _meant(name: str) -> Module:
    """The module of that name or number; of a number that the newer edition gives to another, it is said."""
    module = find_module(name)
    other = next((each for each in MODULES if name.isdecimal() and each.number_elsewhere == module.number), None)
    if other:
        screen.say(f"{module.label}; in the newer edition {module.number:02} is {other.name}")
    return module


def _row(module: Module) -> dict[str, Any]:
    return {
        "number": module.number, "number_elsewhere": module.number_elsewhere or module.number, "name": module.name,
        "title": module.title, "home": module.home, "needs": list(module.needs),
    }  # fmt: skip


def _state(module: Module, progress: Progress, desk: Desk) -> dict[str, str | None]:
    """A module's state in a word, and what is known of it."""
    done, path = progress.completed.get(module.name), next(iter(desk.files(module)), None)
    missing = missing_needs(module, progress.completed)
    file = str(path) if path else None
    if done:
        since = ", changed since" if path and changed_ns(path) > done.completed_at.timestamp() * 1e9 else ""
        detail = f"{done.completed_at:%Y-%m-%d}, {done.passed} tests of {done.tested}{since}, tito {done.version}"
        return {"state": "complete", "detail": detail, "file": file}
    if path:
        return {"state": "started", "detail": str(path), "file": file}
    if missing:
        return {"state": "waits", "detail": f"for {', '.join(each.label for each in missing)}", "file": file}
    return {"state": "ready", "detail": "", "file": file}


def _next(desk: Desk) -> str:
    """The command to type."""
    module = next_module(desk.coursework.progress().completed)
    if module is None:
        return LAST
    return desk.command("complete" if desk.files(module) else "start", module)


def _tested(module: Module, desk: Desk, is_quiet: bool) -> ModuleResult | None:
    """Run a module's tests on the student's file, the one changed last; None without one, and both are said."""
    files = desk.files(module)
    if not files:
        screen.say(f"you have no file of {module.label} in {desk.asked}: {desk.command('start', module)}")
        for near in alike(module, desk.folder):
            screen.say(f"there is {near}; it is tested if you call it {module.file_name}")
        return None
    for other in files[1:]:
        screen.say(f"{other} is not tested: {files[0]} was changed later")
    return run_subject(Subject(module, files[0]), is_quiet)


def _nothing(module: Module, desk: Desk) -> dict[str, Any]:
    """For JSON, where a student has no file: nothing was tested, which is not a pass."""
    untested = ModuleResult(Subject(module), ()).as_dict()
    return {**untested, "tested": None, "next": desk.command("start", module)}


def _begin(module: Module, folder: Path, desk: Desk) -> Path:
    """Write the starter file and remember it."""
    path = folder / module.file_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(path, module.starter.read_bytes())
    except OSError as error:
        mend = "choose another folder with --folder DIR"
        raise UsageError(f"cannot write {path}: {error.strerror or error}", mend=mend) from error
    with screen.done_before(f"{path} is written"):
        desk.coursework.start(module, desk.kept_as(path))
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
