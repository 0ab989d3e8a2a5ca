"""Whether what was claimed agrees with what a re-run of the same entry showed: not yes or no, but how far.

Speedups of two sessions are compared as `contrast` does it, on the log scale: within both errors, the spread from
session to session of both, what their machines may have moved either by, and what machines of one class differ by.
"""

from __future__ import annotations

from typing import Literal

from scipy.special import bdtr

from tinytorch.benchmarking.comparison import UNDISTURBED, Comparison
from tinytorch.benchmarking.records.record import Record, Text
from tinytorch.benchmarking.statistics import mean_estimate, moved_to_zero, welch_p_values
from tinytorch.competition.record.run import Measurement, Run
from tinytorch.competition.rules.events import Rules, Verifying
from tinytorch.competition.scoring.scores import compared, session_spread

Judgement = Literal["compatible", "differs", "far above", "cannot say"]
CLASS = ("cpu_model", "logical_cores")
"""What two machines of one class have in common; a ratio is not the same on another kind."""


class Agreement(Record):
    """One figure as it was claimed and as the re-run showed it: a ratio, MB, or a share.

    `p_value` is the chance of so large a difference between two that agree; None where the figures are exact, or
    nothing could be compared.
    """

    figure: Literal["speedup", "memory", "accuracy"]
    judgement: Judgement
    claimed: float | None = None
    claimed_interval: tuple[float, float] | None = None
    here: float | None = None
    here_interval: tuple[float, float] | None = None
    p_value: float | None = None
    reason: Text | None = None


def agreements(claimed: Measurement, here: Run, rules: Rules) -> list[Agreement]:
    """Of speedup, memory and accuracy, in this order."""
    return [_speedup(claimed, here, rules), _memory(claimed, here), _accuracy(claimed, here, rules.verifying)]


def _speedup(claimed: Measurement, here: Run, rules: Rules) -> Agreement:
    one, two = compared(claimed, rules).speedup, compared(here, rules).speedup
    found = Agreement(
        figure="speedup", judgement="cannot say",
        claimed=one.estimate if one else None, claimed_interval=_interval(one),
        here=two.estimate if two else None, here_interval=_interval(two),
    )  # fmt: skip
    if reason := _other_class(claimed, here):
        return found.model_copy(update={"reason": reason})
    if one is None or two is None or two.ci_upper is None or not one.log_ratios or not two.log_ratios:
        return found.model_copy(update={"reason": "one of the two has no paired samples, or too few"})
    p_value = difference_p_value(one, two, _known_variance(claimed, here, rules))
    if one.estimate > rules.verifying.claim_excess * two.ci_upper:
        judgement: Judgement = "far above"
    else:
        judgement = "differs" if p_value < rules.significance.alpha else "compatible"
    return found.model_copy(update={"judgement": judgement, "p_value": p_value})


def _known_variance(claimed: Measurement, here: Run, rules: Rules) -> float:
    """Of both sessions and of the two machines: what neither session can have seen."""
    sessions = claimed.protocol.sessions if claimed.protocol else 1
    spreads = (session_spread(sessions, rules), session_spread(here.protocol.sessions, rules))
    return sum(each**2 for each in (*spreads, rules.verifying.machine_spread))


def difference_p_value(claimed: Comparison, here: Comparison, known: float) -> float:
    """The chance of so large a difference between two speedups that are the same, with the variance that is `known`.

    Of what is left of it without what the machines may have moved it by.
    """
    one, two = mean_estimate(claimed.log_ratios or []), mean_estimate(here.log_ratios or [])
    before, after = claimed.disturbance or UNDISTURBED, here.disturbance or UNDISTURBED
    left = moved_to_zero(one.mean - two.mean, before.down + after.up, before.up + after.down)
    errors = [((each.standard_error or 0.0) ** 2, max(1, each.units - 1)) for each in (one, two)]
    return float(welch_p_values(left, errors, known))


def _other_class(claimed: Measurement, here: Run) -> str:
    """Why two ratios cannot be compared, in words; empty where they can."""
    info = claimed.system_info
    if info is None:
        return "the submission does not say what machine it was measured on"
    for name in CLASS:
        first, second = getattr(info, name), getattr(here.system_info, name)
        if first != second:
            return f"another class of machine: {name} {first} there, {second} here"
    backends = [(claimed.baseline.backend, here.baseline.backend), (claimed.optimized.backend, here.optimized.backend)]
    for first, second in backends:
        if first != second:
            return f"another installation: {first} ran the model there, {second} here"
    return ""


def _memory(claimed: Measurement, here: Run) -> Agreement:
    """Counted in bytes, and so equal or not."""
    one, two = claimed.optimized.metrics.memory, here.optimized.metrics.memory
    found = Agreement(figure="memory", judgement="cannot say", claimed=one.mean if one else None,
                      here=two.mean if two else None)  # fmt: skip
    if one is None or two is None or one.size_bytes is None or two.size_bytes is None:
        return found.model_copy(update={"reason": "it was not counted in both"})
    return found.model_copy(update={"judgement": "compatible" if one.size_bytes == two.size_bytes else "differs"})


def _accuracy(claimed: Measurement, here: Run, rules: Verifying) -> Agreement:
    """By the exact binomial chance of so few right answers, where each is right as often as was claimed.

    A claim of no wrong answer at all is taken for one in a test set that is larger by one sample: otherwise a single
    wrong answer could not happen by any chance.
    """
    one, two = claimed.optimized.metrics.accuracy, here.optimized.metrics.accuracy
    found = Agreement(figure="accuracy", judgement="cannot say", claimed=one.mean if one else None,
                      here=two.mean if two else None)  # fmt: skip
    if one is None or two is None or two.correct is None or two.total is None:
        return found.model_copy(update={"reason": "it was not measured in both"})
    share = min(one.mean, two.total / (two.total + 1))
    p_value = float(bdtr(two.correct, two.total, share))
    judgement: Judgement = "differs" if p_value < rules.accuracy_chance else "compatible"
    return found.model_copy(update={"judgement": judgement, "p_value": min(1.0, max(0.0, p_value))})


def _interval(found: Comparison | None) -> tuple[float, float] | None:
    if found is None or found.ci_lower is None or found.ci_upper is None:
        return None
    return found.ci_lower, found.ci_upper
