"""What would win most next, by event: what a constraint lacks or leaves unspent, or what was won least."""

from __future__ import annotations

from math import ceil

from tinytorch.benchmarking.records.metrics import Accuracy
from tinytorch.competition.record.submission import Scores
from tinytorch.competition.rules.events import ConstraintResult, Rules
from tinytorch.competition.scoring.eligibility import Eligibility
from tinytorch.units import three_digits

POINTS_WORTH_SPENDING = 0.01  # less is a few answers of a test set of some hundred


def advice(event: Eligibility, scores: Scores, accuracy: Accuracy | None, rules: Rules) -> str:
    """One sentence, from what was measured only; empty where nothing can be said."""
    missed = [constraint for constraint in event.constraints if constraint.satisfied is False]
    if missed:
        return "; ".join(_lacking(constraint, accuracy) for constraint in missed)
    if event.asked.ranked_by == "accuracy":
        return _answers_left(accuracy)
    margin = min((_margin(each) for each in event.constraints if each.metric == "accuracy"), default=0.0)
    if margin > POINTS_WORTH_SPENDING:
        gains = "scores higher" if event.asked.ranked_by == "compression_ratio" else "may be faster, too"
        return f"{100 * margin:.1f} points of accuracy are unspent: a smaller model {gains}"
    return _least(scores, accuracy, rules) if event.asked.ranked_by in ("all_around", "extreme_push") else ""


def _lacking(constraint: ConstraintResult, accuracy: Accuracy | None) -> str:
    """What it takes to satisfy a constraint."""
    value = constraint.value or 0.0
    if constraint.metric != "accuracy":
        return f"first {constraint.metric}: {three_digits(value / constraint.limit)} times the limit"
    missing = f"first accuracy: {100 * (constraint.limit - value):.1f} points"
    if accuracy is None or accuracy.total is None or accuracy.correct is None:
        return missing
    return f"{missing}, {ceil(constraint.limit * accuracy.total) - accuracy.correct} more right answers"


def _margin(constraint: ConstraintResult) -> float:
    return (constraint.value or 0.0) - constraint.limit


def _answers_left(accuracy: Accuracy | None) -> str:
    if accuracy is None or accuracy.total is None or accuracy.correct is None:
        return ""
    wrong = accuracy.total - accuracy.correct
    return f"{wrong} of {accuracy.total} answers are wrong" if wrong else "no answer is wrong"


def _least(scores: Scores, accuracy: Accuracy | None, rules: Rules) -> str:
    """Which part of a product was won least; of accuracy also how much there is left to win."""
    parts = {"speed": scores.speedup, "size": scores.compression_ratio, "accuracy": scores.accuracy_factor}
    known = {name: part for name, part in parts.items() if part is not None}
    if not known:
        return ""
    least = min(known, key=lambda name: known[name])
    shown = ", ".join(f"{name} {three_digits(part)}x" for name, part in known.items())
    if least != "accuracy" or accuracy is None:
        return f"least was won in {least} ({shown})"
    worth = rules.scoring.points_per_doubling
    more = f": {_points(worth)} more doubles its factor" if worth else ""
    return f"accuracy {'costs most' if known[least] < 1 else 'wins least'} ({shown}){more}"


def _points(count: float) -> str:
    return "one point" if count == 1 else f"{count:g} points"
