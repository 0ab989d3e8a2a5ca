"""Records to rich renderables. Nothing here prints, reads files or computes a statistic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.benchmarking.comparison import Comparison, Statistics
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Accuracy, Memory
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
    three_digits,
)
from tito.terminal.tables import Lines, table
from tito.views.verdict import memory_words, verdict_lines, worth
from tito.views.words import p_words, points_interval, share_with_interval, time_with_interval, times_interval

EXPLAIN = "tito olympics explain"
MARKS = {True: ("passed", "green"), False: ("failed", "red"), None: ("could not check", "yellow")}


def result(run: Run, event: str, rules: Rules | None = None) -> RenderableType:
    """The verdict, the table behind it, what it is worth, what speaks against it, and how it was measured."""
    judged_by = rules or load_rules()
    found = compared(run, judged_by)
    doubts = [Text(f"doubt: {doubt.evidence} -> {doubt.advice}", "yellow") for doubt in run.protocol.doubts or []]
    doubts += busy(run, found, judged_by)
    return Group(
        verdict_lines(run, found), Text(), _figures(run, found), Text(), worth(run, event, judged_by, found), *doubts,
        Text(_below(run), style="dim"),
    )  # fmt: skip


def _figures(run: Run, found: Statistics) -> RenderableType:
    """Baseline, optimized and change, each with its 95 % interval."""
    shown = table(None, "", "baseline", "optimized", "change", right=True)
    first, second = run.baseline.metrics, run.optimized.metrics
    shown.add_row("latency", _latency(first.latency), _latency(second.latency), _speedup(found.speedup))
    if first.latency and first.latency.typical_ns is not None:
        shown.add_row("typical", _typical(first.latency), _typical(second.latency), "", style="dim")
    sizes = (_memory(first.memory), _memory(second.memory), _compression(first.memory, second.memory))
    shown.add_row("memory", *sizes)
    shown.add_row("accuracy", _accuracy(first.accuracy), _accuracy(second.accuracy), _points(found.accuracy_delta))
    return shown


def busy(run: Measurement, found: Statistics, rules: Rules | None = None) -> list[Text]:
    """What the machine may have done to the speedup, in a sentence; nothing where that is little."""
    said, speedup = busy_words(run, found, rules or load_rules()), found.speedup
    if not said or speedup is None or speedup.ci_lower is None or speedup.ci_upper is None:
        return []
    bounds = times_interval(speedup.ci_lower, speedup.ci_upper)
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


def _latency(latency: Latency | None) -> Lines:
    if latency is None:
        return Lines(NOT_MEASURED)
    return Lines(*time_with_interval(latency.mean_ns, latency.ci_lower_ns, latency.ci_upper_ns))


def _typical(latency: Latency | None) -> Text:
    return Text("" if latency is None or latency.typical_ns is None else format_time(latency.typical_ns), "dim")


def _memory(memory: Memory | None) -> Lines:
    if memory is None:
        return Lines(NOT_MEASURED)
    size = format_size(memory.mean * BYTES_PER_MEGABYTE)
    if memory.unseen:
        return Lines(f"at least {size}", f"(not seen: {', '.join(memory.unseen)})")
    return Lines(size, "(exact)")


def _accuracy(accuracy: Accuracy | None) -> Lines:
    if accuracy is None:
        return Lines(NOT_MEASURED)
    return Lines(*share_with_interval(accuracy.mean, accuracy.ci_lower, accuracy.ci_upper))


def _speedup(comparison: Comparison | None) -> Lines:
    if comparison is None:
        return Lines(NOT_MEASURED)
    speed = f"{three_digits(comparison.estimate)}x speed"
    if comparison.ci_lower is None or comparison.ci_upper is None:
        return Lines(speed, f"({comparison.reason})")
    interval = times_interval(comparison.ci_lower, comparison.ci_upper)
    basis = "by typical times" if comparison.basis == "typical" else ""
    return Lines(speed, interval, p_words(comparison.p_value), basis)


def _compression(baseline: Memory | None, optimized: Memory | None) -> Lines:
    if baseline is None or optimized is None:
        return Lines(NOT_MEASURED)
    exact = "at least for what was seen" if baseline.unseen or optimized.unseen else "exact"
    counted = exact if optimized.mean else "nothing counts as 1 byte"
    return Lines(memory_words(baseline, optimized), f"({counted})")


def _points(comparison: Comparison | None) -> Lines:
    if comparison is None:
        return Lines(NOT_MEASURED)
    shown = f"{100 * comparison.estimate:+.1f} points"
    if comparison.ci_lower is None or comparison.ci_upper is None:
        return Lines(shown, f"({comparison.reason})")
    return Lines(shown, points_interval(comparison.ci_lower, comparison.ci_upper), p_words(comparison.p_value))


def _fresh_words(run: Run) -> str:
    """What became of inputs that nobody has seen; empty where none were asked about."""
    shares = [each.correct / each.total for each in (run.baseline.fresh_answers, run.optimized.fresh_answers) if each]
    if len(shares) < 2:
        return ""
    first, second = (format_share(share) for share in shares)
    count = run.optimized.fresh_answers.total if run.optimized.fresh_answers else 0
    return f"Of {count:,} inputs that nobody has seen before it answers {second} rightly (the baseline: {first}).\n"


def _seed_words(protocol: Protocol) -> str:
    """The seed, and whether it was chosen: then somebody may have known the inputs."""
    word = {True: " (chosen)", False: " (drawn)", None: ""}[protocol.is_seed_chosen]
    return f"seed {protocol.seed}{word}"


def _below(run: Run) -> str:
    protocol, trust = run.protocol, trust_of(run.baseline.metrics, run.optimized.metrics)
    sessions = f"{protocol.sessions} sessions of " if protocol.sessions > 1 else ""
    backends = [run.baseline.backend, run.optimized.backend]
    return (
        f"{_fresh_words(run)}"
        "Latency is the quiet time, what a call takes while the machine leaves it alone; typical is the usual time.\n"
        f"95 % intervals over {sessions}{protocol.processes} processes x {protocol.copies} copies; "
        f"tier {protocol.tier}, {protocol.threads or 'unverified'} BLAS thread(s), {_seed_words(protocol)}; "
        f"{f'run by {backends[0]} and {backends[1]}; ' if all(backends) else ''}"
        f"trust {trust} ({trust.word}); run {run.id}\n"
        f"What a word means: {EXPLAIN} WORD"
    )
