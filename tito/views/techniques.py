"""Techniques to rich renderables, and one of them with its example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.units import size_words, three_digits
from tinytorch.workloads.techniques import PAPERS
from tito.terminal.tables import Lines, table
from tito.views.words import times_interval


def techniques_table(rows: Sequence[Mapping[str, Any]], machine: str | None, date: str | None) -> RenderableType:
    """A line for each technique, and where the figures come from."""
    shown = table("Techniques", "technique", "call", "shrinks", "measured")
    for row in rows:
        shown.add_row(row["name"], Lines(*row["calls"]), row["shrinks"], Lines(*_effect(row["measured"])))
    return Group(shown, Text(_source(machine, date), style="dim"))


def told(row: Mapping[str, Any], machine: str | None, date: str | None) -> Iterator[str]:
    """One technique: its paper, and what it did when it was measured."""
    yield row["name"]
    yield f"  paper: {row['reference']}, {PAPERS[row['reference']]}"
    yield f"  shrinks: {row['shrinks']}"
    yield f"  did: {', '.join(_effect(row['measured'], with_interval=True))}"
    yield f"  ({_source(machine, date)})"


def _source(machine: str | None, date: str | None) -> str:
    return f"measured on {machine}, {date}, by benchmarks/compression.py; yours will differ" if date else "not measured"


def _effect(found: Mapping[str, Any] | None, with_interval: bool = False) -> tuple[str, ...]:
    """What a technique did to size, speed and accuracy, and of which task."""
    if found is None:
        return ("not measured yet",)
    points, (speed, *ends) = 100 * (found["accuracy"][1] - found["accuracy"][0]), found["speedup"]
    interval = f" {times_interval(*ends)}" if with_interval else ""
    return (size_words(found["compression_ratio"]), f"{three_digits(speed)}x speed{interval}", f"{points:+.1f} points",
            f"of {found['task']}")  # fmt: skip
