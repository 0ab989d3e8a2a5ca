"""Tables that stay readable: a name is never broken, and in a pipe a record is one line."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from tito.terminal.screen import PIPE_COLUMNS


class Lines:
    """A cell of several lines on a screen, of one in a pipe, where `grep` should find name and number together."""

    def __init__(self, *lines: str) -> None:
        self._lines = [line for line in lines if line]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._text(console)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._text(console))

    def _text(self, console: Console) -> Text:
        return Text(("\n" if console.width < PIPE_COLUMNS else "  ").join(self._lines))


class Bar:
    """A share as the length of a bar, in whole columns, one at least for what is not nothing."""

    def __init__(self, share: float, columns: int) -> None:
        self._filled = min(columns, max(round(share * columns), int(share > 0)))
        self._columns = columns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(("#" if options.ascii_only else "█") * self._filled, "cyan")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self._columns, self._columns)


def table(title: str | None, *columns: str, right: bool = False) -> Table:
    """A table with a column of names and others that may be folded; `right` aligns the others as numbers."""
    made = Table(title=None if title is None else Text(title), title_justify="left")
    name, *others = columns
    made.add_column(name, no_wrap=True)
    for heading in others:
        made.add_column(heading, overflow="fold", justify="right" if right else "left")
    return made
