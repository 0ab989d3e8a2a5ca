"""Records to rich renderables. Nothing here prints, reads files or computes a statistic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tinytorch.benchmarking.comparison import Comparison
from tinytorch.benchmarking.records import Accuracy, Latency, Memory
from tinytorch.benchmarking.statistics import Interval
from tinytorch.competition.eligibility import Eligibility
from tinytorch.competition.events import ConstraintResult
from tinytorch.competition.run import Run
from tinytorch.competition.scores import compared
from tinytorch.competition.submission import trust_of
from tinytorch.units import (
    BYTES_PER_MEGABYTE,
    NANOSECONDS_PER_MILLISECOND,
    UNITS,
    format_size,
    format_time,
    size_words,
    three_digits,
)

NOT_MEASURED = "not measured"
MARKS = {True: ("passed", "green"), False: ("failed", "red"), None: ("could not check", "yellow")}


def benchmark_table(run: Run) -> RenderableType:
    """Baseline, optimized and change, each with its 95 % interval, and what it means in a sentence."""
    table = Table(title=f"{run.task.name}: {run.source.name} against the baseline", title_justify="left", expand=False)
    for heading in ("", "baseline", "optimized", "change"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=False)
    first, second = run.baseline.metrics, run.optimized.metrics
    found = compared(first, second)
    table.add_row("latency", _latency(first.latency), _latency(second.latency), _speedup(found.speedup))
    sizes = (_memory(first.memory), _memory(second.memory), _compression(first.memory, second.memory))
    table.add_row("memory", *map(Text, sizes))  # names of an entry's types are among them
    table.add_row("accuracy", _accuracy(first.accuracy), _accuracy(second.accuracy), _points(found.accuracy_delta))
    doubts = [Text(f"doubt: {doubt.evidence} -> {doubt.advice}", "yellow") for doubt in run.protocol.doubts or []]
    return Group(table, Text(_below(run), style="dim"), *doubts, Text(meaning(run)))


def meaning(run: Run) -> str:
    """What the run shows, in one sentence a person would say."""
    found = compared(run.baseline.metrics, run.optimized.metrics)
    parts = [_speed_words(found.speedup), _memory_words(run), _accuracy_words(found.accuracy_delta)]
    return f"{run.source.name} {'; '.join(parts)}."


def scores_table(scores: Mapping[str, float | None]) -> RenderableType:
    """The normalized scores."""
    table = Table(title="Normalized scores", title_justify="left")
    table.add_column("score")
    table.add_column("value", justify="right")
    for name, value in scores.items():
        shown = NOT_MEASURED if value is None else f"{value:+.4f}" if name == "accuracy_delta" else three_digits(value)
        table.add_row(name, shown)
    return table


def across_sessions(interval: Interval) -> RenderableType:
    """What a speedup of one session is worth beside one of another."""
    bounds = _interval(f"{three_digits(interval.lower)}x", f"{three_digits(interval.upper)}x")
    return Text(f"the mean speedup of many sessions lies within {bounds} (95 %)", style="dim")


def event_row(event: Eligibility) -> dict[str, Any]:
    """An event's line: what it asks for, what it is ranked by and the score, eligible or not, and why."""
    asked = event.asked
    shown = NOT_MEASURED if event.value is None else f"{event.value:.4g}"
    why = "; ".join(_margin(constraint) for constraint in event.constraints) or "no constraint"
    score = f"{asked.ranked_by} {shown}"
    return {
        "event": event.event.value, "title": asked.title, "objective": asked.objective, "score": score,
        "eligible": event.is_eligible, "why": why,
    }  # fmt: skip


def events_table(events: Iterable[Eligibility]) -> RenderableType:
    """The line of every event."""
    table = Table(title="Events", title_justify="left")
    for heading in ("event", "score", "eligible", "why"):
        table.add_column(heading, overflow="fold")
    words = {True: Text("yes", "green"), False: Text("no", "red"), None: Text("could not check", "yellow")}
    for row in map(event_row, events):
        table.add_row(row["event"], row["score"], words[row["eligible"]], row["why"])
    return table


