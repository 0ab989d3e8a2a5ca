"""What machines did of a class to rich renderables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.competition.checks.shift import Canary, Shift
from tinytorch.competition.checks.verified import Verification
from tinytorch.units import three_digits
from tito.terminal.tables import Lines, table

EXPLAINED = "known pair: two models of ours, which each machine measures at its beginning and its end"


def table_of(shifts: Sequence[Shift], classes: Mapping[str, str], count: int, found: Sequence[str]) -> RenderableType:
    """A row for each shift; below it what is missing or does not belong together."""
    shown = table(None, "shard", "machine", "records", "known pair")
    for each in sorted(shifts, key=_order):
        pairs = (_pair(canary) for canary in each.canaries)
        shown.add_row(each.part or "-", classes[each.id], str(len(each.records)), Lines(*pairs))
    if not shifts:
        return Group(*map(Text, found))
    said = found or [f"{count} records: all there, by the same rules, data and tool"]
    return Group(shown, Text(EXPLAINED, style="dim"), *map(Text, said))


def _order(shift: Shift) -> tuple[int, int, str]:
    number, _, count = (shift.part or "0/0").partition("/")
    return int(count), int(number), shift.id


def _pair(canary: Canary) -> str:
    found = canary.speedup
    if found.ci_lower is None or found.ci_upper is None:
        return f"{three_digits(found.estimate)}x"
    return f"{three_digits(found.estimate)}x [{three_digits(found.ci_lower)}, {three_digits(found.ci_upper)}]"


def document(
    shifts: Sequence[Shift], classes: Mapping[str, str], records: Iterable[Verification], found: Sequence[str]
) -> dict[str, Any]:  # fmt: skip
    """The same as data."""
    rows = [
        {"id": each.id, "part": each.part, "machine_class": classes[each.id], "records": len(each.records),
         "known_pair": [canary.model_dump(mode="json") for canary in each.canaries]}
        for each in sorted(shifts, key=_order)
    ]  # fmt: skip
    return {"document": "report", "shifts": rows, "records": sorted(each.id for each in records), "wrong": [*found]}
