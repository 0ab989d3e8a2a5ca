"""Answers to inputs that were made after a model: whether it computes, or knows the test set."""

from __future__ import annotations

from typing import NamedTuple

from tinytorch.benchmarking.records.metrics import ModelRecord
from tinytorch.benchmarking.statistics import at_most_by_chance
from tinytorch.competition.record.run import Measurement
from tinytorch.competition.rules.events import Rules
from tinytorch.units import format_share


class Answered(NamedTuple):
    """What a model had right: a share of the test set, and a number of new inputs."""

    known: float
    correct: int
    total: int

    @property
    def fresh(self) -> float:
        """The share of the new inputs."""
        return self.correct / self.total

    def __str__(self) -> str:
        """Both shares in words."""
        known, fresh = format_share(self.known), format_share(self.fresh)
        return f"{known} of the answers to the test set are right, and {fresh} of {self.total:,} to new inputs"


class Fresh(NamedTuple):
    """What the optimized model answered, and whether it knows the test set."""

    optimized: Answered
    knows_test_set: bool


def fresh_answers_of(run: Measurement, rules: Rules) -> Fresh | None:
    """How the optimized model answered new inputs; None where not both models were asked.

    It may lose there what the baseline loses, and `fresh_accuracy_drop` more; how likely so few right answers are then,
    the binomial distribution says.
    """
    first, second = _answered(run.baseline), _answered(run.optimized)
    if first is None or second is None:
        return None
    limits = rules.plausibility
    expected = max(0.0, second.known - max(0.0, first.known - first.fresh) - limits.fresh_accuracy_drop)
    chance = at_most_by_chance(second.correct, second.total, expected)
    return Fresh(second, chance < limits.fresh_accuracy_chance)


def _answered(model: ModelRecord) -> Answered | None:
    accuracy, fresh = model.metrics.accuracy, model.fresh_answers
    return Answered(accuracy.mean, fresh.correct, fresh.total) if accuracy and fresh else None
