"""Records to rich renderables. Nothing here prints, reads files or computes a statistic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.benchmarking.comparison import Comparison, Statistics, block_distribution
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Accuracy, Memory, compression_ratio
from tinytorch.benchmarking.records.session import Protocol
from tinytorch.competition.record.run import Measurement, Run
from tinytorch.competition.record.submission import trust_of
from tinytorch.competition.rules.events import Rules, load_rules
from tinytorch.competition.scoring.busy import busy_words
from tinytorch.competition.scoring.eligibility import NOT_MEASURED
from tinytorch.competition.scoring.scores import compared
from tinytorch.units import (
    BYTES_PER_MEGABYTE,
    format_share,
    format_size,
    format_time,
    size_words,
    three_digits,
)
from tito.terminal.plots import histogram
from tito.terminal.tables import Lines, table

PLOT_COLUMNS, PLOT_ROWS = 48, 5
MARKS = {True: ("passed", "green"), False: ("failed", "red"), None: ("could not check", "yellow")}


def benchmark_table(run: Run, rules: Rules | None = None) -> RenderableType:
    """Baseline, optimized and change, each with its 95 % interval, and what it means in a sentence, by the rules."""
    title = f"{run.task.name}: {run.source.name} against the baseline"
    found_table = table(title, "", "baseline", "optimized", "change", right=True)
    first, second = run.baseline.metrics, run.optimized.metrics
    found = compared(run, rules)
    found_table.add_row("latency", _latency(first.latency), _latency(second.latency), _speedup(found.speedup))
    sizes = (_memory(first.memory), _memory(second.memory), _compression(first.memory, second.memory))
    found_table.add_row("memory", *sizes)
    found_table.add_row(
        "accuracy", _accuracy(first.accuracy), _accuracy(second.accuracy), _points(found.accuracy_delta)
    )
    doubts = [Text(f"doubt: {doubt.evidence} -> {doubt.advice}", "yellow") for doubt in run.protocol.doubts or []]
    doubts += busy(run, found, rules)
    return Group(found_table, Text(_below(run), style="dim"), *doubts, Text(meaning(run, found)))


def block_plot(run: Run) -> RenderableType:
    """How the ratios of block pairs are spread, on a log scale: what the speedup rests on, and what contention did."""
    first, second = run.baseline.metrics.latency, run.optimized.metrics.latency
    found = block_distribution(first, second, PLOT_COLUMNS) if first and second else None
    if found is None:
        return Text("no block pairs were timed: nothing to draw", style="dim")
    left, right = f"{three_digits(found.lower)}x", f"{three_digits(found.upper)}x"
    pairs = sum(found.counts) + found.below + found.above
    lines = [f"{pairs:,} block pairs, by the speedup that each shows (log scale)", *histogram(found.counts, PLOT_ROWS)]
    lines += [f"{left:<{PLOT_COLUMNS - len(right)}}{right}", f"{found.below} lie below, {found.above} above"]
    return Text("\n".join(lines), no_wrap=True)


def meaning(run: Run, found: Statistics) -> str:
    """What the run shows, in one sentence a person would say."""
    parts = [_speed_words(found.speedup), _memory_words(run), _accuracy_words(found.accuracy_delta)]
    return f"{run.source.name} {'; '.join(parts)}."


def busy(run: Measurement, found: Statistics, rules: Rules | None = None) -> list[Text]:
    """What the machine may have done to the speedup, in a sentence; nothing where that is little."""
    said, speedup = busy_words(run, found, rules or load_rules()), found.speedup
    if not said or speedup is None or speedup.ci_lower is None or speedup.ci_upper is None:
        return []
    bounds = interval_words(f"{three_digits(speedup.ci_lower)}x", f"{three_digits(speedup.ci_upper)}x")
    return [Text(f"speedup {three_digits(speedup.estimate)}x {bounds}: {said}.", "yellow")]


def checks_table(title: str, checks: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Every check with passed, failed or could not check, and its message where there is something to say."""
    shown = table(title, "check", "result", "message")
    for check in checks:
        word, style = MARKS[check["passed"]]
        said = "" if check["passed"] else f"{check['message']} {_arrow(check.get('mend'))}".strip()
        shown.add_row(Text(f"{check['id']} {check['name']}"), Text(word, style), Text(said))
    return shown


def _arrow(mend: str | None) -> str:
    return f"-> {mend}" if mend else ""


def interval_words(lower: str, upper: str) -> str:
    return f"[{lower}, {upper}]"


def _latency(latency: Latency | None) -> Lines:
    if latency is None:
        return Lines(NOT_MEASURED)
    lines = [format_time(latency.mean_ns)]
    if latency.ci_lower_ns is not None and latency.ci_upper_ns is not None:
        lines.append(interval_words(format_time(latency.ci_lower_ns), format_time(latency.ci_upper_ns)))
    if latency.typical_ns is not None:
        lines.append(f"typical {format_time(latency.typical_ns)}")
    return Lines(*lines)


