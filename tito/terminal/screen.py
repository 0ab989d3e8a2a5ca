"""The two streams: data to stdout, talk and progress to stderr."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import typer

from tinytorch.showing import safe_characters, safe_lines

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.segment import Segment
    from rich.text import Text

STANDARD = "-"  # as the name of a file: standard input or output
DUMB_ROWS = 25
GLUE = "\ue000"  # stands for a space that no line may end at; no font has it, and no text that we show
TOGETHER = re.compile(
    r"\[[-+\d.][^\[\]\n]*, [^\[\]\n]*\]"  # an interval
    r"|(?<![\w.])[-+]?\d[\d,.]* (?:%|[numk]?s|[kMG]?B(?:/s)?|[kMG]|points)(?!\w)"  # a number and its unit
)
PIPE_COLUMNS = 10_000  # a record stays one line, however long, where `grep` reads it


def console(**options: Any) -> Console:
    """A console that takes nothing in a text for markup and lets no control character out, whoever wrote it.

    A pipe that names no COLUMNS has room for every line.
    """
    from rich.console import Console, ConsoleDimensions
    from rich.segment import Segment
    from rich.text import Text

    class SafeConsole(Console):
        def render(self, renderable: Any, options: Any = None) -> Iterator[Segment]:
            whole = glued(renderable) if isinstance(renderable, Text) else renderable
            for segment in map(unglued, super().render(whole, options)):
                text, style, control = segment
                yield segment if control else Segment(safe_characters(text), style)

    made = SafeConsole(highlight=False, markup=False, emoji=False, width=_width(), **options)
    if made.is_dumb_terminal:  # rich takes it for 80 columns wide unless it is told both
        made.size = ConsoleDimensions(_width() or made.width, DUMB_ROWS)
    return made


def glued(text: Text) -> Text:
    """A text whose intervals, and numbers with their units, have no space to break at."""
    if not TOGETHER.search(text.plain):
        return text
    kept = text.copy()
    kept.plain = TOGETHER.sub(lambda found: found[0].replace(" ", GLUE), text.plain)
    return kept


def unglued(segment: Segment) -> Segment:
    """What is shown of it."""
    return segment._replace(text=segment.text.replace(GLUE, " ")) if GLUE in segment.text else segment


def _width() -> int | None:
    """None where rich finds a width itself; it would take COLUMNS=0 at its word, and show nothing."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return None
    if not sys.stdout.isatty():
        return PIPE_COLUMNS
    import shutil

    return shutil.get_terminal_size().columns


def columns() -> int:
    """How wide a line may be, for what is written without a console."""
    import shutil

    return _width() or shutil.get_terminal_size().columns


def show(renderable: RenderableType) -> None:
    """Show data on stdout; a pipe gets the same text without colour."""
    console().print(renderable)


def say(message: str) -> None:
    """Talk to the person, on stderr; what a file or a name brings along is made safe here."""
    text = safe_lines(message)
    if _drawing:
        _drawing[-1].print(text, markup=False, highlight=False, emoji=False)
    else:
        typer.echo(_fitted(text) if sys.stderr.isatty() else text, err=True)


_drawing: list[Console] = []


@contextlib.contextmanager
def through(console: Console) -> Iterator[None]:
    """Talk goes through a console that draws something of its own, which stays below what is said."""
    _drawing.append(console)
    try:
        yield
    finally:
        _drawing.pop()


def _fitted(text: str) -> str:
    import shutil

    width = shutil.get_terminal_size().columns
    return "\n".join(wrapped(line, width) for line in text.splitlines())


def wrapped(line: str, width: int, indent: int | None = None) -> str:
    """A line as several that end at words, indented so or like the first; a longer word is left to the terminal."""
    if len(line) <= width:
        return line
    import textwrap

    spaces = len(line) - len(line.lstrip()) if indent is None else indent
    return textwrap.fill(
        line, width, subsequent_indent=" " * spaces, break_long_words=False, break_on_hyphens=False,
        replace_whitespace=False,
    )  # fmt: skip


def put(content: str, end: str = "\n") -> None:
    """Write a document to stdout."""
    typer.echo(content + end, nl=False)


def put_lines(lines: Iterable[str], indent: int | None = None) -> None:
    """Write lines to stdout that end at words where the screen does; what follows is indented so, or like its first."""
    put("\n".join(wrapped(line, columns(), indent) for line in lines))


def as_json(document: dict[str, Any]) -> str:
    """A JSON document as people and scripts get it."""
    return json.dumps(document, indent=2)


def put_json(document: dict[str, Any]) -> None:
    """`put` for a JSON document."""
    put(as_json(document))


@contextlib.contextmanager
def done_before(fact: str) -> Iterator[None]:
    """What goes wrong from here on, an interrupt among it, is told together with what was done before."""
    try:
        yield
    except BaseException as error:
        error.add_note(fact)
        raise