def checks_table(title: str, checks: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Every check by name with passed, failed or could not check, and its message where there is something to say."""
    table = Table(title=Text(title), title_justify="left")
    for heading in ("check", "result", "message"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        word, style = MARKS[check["passed"]]
        said = "" if check["passed"] else f"{check['message']} {_arrow(check.get('mend'))}".strip()
        table.add_row(Text(check["name"]), Text(word, style), Text(said))
    return table


def _margin(constraint: ConstraintResult) -> str:
    unit = "" if constraint.metric == "accuracy" else f" {UNITS[constraint.metric]}"
    value = NOT_MEASURED if constraint.value is None else f"{constraint.value:.4g}{unit}"
    return f"{constraint.metric} {value} {constraint.operator} {constraint.limit:g}{unit}"


def _arrow(mend: str | None) -> str:
    return f"-> {mend}" if mend else ""


def _interval(lower: str, upper: str) -> str:
    return f"[{lower}, {upper}]"


def _latency(latency: Latency | None) -> str:
    if latency is None:
        return NOT_MEASURED
    lines = [_milliseconds(latency.mean)]
    if latency.ci_lower is not None and latency.ci_upper is not None:
        lines.append(_interval(_milliseconds(latency.ci_lower), _milliseconds(latency.ci_upper)))
    if latency.typical is not None:
        lines.append(f"typical {_milliseconds(latency.typical)}")
    return "\n".join(lines)


def _milliseconds(time_ms: float) -> str:
    return format_time(time_ms * NANOSECONDS_PER_MILLISECOND)


def _memory(memory: Memory | None) -> str:
    if memory is None:
        return NOT_MEASURED
    size = format_size(memory.mean * BYTES_PER_MEGABYTE)
    return f"at least {size}\n(not seen: {', '.join(memory.unseen)})" if memory.unseen else f"{size}\n(counted exactly)"


def _accuracy(accuracy: Accuracy | None) -> str:
    if accuracy is None:
        return NOT_MEASURED
    if accuracy.ci_lower is None or accuracy.ci_upper is None:
        return f"{accuracy.mean:.1%}"
    return f"{accuracy.mean:.1%}\n{_interval(f'{accuracy.ci_lower:.1%}', f'{accuracy.ci_upper:.1%}')}"


def _speedup(comparison: Comparison | None) -> str:
    if comparison is None:
        return NOT_MEASURED
    if comparison.ci_lower is None or comparison.ci_upper is None:
        return f"{three_digits(comparison.estimate)}x\n({comparison.reason})"
    interval = _interval(f"{three_digits(comparison.ci_lower)}x", f"{three_digits(comparison.ci_upper)}x")
    basis = "\nby typical times" if comparison.basis == "typical" else ""
    return f"{three_digits(comparison.estimate)}x speed, {p_words(comparison.p_value)}\n{interval}{basis}"


def _compression(baseline: Memory | None, optimized: Memory | None) -> str:
    if baseline is None or optimized is None:
        return NOT_MEASURED
    if not optimized.mean:
        return "nothing kept\n(no ratio)"
    exact = "at least for what was seen" if baseline.unseen or optimized.unseen else "exact"
    return f"{size_words(baseline.mean / optimized.mean)}\n({exact})"


def _points(comparison: Comparison | None) -> str:
    if comparison is None:
        return NOT_MEASURED
    shown = f"{100 * comparison.estimate:+.1f} points"
    if comparison.ci_lower is None or comparison.ci_upper is None:
        return f"{shown}\n({comparison.reason})"
    interval = _interval(f"{100 * comparison.ci_lower:+.1f}", f"{100 * comparison.ci_upper:+.1f}")
    return f"{shown}, {p_words(comparison.p_value)}\n{interval}"


def p_words(p_value: float | None) -> str:
    """A p-value as it is usually written; tiny ones as a bound."""
    if p_value is None:
        return "no p"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _speed_words(comparison: Comparison | None) -> str:
    if comparison is None or comparison.verdict is None:
        return "has no speedup that could be tested"
    if comparison.verdict == "no detectable difference":
        smallest = "" if comparison.smallest_detectable is None else f"{comparison.smallest_detectable - 1:.1%}"
        return f"shows no detectable difference in speed (one of {smallest} would have been seen)"
    faster = comparison.estimate > 1
    ratio = comparison.estimate if faster else 1 / comparison.estimate
    basis = ", by typical times because its time depends on chance" if comparison.basis == "typical" else ""
    return f"is {three_digits(ratio)}x {'faster' if faster else 'slower'} ({p_words(comparison.p_value)}{basis})"


def _memory_words(run: Run) -> str:
    first, second = run.baseline.metrics.memory, run.optimized.metrics.memory
    if first is None or second is None:
        return "its memory was not measured"
    if not second.mean:
        return "keeps no weights at all"
    return f"is {size_words(first.mean / second.mean)}"


def _accuracy_words(comparison: Comparison | None) -> str:
    if comparison is None:
        return "its accuracy was not measured"
    if comparison.verdict == "no detectable difference":
        return f"the test set shows no difference in accuracy ({p_words(comparison.p_value)})"
    return f"its accuracy is {comparison.verdict}: {100 * comparison.estimate:+.1f} points"


def _below(run: Run) -> str:
    protocol, trust = run.protocol, trust_of(run.baseline.metrics, run.optimized.metrics)
    sessions = f"{protocol.sessions} sessions of " if protocol.sessions > 1 else ""
    return (
        "latency is the quiet time (the machine undisturbed); typical: as it was.\n"
        f"95 % intervals over {sessions}{protocol.processes} processes x {protocol.copies} copies; "
        f"tier {protocol.tier}, {protocol.threads or 'unverified'} BLAS thread(s), seed {protocol.seed}; "
        f"trust {trust} ({trust.word}); run {run.id}"
    )
