"""What the doctor found, to rich renderables."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.benchmarking.records.session import ReferenceTimes
from tinytorch.competition.rules.events import Rules
from tinytorch.harness.doctor import Diagnosis, Repeated, floor_words
from tinytorch.units import format_share, format_time, three_digits
from tito.terminal.tables import Lines, table

NOW = {
    "quiet": "quiet now: this is a time to measure.",
    "at its best so far": "as quiet now as this machine has been so far; but few hours are known of it.",
    "disturbed": "disturbed now: a speedup may be off by {moved}. Measure later, or with --wait-quiet.",
    "not known": "nothing was known of this machine before, so that nobody can say whether it is quiet now.",
}


def doctor_table(task: str, found: Diagnosis, hours: int, rules: Rules) -> RenderableType:
    """Now against the best on record, the same model twice, a real pair, and a verdict in plain words."""
    shown = table(f"This machine, with the baseline of {task}: {found.looks} looks", "", "now", "beside it")
    shown.add_row(
        "baseline", _range(found.baseline_ns), Lines(_best(found.known, "baseline_ns"), _middle(found.excess_now))
    )
    shown.add_row(
        "small code",
        _range(found.yardstick_ns),
        Lines(_best(found.known, "yardstick_ns"), _middle(found.yardstick_now)),
    )
    same, pair = found.same, found.pair
    alarms = f"called different in {same.told_apart} of {found.looks}"
    shown.add_row("same model twice", f"{three_digits(same.ratio)}x", Lines(_spread(same), alarms))
    left = f"without the excess {format_share(found.spread_left)}" if found.known else ""
    held = f"{pair.held} of {found.looks} intervals hold the mean"
    shown.add_row("and a small model", f"{three_digits(pair.ratio)}x", Lines(_spread(pair), held, left))
    moved = format_share(found.moved_now or 0.0, 0)
    return Group(shown, *map(Text, (NOW[found.state].format(moved=moved), *_below(found, hours, rules))))


def _middle(excess: float | None) -> str:
    return "" if excess is None else f"half of the looks: {100 * excess:.1f} % longer, or more"


def _range(bounds: tuple[float, float]) -> str:
    return " to ".join(map(format_time, bounds))


def _best(known: ReferenceTimes | None, name: str) -> str:
    return "no time on record" if known is None else f"best on record {format_time(getattr(known, name))}"


def _spread(found: Repeated) -> str:
    return f"real spread {format_share(found.spread)}, stated {format_share(found.stated)}"


def _below(found: Diagnosis, hours: int, rules: Rules) -> list[str]:
    said = [floor_words(rules.disturbance, hours)] if rules.disturbance else []
    taken = rules.significance.session_spread
    if found.session_spread is not None and found.session_spread > taken:
        said.append(f"a class file for this machine: [significance] session_spread = {found.session_spread:g}")
    return said
