"""`tito test`: the tests of modules, on a student's own files or on ours."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tinytorch.errors import UsageError
from tinytorch.showing import safe_lines
from tito import start
from tito.course.course import MODULES, Module, file_of, find_module
from tito.course.testing.runner import ModuleResult, Result, Subject, run_tests
from tito.exit_codes import ExitCode
from tito.options import Json
from tito.place import IS_CHECKOUT
from tito.terminal import screen

INDENT = " " * 19

Mine = Annotated[
    Path | None,
    typer.Option("--mine", metavar="FILE|DIR", help="Your own file in the place of ours, or the folder it lies in."),
]


def module_tests(
    name: Annotated[str | None, typer.Argument(metavar="NAME|NN", help="A module, by name or number.")] = None,
    module: Annotated[str | None, typer.Option("--module", metavar="NAME|NN", help="The same as an option.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every module; with --mine those that you have.")] = False,
    mine: Mine = None,
    json_: Json = False,
) -> None:
    """Run the tests of modules and show each by its name. Exit code 1 when one failed, or when there were none.

    A module takes some seconds; the capstone, which measures, some four minutes.

    They hold for whoever wrote the module; on ours, in a checkout, those that look inside it are run as well.
    """
    outcomes = [run_subject(subject, json_) for subject in _subjects(name or module, every, mine)]
    if json_:
        screen.put_json({"modules": [outcome.as_dict() for outcome in outcomes]})
    elif len(outcomes) > 1:
        bad = [outcome.subject.module.label for outcome in outcomes if not outcome.is_good]
        screen.put(f"{len(outcomes)} modules, " + (f"not passed: {', '.join(bad)}" if bad else "all passed"))
    if not all(outcome.is_good for outcome in outcomes):
        raise typer.Exit(ExitCode.FINDINGS)


def run_subject(subject: Subject, is_quiet: bool = False) -> ModuleResult:
    """Run a subject's tests, showing each result unless quiet, and what they come to."""
    start.finished()
    screen.say(f"{subject.module.label}: testing {subject.tested}")
    if not IS_CHECKOUT and not subject.file:
        screen.say("by what the course promises; tests that look inside ours are in a clone of the repository")
    outcome = run_tests(subject, (lambda result: None) if is_quiet else show)
    if not is_quiet:
        screen.put(_summary(outcome))
    return outcome


def show(result: Result) -> None:
    """A line for a test, and below it why it failed."""
    screen.put(safe_lines(f"{result.outcome:<8}{result.seconds:7.2f} s  {result.test}"))
    for line in result.why:
        screen.put(safe_lines(f"{INDENT}{line}"))


def _summary(outcome: ModuleResult) -> str:
    if not outcome.results:
        return f"{outcome.subject.module.label}: no test was run, which is not a pass"
    seconds = sum(result.seconds for result in outcome.results)
    passed = len(outcome.results) - outcome.failed
    return f"{outcome.subject.module.label}: {passed} passed, {outcome.failed} failed in {seconds:.1f} s"


def _subjects(named: str | None, every: bool, mine: Path | None) -> Sequence[Subject]:
    """What is to be tested; UsageError where that is nothing, or a student's file is not there."""
    if mine is not None and not mine.exists():
        raise UsageError(f"there is no {mine}", mend="tito module start NAME writes a first file")
    if mine is not None and not (mine.is_file() or mine.is_dir()):
        raise UsageError(f"{mine} is neither a file nor a folder", mend="name a Python file, or the folder it lies in")
    if mine is not None and mine.is_file():
        return [Subject(find_module(named) if named else _named_by(mine), mine)]
    if named:
        module = find_module(named)
        return [Subject(module, None if mine is None else _found(module, mine))]
    if mine is not None:
        return _all_of(mine)
    if every:
        return [Subject(module) for module in MODULES]
    raise UsageError("which module? a name, a number or --all is needed", mend="tito module list")


def _named_by(mine: Path) -> Module:
    """The module that a file's name says."""
    try:
        return find_module(mine.stem)
    except UsageError as error:
        mend = f"say which: tito test NAME --mine {shlex.quote(str(mine))}"
        raise UsageError(f"{mine.name} is called like no module", mend=mend) from error


def _found(module: Module, folder: Path) -> Path:
    path = file_of(module, folder)
    if path is None:
        mend = f"tito module start {module.name} --folder {folder}"
        raise UsageError(f"{folder} has no file of {module.label}", mend=mend)
    return path


def _all_of(folder: Path) -> list[Subject]:
    found = [Subject(module, path) for module in MODULES if (path := file_of(module, folder))]
    if not found:
        raise UsageError(f"{folder} has no file of any module", mend="tito module start NAME writes a first file")
    return found
