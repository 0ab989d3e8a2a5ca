"""Checks that measurements look measured: warnings, each with its numbers. They accuse nobody; they ask."""

from __future__ import annotations

from itertools import chain
from statistics import median

from tinytorch import units
from tinytorch.benchmarking.samples import Latency
from tinytorch.competition.consistency import Case
from tinytorch.competition.findings import Outcome, failed, passed, unknown

NO_SAMPLES = "no raw latency samples"
MEASURE_AGAIN = "measure again with tito olympics benchmark"


def varying_times(case: Case) -> Outcome:
    """Timed samples are never all equal."""
    samples = _raw_samples(case)
    if not samples:
        return unknown(NO_SAMPLES)
    frozen = [role for role, times in samples.items() if len(times) > 1 and len(set(times)) == 1]
    if frozen:
        role = frozen[0]
        count, time = len(samples[role]), units.format_time(samples[role][0])
        return failed(f"all {count} latency samples of {' and '.join(frozen)} are equal ({time})", MEASURE_AGAIN)
    return passed("the latency samples vary")


def independent_times(case: Case) -> Outcome:
    """The optimized model's samples are not the baseline's times a constant."""
    samples = _raw_samples(case)
    if len(samples) < 2 or len(samples["baseline"]) != len(samples["optimized"]):
        return unknown("no raw latency samples of both models to set side by side")
    baseline, optimized = samples["baseline"], samples["optimized"]
    if len(set(baseline)) < 3:
        return unknown("too few different samples to tell")
    factor = sum(optimized) / sum(baseline)
    distance = max(abs(b - factor * a) for a, b in zip(baseline, optimized, strict=True))
    if distance <= case.rules.plausibility.scaled_copy_tolerance_ns + 0.5 * factor:
        reason = f"all {len(baseline)} optimized samples are the baseline's x {factor:.6g}, within {distance:.2g} ns"
        return failed(reason, MEASURE_AGAIN)
    return passed("the two models' samples are independent")


def clock_floor(case: Case) -> Outcome:
    """Samples last long enough for their clock to time them."""
    protocol, samples = case.submission.protocol, _raw_samples(case)
    if protocol is None or not samples:
        return unknown(NO_SAMPLES)
    floor = case.rules.plausibility.clock_ticks * max(1, protocol.clock_resolution_ns)
    short = {role: time for role, times in samples.items() if (time := median(times)) < floor}
    if short:
        shown = ", ".join(f"{role} {units.format_time(time)}" for role, time in short.items())
        return failed(f"samples too short for the clock: {shown}, it needs {units.format_time(floor)}", MEASURE_AGAIN)
    return passed(f"samples last longer than {units.format_time(floor)}")


def clock_span(case: Case) -> Outcome:
    """The samples fit into the time between start and end of the run."""
    protocol, samples = case.submission.protocol, _raw_samples(case)
    if protocol is None or not samples:
        return unknown(NO_SAMPLES)
    span = (protocol.ended_at - protocol.started_at).total_seconds() * 1e9
    roles = [role for role in samples if role == "optimized" or _one_session(case)]
    timed = sum(sum(samples[role]) for role in roles)
    if timed > span:
        shown = f"{units.format_time(timed)} of samples in a run of {units.format_time(span)}"
        return failed(f"more was timed than there was time: {shown}", MEASURE_AGAIN)
    return passed(f"{units.format_time(timed)} of samples in a run of {units.format_time(span)}")


def ratios_agree(case: Case) -> Outcome:
    """The paired speedup and the ratio of the mean times tell about the same."""
    baseline, optimized = case.baseline.latency, case.optimized.latency
    speedup = case.statistics.speedup
    if baseline is None or optimized is None or speedup is None or speedup.log_ratios is None:
        return unknown("no paired latency samples")
    plain = baseline.mean / optimized.mean
    factor = max(plain / speedup.estimate, speedup.estimate / plain)
    shown = f"paired speedup {speedup.estimate:.3g}, ratio of the mean times {plain:.3g}"
    if factor > case.rules.plausibility.ratio_disagreement:
        return failed(f"{shown}: they differ by a factor of {factor:.3g}", MEASURE_AGAIN)
    return passed(shown)


def accuracy_gain(case: Case) -> Outcome:
    """In the closed division accuracy hardly rises above what the test set can tell from the baseline's."""
    if case.submission.division == "open":
        return passed("the open division may gain any accuracy")
    baseline, optimized = case.baseline.accuracy, case.optimized.accuracy
    if baseline is None or optimized is None or baseline.ci_upper is None:
        return unknown("no interval of the baseline's accuracy")
    shown = f"{optimized.mean:.2%} after {baseline.mean:.2%}, whose interval ends at {baseline.ci_upper:.2%}"
    if optimized.mean > baseline.ci_upper:
        return failed(f"accuracy rose to {shown}", "make sure that no test sample was trained on, and say what did it")
    return passed(f"accuracy is {shown}")


def _raw_samples(case: Case) -> dict[str, list[int]]:
    """All latency samples of each model that has any, in the order they are stored."""
    latencies = {role: metrics.latency for role, metrics in case.models.items()}
    return {role: _flat(latency) for role, latency in latencies.items() if latency and latency.samples_ns}


def _flat(latency: Latency) -> list[int]:
    return [sample for blocks in latency.samples_ns or [] for sample in chain.from_iterable(blocks)]


def _one_session(case: Case) -> bool:
    sessions = {metrics.latency.session for metrics in case.models.values() if metrics.latency}
    return len(sessions) == 1 and None not in sessions
