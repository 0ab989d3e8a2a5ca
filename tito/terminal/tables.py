"""Tables that stay readable: a name is never broken, and in a pipe a record is one line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.columns import Columns
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from tito.terminal.screen import PIPE_COLUMNS, TOGETHER, glued, unglued

INDENT = (0, 0, 0, 2)
MAY_FOLD = {"file"}  # columns of paths
LONGEST_WORD = 24  # letters, beyond which one may be folded
BETWEEN = "  "  # what stands on lines of its own where there is room
_WORD = re.compile(rf"(?<!\w)\w{{1,{LONGEST_WORD}}}(?!\w)")


class Lines:
    """A cell of several lines on a screen, of one in a pipe, where `grep` should find name and number together."""

    def __init__(self, *lines: str) -> None:
        self._lines = [line for line in lines if line]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._text(console)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._text(console))

    def _text(self, console: Console) -> Text:
        return glued(Text(("\n" if console.width < PIPE_COLUMNS else BETWEEN).join(self._lines)))

    @property
    def on_one_line(self) -> str:
        """All of it."""
        return BETWEEN.join(self._lines)

    @property
    def on_several(self) -> str:
        """Each on its own."""
        return "\n".join(self._lines)


class Unbroken(Table):
    """A table whose words and intervals never break: on a screen too narrow for them each row becomes a list."""

    def __init__(self, *headers: Any, **options: Any) -> None:
        super().__init__(*headers, **options)
        self._cells: list[tuple[RenderableType | None, ...]] = []
        self.heading = ""  # above it, as wide as the screen and not as the table

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """As it is, and kept."""
        self._cells.append(cells)
        super().add_row(*map(_glued_cell, cells), **options)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        has_several = any(isinstance(cell, Lines) for cells in self._cells for cell in cells)
        self.leading = int(has_several and console.width < PIPE_COLUMNS)  # blank lines, where a row takes several
        drawn = [unglued(each) for each in super().__rich_console__(console, options) if isinstance(each, Segment)]
        if self.heading:
            yield Text(self.heading, "bold")
        if self._are_whole("".join(each.text for each in drawn)):
            yield from drawn
            return
        for cells in self._cells:
            yield from self._listed(cells, options.max_width)

    def _are_whole(self, drawn: str) -> bool:
        rows = [[column.header for column in self.columns], *self._cells]
        columns = [cells for cells in zip(*rows, strict=False) if cells[0] not in MAY_FOLD]
        texts = "\n".join(map(plain, chain.from_iterable(columns)))
        return all({*kind.findall(texts)} <= {*kind.findall(drawn)} for kind in (TOGETHER, _WORD))

    def _listed(self, cells: Sequence[RenderableType | None], width: int) -> Iterator[RenderableType]:
        name, *others = cells
        heading = plain(self.columns[0].header)
        yield Text(f"{heading}: {plain(name)}" if heading else plain(name))
        for column, cell in zip(self.columns[1:], others, strict=False):
            heading = f"{column.header}: " if column.header else ""
            if text := plain(cell):
                line = Text(f"{heading}{text}")
                if isinstance(cell, Lines) and line.cell_len + INDENT[3] > width:
                    line = Text(f"{heading}{cell.on_several}")
                yield Padding(line, INDENT)
            elif cell:
                yield Padding(Columns([heading, cell]), INDENT)


def _glued_cell(cell: RenderableType | None) -> RenderableType | None:
    """A cell whose intervals, and numbers with their units, have no place to break at."""
    if isinstance(cell, str):
        return glued(Text(cell))
    return glued(cell) if isinstance(cell, Text) else cell


def plain(cell: RenderableType | None) -> str:
    """The text of a cell, on one line; empty of what is none."""
    if isinstance(cell, Text):
        return cell.plain
    return cell.on_one_line if isinstance(cell, Lines) else cell if isinstance(cell, str) else ""


class Bar:
    """A share as the length of a bar, in whole columns, one at least for what is not nothing."""

    def __init__(self, share: float, columns: int) -> None:
        self._filled = min(columns, max(round(share * columns), int(share > 0)))
        self._columns = columns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(("#" if options.ascii_only else "█") * self._filled, "cyan")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self._columns, self._columns)


def table(title: str | None, *columns: str, right: bool = False) -> Unbroken:
    """A table with a column of names and others that may be folded; `right` aligns the others as numbers."""
    made = Unbroken(
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim",
    )  # fmt: skip
    made.heading = title or ""
    name, *others = columns
    made.add_column(name, no_wrap=True)
    for heading in others:
        made.add_column(heading, overflow="fold", justify="right" if right else "left")
    return made
