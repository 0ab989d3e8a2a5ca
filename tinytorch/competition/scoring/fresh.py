"""Answers to inputs that were made after a model: whether it computes, or knows the test set."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tinytorch.benchmarking.records.metrics import FreshAnswers, ModelRecord
from tinytorch.benchmarking.statistics import at_most_by_chance, normal_above
from tinytorch.competition.record.run import Measurement
from tinytorch.competition.rules.events import Rules
from tinytorch.units import format_share


class Answered(NamedTuple):
    """What a model had right: of the test set a share, and which answers where that is known; and of new inputs."""

    known: float
    right: list[bool] | None
    new: FreshAnswers

    @property
    def fresh(self) -> float:
        """The share of the new inputs."""
        return self.new.correct / self.new.total

    def __str__(self) -> str:
        """Both shares in words."""
        known, fresh = format_share(self.known), format_share(self.fresh)
        return f"{known} of the answers to the test set are right, and {fresh} of {self.new.total:,} to new inputs"


class Fresh(NamedTuple):
    """What the optimized model answered, and whether it knows the test set."""

    optimized: Answered
    knows_test_set: bool


def fresh_answers_of(run: Measurement, rules: Rules) -> Fresh | None:
    """How the optimized model answered new inputs; None where not both models were asked.

    It may lose there what the baseline loses, and `fresh_accuracy_drop` more. What it wins over the baseline, answer by
    answer, it must win there, too, but for `fresh_accuracy_gain`: a table of answers beside a good model wins nothing.
    What is left to chance, the rules say.
    """
    first, second = _answered(run.baseline), _answered(run.optimized)
    if first is None or second is None:
        return None
    chance = rules.plausibility.fresh_accuracy_chance
    return Fresh(second, min(_chance_of_loss(first, second, rules), _chance_of_gain(first, second, rules)) < chance)


def _chance_of_loss(first: Answered, second: Answered, rules: Rules) -> float:
    """How likely so few right answers to new inputs are, of a model that loses what it may (binomial distribution)."""
    drop = max(0.0, first.known - first.fresh) + rules.plausibility.fresh_accuracy_drop
    return at_most_by_chance(second.new.correct, second.new.total, max(0.0, second.known - drop))


def _chance_of_gain(first: Answered, second: Answered, rules: Rules) -> float:
    """How likely the test set alone shows so much more of a gain than new inputs do (normal approximation)."""
    if first.right is None or second.right is None or len(first.right) != len(second.right):
        return 1.0
    if first.new.total != second.new.total:
        return 1.0
    pairs = ((first.right, second.right), (first.new.right(), second.new.right()))
    gains = [np.asarray(after, float) - np.asarray(before, float) for before, after in pairs]
    on_test, on_new = (float(gain.mean()) for gain in gains)
    if on_test <= 0:
        return 1.0
    error = math.sqrt(sum(float(gain.var()) / len(gain) for gain in gains))
    excess = on_test - on_new - rules.plausibility.fresh_accuracy_gain
    return normal_above(excess / error) if error else float(excess <= 0)


def _answered(model: ModelRecord) -> Answered | None:
    accuracy, fresh = model.metrics.accuracy, model.fresh_answers
    return Answered(accuracy.mean, accuracy.right(), fresh) if accuracy and fresh else None
