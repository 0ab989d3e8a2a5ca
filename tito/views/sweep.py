"""Settings of an entry beside each other: what was seen of each, a plot, and which is best for each event."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.benchmarking.statistics import Interval, Verdict
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.eligibility import Eligibility, eligibility, limit_words
from tinytorch.competition.scoring.expectation import standing
from tinytorch.competition.scoring.scores import compared, compute_scores, speedup_across_sessions
from tinytorch.harness.arguments import Value
from tinytorch.showing import safe_text
from tinytorch.units import format_count, format_share, format_size, three_digits
from tito.terminal.plots import scatter
from tito.terminal.tables import Lines, table
from tito.views.scores import score_words, shown
from tito.views.words import interval_words
from tito.workspace.sweeps import Arguments, Setting

LONGEST_VALUE = 24
PLOT_COLUMNS, PLOT_ROWS, LEAST_COLUMNS = 60, 12, 10
BESIDE = 10  # the numbers and the line before a plot
SEEN: dict[str, Callable[[float], str]] = {
    "accuracy": format_share, "kept_bytes": format_size, "flops": format_count,
}  # fmt: skip
NOT_TIMED = "not timed"
CHOSEN = (
    "The best of many settings looks better than it is, because luck chooses, too. "
    "Write its values into the entry, and measure it once more"
)
NO_TIME, ALL_WORSE = "no setting was timed", "every setting that was timed is worse than the baseline"


@dataclass(frozen=True)
class Scored:
    """What rules say of a setting that was timed: its speedup, and what is shown for each event it qualifies for.

    In the events of `worse` it is worse than the baseline; of the others `missed` says what they ask for.
    """

    speedup: float | None
    compression: float | None
    interval: Interval | None
    shown: dict[str, float]
    worse: frozenset[str]
    missed: dict[str, list[str]]

    @classmethod
    def of(cls, run: Run, rules: Rules) -> Scored:
        """From a run."""
        tested = compared(run, rules)
        scores = compute_scores(run, rules, tested)
        judged = eligibility(run, scores, rules)
        standings = {each.event: standing(run, each.event, rules, tested) for each in judged if each.is_eligible}
        values = {each.event: shown(each, standings[each.event]) for each in judged if each.event in standings}
        across = speedup_across_sessions(tested.speedup, run.protocol.sessions, rules)
        return cls(
            scores.speedup,
            scores.compression_ratio,
            across,
            {event: value for event, value in values.items() if value is not None},
            frozenset(event for event, found in standings.items() if found.verdict is Verdict.WORSE),
            {each.event: asked_words(each) for each in judged},
        )


@dataclass(frozen=True)
class Sweep:
    """Every setting of an entry at a task, in the order of the grid, judged by rules.

    `again` is the command that measures the entry; so many settings were `left_out` for want of time.
    """

    task: str
    entry: str
    settings: Sequence[Setting]
    rules: Rules
    again: str = ""
    left_out: int = 0

    @property
    def count(self) -> str:
        """How many settings there are, in words."""
        return f"{len(self.settings)} setting{'' if len(self.settings) == 1 else 's'}"

    @property
    def advice(self) -> str:
        """What is worth doing with the best."""
        return f"{CHOSEN}: {self.again}" if self.best else ""

    @cached_property
    def scored(self) -> list[Scored | None]:
        """Of each setting; None of one that was not timed."""
        return [Scored.of(each.run, self.rules) if each.run else None for each in self.settings]

    @cached_property
    def best(self) -> dict[str, int]:
        """The place of the setting of which most is shown, for each event that one qualifies for."""
        values = {
            event: {
                place: found.shown[event]
                for place, found in enumerate(self.scored)
                if found and event in found.shown and event not in found.worse
            }
            for event in self.rules.events
        }
        return {event: max(found, key=found.__getitem__) for event, found in values.items() if found}

    def why_none(self, event: str) -> str:
        """Why an event has no best setting."""
        timed = [found for found in self.scored if found]
        if not timed:
            return NO_TIME
        if any(event in found.shown for found in timed):
            return ALL_WORSE
        missed = dict.fromkeys(words for found in timed for words in found.missed.get(event, ()))
        return f"no setting that was timed qualifies ({'; '.join(missed)})"

    @property
    def arguments(self) -> list[str]:
        """The names of what was changed."""
        return list(self.settings[0].arguments) if self.settings else []

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "task": self.task, "source": self.entry,
            "rules": {"version": self.rules.version, "sha256": self.rules.sha256},
            "settings": [_document(setting, found) for setting, found in zip(self.settings, self.scored, strict=True)],
            "best": {event: dict(self.settings[place].arguments) for event, place in self.best.items()},
            "recorded": False,
        }  # fmt: skip


def sweep_view(sweep: Sweep, width: int) -> RenderableType:
    """The table, a plot, and the best of each event."""
    parts: list[RenderableType] = [_table(sweep)]
    for words, lines in filter(None, [_plot(sweep, width)]):
        parts += [Text(f"\n{words}"), Text("\n".join(lines))]
    parts += [Text(), *map(Text, best_words(sweep))]
    parts += [Text(words, style="dim") for words in (sweep.advice, left_out_words(sweep)) if words]
    return Group(*parts)


def rows(sweep: Sweep) -> Iterator[list[str]]:
    """A line for the baseline and each setting: number, arguments, accuracy, memory, FLOPs, speedup, its interval."""
    if seen := next((each.quick["baseline"] for each in sweep.settings if each.quick), None):
        yield ["", "baseline", *[""] * (len(sweep.arguments) - 1), *_figure_words(seen), "", ""]
    for number, (setting, found) in enumerate(zip(sweep.settings, sweep.scored, strict=True), 1):
        values = [value_words(value) for value in setting.arguments.values()]
        yield [str(number), *values, *_seen_words(setting), *_timed_words(setting, found)]


def headings(sweep: Sweep) -> list[str]:
    """What stands above each column of `rows`."""
    return ["#", *map(safe_text, sweep.arguments), "accuracy", "memory", "FLOPs", "speedup", "95 %"]


def best_words(sweep: Sweep) -> Iterator[str]:
    """For each event the best setting, or why there is none."""
    for event in sweep.rules.events:
        if (place := sweep.best.get(event)) is None:
            yield f"{event}: {sweep.why_none(event)}"
        elif found := sweep.scored[place]:
            value = score_words(found.shown[event], sweep.rules.events[event].ranked_by)
            yield f"{event}: {place + 1} ({setting_words(sweep.settings[place].arguments)}), {value} shown"


def asked_words(event: Eligibility) -> list[str]:
    """What an event asks for and a setting has not."""
    missed = [each for each in event.constraints if each.satisfied is False]
    return [f"{each.metric} {limit_words(each)}" for each in missed] + ([event.unseen] if event.unseen else [])


def left_out_words(sweep: Sweep) -> str:
    """What there was no time for; empty where there is nothing."""
    if not sweep.left_out:
        return ""
    return f"{sweep.left_out} more not looked at: the budget is over; the same command goes on"


def setting_words(arguments: Arguments) -> str:
    """`keep=64, bits=8`, fit for a screen."""
    return ", ".join(f"{name}={value_words(value)}" for name, value in arguments.items())


def value_words(value: Value) -> str:
    """A value of an argument, fit for a screen."""
    return safe_text(value if isinstance(value, str) else repr(value), LONGEST_VALUE)


def _table(sweep: Sweep) -> RenderableType:
    title = f"{sweep.task}: {safe_text(sweep.entry)}, {sweep.count}"
    made = table(title, *headings(sweep)[:-1], right=True)
    for *words, speedup, interval in rows(sweep):
        made.add_row(*words, Lines(speedup, interval))
    return made


def _seen_words(setting: Setting) -> list[str]:
    if setting.quick is None:
        return ["failed", "", ""]
    return _figure_words(setting.quick["optimized"])


def _figure_words(figures: Mapping[str, Any]) -> list[str]:
    return ["?" if figures.get(name) is None else write(figures[name]) for name, write in SEEN.items()]


def _timed_words(setting: Setting, found: Scored | None) -> tuple[str, str]:
    if found is None:
        return "" if setting.quick is None else NOT_TIMED, ""
    if found.speedup is None or found.interval is None:
        return "no interval", ""
    ends = three_digits(found.interval.lower), three_digits(found.interval.upper)
    return f"{three_digits(found.speedup)}x", interval_words(*ends)


def _plot(sweep: Sweep, width: int) -> tuple[str, list[str]] | None:
    """Accuracy against speedup of what was timed, a number for each; None with fewer than two."""
    points = {
        str(number): (found.speedup, setting.run.optimized.metrics.accuracy.mean)
        for number, (setting, found) in enumerate(zip(sweep.settings, sweep.scored, strict=True), 1)
        if setting.run and setting.run.optimized.metrics.accuracy and found and found.speedup
    }
    if len(points) < 2:
        return None
    columns = max(LEAST_COLUMNS, min(PLOT_COLUMNS, width - BESIDE))
    drawn = scatter(points, columns, PLOT_ROWS, lambda ratio: f"{three_digits(ratio)}x", format_share)
    return "accuracy (up) against speedup (to the right, logarithmic), by the settings' numbers", drawn


def _document(setting: Setting, found: Scored | None) -> dict[str, Any]:
    interval = found.interval if found else None
    return {
        "arguments": dict(setting.arguments), "error": setting.error or None,
        "optimized": setting.quick["optimized"] if setting.quick else None,
        "speedup": found.speedup if found else None,
        "interval": [interval.lower, interval.upper] if interval else None,
        "shown": dict(found.shown) if found else None,
    }  # fmt: skip
