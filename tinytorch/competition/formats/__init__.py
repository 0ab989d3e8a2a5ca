"""What `validate` found, as text for other programs: each format takes the same reports and gives its text in pieces.

Pieces, so that hundreds of reports need not be in memory at once. Every format is safe with any text in any report.
Packages add formats (`tinytorch.doors`), of whose text nothing but lines and tabs reaches a screen as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tinytorch.competition.formats.document import as_json
from tinytorch.competition.formats.github import as_github
from tinytorch.competition.formats.gradescope import as_gradescope
from tinytorch.competition.formats.junit import as_junit
from tinytorch.competition.formats.markdown import as_markdown
from tinytorch.competition.ranking.judged import Judged
from tinytorch.doors import advertised, broken, opened, told
from tinytorch.errors import UsageError
from tinytorch.showing import nearest, safe_characters

Format = Callable[[Iterable[Judged]], Iterator[str]]

FORMATS: dict[str, Format] = {
    "json": as_json,
    "junit": as_junit,
    "github": as_github,
    "gradescope": as_gradescope,
    "markdown": as_markdown,
}


def format_names() -> list[str]:
    """The names of all formats, ours first."""
    return [*FORMATS, *(name for name in advertised("formats") if name not in FORMATS)]


def format_named(name: str) -> Format:
    """The format of that name; UsageError with the nearest without one, or where a package's is none."""
    if name in FORMATS:
        return FORMATS[name]
    if name not in advertised("formats"):
        mend = f"{nearest(name, ['human', *format_names()])}; one of a package needs it installed"
        raise UsageError(f"there is no format {name!r}", mend=mend)
    added = opened("formats", name)
    if not callable(added):
        raise broken("formats", name, f"it is of type {type(added).__name__}, and no function")
    return partial(_safely, name, added)


def _safely(name: str, added: Format, reports: Iterable[Judged]) -> Iterator[str]:
    """The text of a package's format, with every character that could do something to a screen as an escape.

    Whatever it does, all reports are made: what a call ends with is of all files.
    """
    wrong: list[BaseException] = []
    passed = _passed_on(reports, wrong)
    try:
        for piece in _pieces(added(passed)):
            yield "\t".join(safe_characters(part) for part in piece.split("\t"))
    except (Exception, SystemExit) as error:
        if error in wrong:
            raise
        raise broken("formats", name, told(error)) from error
    for _ in passed:
        pass


def _pieces(text: object) -> Iterator[str]:
    if not isinstance(text, Iterator):
        raise TypeError(f"it gives a {type(text).__name__}, and no iterator of texts")
    return text


def _passed_on(reports: Iterable[Judged], wrong: list[BaseException]) -> Iterator[Judged]:
    """The reports; an error of judging is ours, and no fault of the format that asks for the next."""
    try:
        yield from reports
    except Exception as error:
        wrong.append(error)
        raise