def _memory(memory: Memory | None) -> Lines:
    if memory is None:
        return Lines(NOT_MEASURED)
    size = format_size(memory.mean * BYTES_PER_MEGABYTE)
    if memory.unseen:
        return Lines(f"at least {size}", f"(not seen: {', '.join(memory.unseen)})")
    return Lines(size, "(counted exactly)")


def _accuracy(accuracy: Accuracy | None) -> Lines:
    if accuracy is None:
        return Lines(NOT_MEASURED)
    if accuracy.ci_lower is None or accuracy.ci_upper is None:
        return Lines(format_share(accuracy.mean))
    return Lines(
        format_share(accuracy.mean), interval_words(format_share(accuracy.ci_lower), format_share(accuracy.ci_upper))
    )


def _speedup(comparison: Comparison | None) -> Lines:
    if comparison is None:
        return Lines(NOT_MEASURED)
    if comparison.ci_lower is None or comparison.ci_upper is None:
        return Lines(f"{three_digits(comparison.estimate)}x", f"({comparison.reason})")
    interval = interval_words(f"{three_digits(comparison.ci_lower)}x", f"{three_digits(comparison.ci_upper)}x")
    basis = "by typical times" if comparison.basis == "typical" else ""
    return Lines(f"{three_digits(comparison.estimate)}x speed, {p_words(comparison.p_value)}", interval, basis)


def _compression(baseline: Memory | None, optimized: Memory | None) -> Lines:
    if baseline is None or optimized is None:
        return Lines(NOT_MEASURED)
    exact = "at least for what was seen" if baseline.unseen or optimized.unseen else "exact"
    counted = exact if optimized.mean else "nothing counts as 1 byte"
    return Lines(size_words(compression_ratio(baseline, optimized)), f"({counted})")


def _points(comparison: Comparison | None) -> Lines:
    if comparison is None:
        return Lines(NOT_MEASURED)
    shown = f"{100 * comparison.estimate:+.1f} points"
    if comparison.ci_lower is None or comparison.ci_upper is None:
        return Lines(shown, f"({comparison.reason})")
    interval = interval_words(f"{100 * comparison.ci_lower:+.1f}", f"{100 * comparison.ci_upper:+.1f}")
    return Lines(f"{shown}, {p_words(comparison.p_value)}", interval)


def p_words(p_value: float | None) -> str:
    """A p-value as it is usually written; tiny ones as a bound."""
    if p_value is None:
        return "no p"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _speed_words(comparison: Comparison | None) -> str:
    if comparison is None or comparison.verdict is None:
        return "has no speedup that could be tested"
    if comparison.verdict == "no detectable difference":
        smallest = "" if comparison.smallest_detectable is None else format_share(comparison.smallest_detectable - 1)
        return f"shows no detectable difference in speed (one of {smallest} would have been seen)"
    faster = comparison.estimate > 1
    ratio = comparison.estimate if faster else 1 / comparison.estimate
    basis = ", by typical times because its time depends on chance" if comparison.basis == "typical" else ""
    return f"is {three_digits(ratio)}x {'faster' if faster else 'slower'} ({p_words(comparison.p_value)}{basis})"


def _memory_words(run: Run) -> str:
    first, second = run.baseline.metrics.memory, run.optimized.metrics.memory
    if first is None or second is None:
        return "its memory was not measured"
    return f"is {size_words(compression_ratio(first, second))}"


def _accuracy_words(comparison: Comparison | None) -> str:
    if comparison is None:
        return "its accuracy was not measured"
    if comparison.verdict == "no detectable difference":
        return f"the test set shows no difference in accuracy ({p_words(comparison.p_value)})"
    return f"its accuracy is {comparison.verdict}: {100 * comparison.estimate:+.1f} points"


def _fresh_words(run: Run) -> str:
    """What became of inputs that nobody has seen; empty where none were asked about."""
    shares = [each.correct / each.total for each in (run.baseline.fresh_answers, run.optimized.fresh_answers) if each]
    if len(shares) < 2:
        return ""
    first, second = (format_share(share) for share in shares)
    return f"answers to inputs that are new to it: {second} right (the baseline: {first}).\n"


def _seed_words(protocol: Protocol) -> str:
    """The seed, and whether it was chosen: then somebody may have known the inputs."""
    word = {True: " (chosen)", False: " (drawn)", None: ""}[protocol.is_seed_chosen]
    return f"seed {protocol.seed}{word}"


def _below(run: Run) -> str:
    protocol, trust = run.protocol, trust_of(run.baseline.metrics, run.optimized.metrics)
    sessions = f"{protocol.sessions} sessions of " if protocol.sessions > 1 else ""
    backends = [run.baseline.backend, run.optimized.backend]
    return (
        "latency is the quiet time (the least of the session); typical: as it was.\n"
        f"{_fresh_words(run)}"
        f"95 % intervals over {sessions}{protocol.processes} processes x {protocol.copies} copies; "
        f"tier {protocol.tier}, {protocol.threads or 'unverified'} BLAS thread(s), {_seed_words(protocol)}; "
        f"{f'run by {backends[0]} and {backends[1]}; ' if all(backends) else ''}"
        f"trust {trust} ({trust.word}); run {run.id}"
    )
