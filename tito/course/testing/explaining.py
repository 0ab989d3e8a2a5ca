"""Why a test did not pass, in a few lines: where, in the test and in the student's file, and what was raised."""

from __future__ import annotations

import re
import traceback
from collections.abc import Collection, Iterator
from linecache import getline
from pathlib import Path

from tito.course.testing.stand_in import NotInFileError

MOST_CHARACTERS, MOST_LINES = 1500, 12  # of a message: numpy's comparison of two small arrays has ten lines
INTERNAL = re.compile(
    r"Use -v to get more diff|comparison failed|^\s*[+]\s+(?:where|and) .*<built-in "
)  # of pytest's words
BELOW_MAIN = 'leave it out, or put it below: if __name__ == "__main__":'


def explain(error: BaseException, test_file: Path, theirs: Collection[str], home: str = "") -> list[str]:
    """The line of the test, the last line of the code under test on the way to the error, and the error's words.

    `theirs` are the names, or the beginnings of names, of the files that are tested, which stand for the module `home`.
    """
    steps = [(step.filename, step.lineno or 0) for step in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and _is_of(error.filename or "", theirs):
        steps.append((error.filename or "", error.lineno or 0))
    in_test = [step for step in steps if step[0] == str(test_file)]
    tested = [step for step in steps if _is_of(step[0], theirs)]
    places = [*in_test[:1], *(tested or in_test)[-1:]]
    return [*dict.fromkeys(_line(*place) for place in places), *_words(error, home)]


def _is_of(name: str, theirs: Collection[str]) -> bool:
    return any(name.startswith(each) for each in theirs)


def _line(path: str, number: int) -> str:
    return f"{Path(path).name}:{number}: {getline(path, number).strip()}"


def _words(error: BaseException, home: str) -> list[str]:
    lines = [line for line in _message(error, home)[:MOST_CHARACTERS].splitlines() if line.strip()]
    return [line for line in lines if not INTERNAL.search(line)][:MOST_LINES]


def _said(error: BaseException) -> str:
    """An error's own words, where it has some that can be read."""
    try:
        return str(error)
    except Exception as another:  # noqa: BLE001 - whatever a student's class does when it is asked
        return f"(what it says cannot be read: {type(another).__name__})"


def _message(error: BaseException, home: str) -> str:
    match error:
        case NotInFileError():
            return str(error)
        case ImportError(name=str(name)) if (
            home and name in (home, "tinytorch") and "cannot import name" in _said(error)
        ):
            return f"this file stands for {home} now: write the name here, there is no other to import it from"
        case SyntaxError():
            return "\n".join(_no_python(error))
        case SystemExit():
            return f"this ends Python, and no test could follow: {BELOW_MAIN}"
        case EOFError():
            return f"{_said(error)}: {BELOW_MAIN}"
    kind, said = type(error).__name__, _said(error)
    if isinstance(error, AssertionError) and said:
        return said
    if kind in ("Skipped", "XFailed"):
        return "this skips the tests, and a test that did not run has not passed: leave it out"
    return f"{kind}: {said}" if said else kind


def _no_python(error: SyntaxError) -> Iterator[str]:
    if (error.text or "").lstrip().startswith(("%", "!")):
        yield "this is a magic of notebooks, not Python: leave it out, or give the notebook itself"
    else:
        yield f"{type(error).__name__}: {error.msg}"
