"""The speedup by a referee's clock, and whether it can be ranked by it."""

from __future__ import annotations

from tinytorch.benchmarking.comparison import Comparison, Criteria, compare_latency
from tinytorch.benchmarking.records.outside import OutsideTimes
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Refereeing, Rules
from tinytorch.competition.scoring.scores import session_spread, surroundings
from tinytorch.units import NANOSECONDS_PER_MICROSECOND, format_share, three_digits


def speedup_outside(times: OutsideTimes, run: Run, rules: Rules) -> Comparison:
    """Baseline / optimized latency, with the interval over many sessions.

    How far the machine may have moved it is known from the run that was measured just before.
    """
    significance = rules.significance
    criteria = Criteria(significance.alpha, significance.typical_excess, session_spread(1, rules))
    return compare_latency(*times.latencies, criteria, surroundings(run, rules))


def too_short(times: OutsideTimes, rules: Refereeing) -> str:
    """Why asking takes too large a part for anything to follow, in words; empty where it does not."""
    share = times.asking_share
    if share <= rules.most_asking_share:
        return ""
    return f"asking takes {format_share(share)} of a request, and at most {format_share(rules.most_asking_share)} may"


def unranked(times: OutsideTimes, rules: Refereeing) -> str:
    """Why the speedup cannot be ranked by these times, in words; empty where it can."""
    least = min(latency.mean_ns for latency in times.latencies) / NANOSECONDS_PER_MICROSECOND
    if least < rules.least_latency_us:
        limit = three_digits(rules.least_latency_us)
        return f"an answer takes {three_digits(least)} us, and below {limit} us no clock outside tells enough"
    return too_short(times, rules)
