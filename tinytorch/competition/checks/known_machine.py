"""Whether what a run says of its machine, beside both models, can be so."""

from __future__ import annotations

from datetime import timedelta
from math import log

from tinytorch.benchmarking.records.samples import read_samples
from tinytorch.benchmarking.records.session import YARDSTICKS, Protocol, ReferenceTimes, YardstickTimes
from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Outcome, check, failed, passed, unknown
from tinytorch.competition.scoring.disturbance import clock_hour, machine_key, quiet_times
from tinytorch.showing import safe_text
from tinytorch.units import format_time

HOUR = timedelta(hours=1)
MOST_ABOVE = log(2)  # how far, on the log scale, the best that was known may lie above a run's own time


@check
def known_machine(case: Case) -> Outcome:
    protocol = case.run.protocol
    if protocol is None or "optimized" not in case.in_protocol:
        return unknown("no latency was measured")
    if protocol.yardstick is None:
        message = "no yardstick was timed beside the models"
        return failed(message) if case.knows("3.3") else unknown(f"{message}, before schema 3.3")
    wrong = _fault_of_yardstick(protocol, protocol.yardstick)
    if not wrong and protocol.reference is not None:
        wrong = _fault_of_reference(case, protocol, protocol.yardstick, protocol.reference)
    return failed(wrong) if wrong else passed("the yardstick and what was known of the machine fit the run")


def _fault_of_yardstick(protocol: Protocol, yardstick: YardstickTimes) -> str:
    """What is wrong with its times, in words."""
    if yardstick.version not in YARDSTICKS:
        return f"there is no version {yardstick.version} of the yardstick"
    calls, timed = YARDSTICKS[yardstick.version]
    expected = (protocol.sessions * protocol.processes * protocol.copies, protocol.visits, timed)
    if yardstick.calls_per_sample != calls or read_samples(yardstick.samples_ns).shape != expected:
        return f"the yardstick's samples are not {expected} of {calls} calls each, as the protocol says"
    return ""


def _fault_of_reference(case: Case, protocol: Protocol, yardstick: YardstickTimes, known: ReferenceTimes) -> str:
    """What is wrong with the times that were known before, in words."""
    info, digest = case.run.system_info, case.run.baseline.artifact_sha256
    if info is None or digest is None:
        return "it has times of a machine, or of a baseline, that is not named"
    key = machine_key(info, protocol.clock, yardstick.version, digest)
    if known.key != key:
        return f"the machine's times are of another machine or baseline: {safe_text(known.key[:8])}, not {key[:8]}"
    own = quiet_times(case.run)
    if own and own.best and min(own.baseline) < own.best.baseline - MOST_ABOVE:
        return f"at best the baseline took {format_time(known.baseline_ns)}, and this run took less than half of it"
    if not known.since <= known.until <= clock_hour(protocol.started_at):
        return "the machine's times were not taken in this order, and before the run"
    if known.hours > (known.until - known.since) // HOUR + 1:
        return f"there are no {known.hours} clock hours between {known.since:%Y-%m-%d %H:%M} and {known.until:%H:%M}"
    return ""


CHECKS: tuple[Check[Case], ...] = (known_machine,)
