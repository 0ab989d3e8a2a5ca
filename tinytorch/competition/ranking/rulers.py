"""How two submissions to one event are told apart: exactly by bytes, sample by sample, or by times of two sessions.

A ruler holds the values of all submissions of one ranking (the higher the better) and tests them against a leader.
Every submission is a session of its own, so that its times have the spread from session to session beside their error.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.comparison import UNDISTURBED
from tinytorch.benchmarking.statistics import mcnemar_p_values, mean_estimate, welch_p_values
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.record.run import TaskRecord
from tinytorch.competition.rules.events import Ranked, Rules
from tinytorch.competition.scoring.disturbance import floor
from tinytorch.competition.scoring.scores import POINTS

Values = NDArray[np.float64]
Indices = NDArray[np.int64]

HALF_SAMPLE = 0.5


class Ruler(ABC):
    """The submissions of one ranking, on one scale."""

    values: Values

    @abstractmethod
    def p_values(self, leader: int, others: Indices) -> Values:
        """For each of the others: how likely it lies so far from the leader by chance; 1.0 where nothing is known."""


class Counted:
    """By sizes in bytes, which have no error: what differs at all is told apart, and there is nothing to test."""

    def __init__(self, entries: Sequence[Figures]) -> None:
        self.values: Values = np.array([float(_compression(each)) for each in entries])


class Answered(Ruler):
    """By accuracy: McNemar's exact test over the answers of both to the same test samples."""

    def __init__(self, entries: Sequence[Figures]) -> None:
        self.values = np.array([each.ranked_value for each in entries])
        self._known = np.array([each.bitmaps is not None for each in entries])
        self._right = np.stack([_answers(each)[1] for each in entries])

    def p_values(self, leader: int, others: Indices) -> Values:
        mine, theirs = self._right[leader], self._right[others]
        found = mcnemar_p_values((mine & ~theirs).sum(axis=1), (theirs & ~mine).sum(axis=1))
        return np.where(self._known[others] & self._known[leader], found, 1.0)


class Timed(Ruler):
    """By a score with a time in it, on the log scale: Welch's test, with the spread of both sessions added.

    A lead is shortened first by what the machines of both may have done for it. Who says that his own was slow gains no
    more by it than a machine that nobody knows is worth.
    Where errors count, the test samples that both have answered add to the variance; sizes are exact.
    """

    def __init__(self, entries: Sequence[Figures], ranked: Ranked, rules: Rules) -> None:
        self.values = np.log([each.ranked_value for each in entries])
        self._power = 1 / 3 if ranked == "all_around" else 1.0
        estimates = [mean_estimate(each.log_ratios) if each.log_ratios else None for each in entries]
        errors = [math.nan if each is None else each.standard_error or math.nan for each in estimates]
        self._variance = np.square(errors)
        self._degrees = np.array([each.units - 1 if each else 1 for each in estimates], dtype=float)
        self._known = np.square([each.session_spread for each in entries])
        moved = [each.moved or UNDISTURBED for each in entries]
        most = [_most_up(each, rules) for each in entries]
        self._down, self._up = np.array([each.down for each in moved]), np.minimum([each.up for each in moved], most)
        self._errors = Errors(entries, rules) if ranked == "all_around" else None

    def p_values(self, leader: int, others: Indices) -> Values:
        parts = [(self._variance[others], self._degrees[others]), (self._variance[leader], self._degrees[leader])]
        if self._errors:
            parts.append((self._errors.variances(leader, others), self._errors.degrees))
        known = self._known[others] + self._known[leader]
        leads = (self.values[leader] - self.values[others]) / self._power
        down, up = self._down[leader] + self._up[others], self._up[leader] + self._down[others]
        left = np.where(leads > 0, np.maximum(0.0, leads - down), np.minimum(0.0, leads + up))
        return welch_p_values(left, parts, known)


def _most_up(entry: Figures, rules: Rules) -> float:
    """How far the slow machine of an entry may at most count against others, on the log scale."""
    return floor(entry.task.name if entry.task else None, 0, rules.disturbance) if rules.disturbance else 0.0


class Errors:
    """How much of a difference between two ln(accuracy factor)s is the choice of test samples (the delta method).

    A model with few errors or none has hardly any variance to show, so that half a sample is added to each count where
    the two differ (as Agresti & Min, Statistics in Medicine 2005, add it to each cell). Without it somebody would be
    told from ten equal models with 1 % of errors in one of four rankings of 360 test samples (simulated).
    """

    def __init__(self, entries: Sequence[Figures], rules: Rules) -> None:
        self._wrong = ~np.stack([_answers(each) for each in entries])  # [entry, baseline or optimized, test sample]
        samples = self._wrong.shape[2]
        self.degrees = samples - 1
        weights = _slopes(self._wrong.mean(axis=2), entries[0].task, rules)
        weights[[each.bitmaps is None for each in entries]] = np.nan
        self._influences = self._wrong[:, 0] * weights[:, :1] - self._wrong[:, 1] * weights[:, 1:]
        self._half_samples = HALF_SAMPLE * np.square(weights / samples)

    def variances(self, leader: int, others: Indices) -> Values:
        """Of the difference of each of the others from the leader; NaN where the answers of one are not known."""
        differences = self._influences[others] - self._influences[leader]
        differ = (self._wrong[others] != self._wrong[leader]).any(axis=2)
        halves = (self._half_samples[others] + self._half_samples[leader]) * differ
        found: Values = differences.var(axis=1, ddof=1) / (self.degrees + 1) + halves.sum(axis=1)
        return found


def _slopes(wrong: Values, task: TaskRecord | None, rules: Rules) -> Values:
    """How fast ln(accuracy factor) changes with the shares (N, 2) of wrong answers of baseline and optimized model."""
    scoring = rules.scoring
    if scoring.points_per_doubling is None:
        return 1 / (wrong + (scoring.error_ratio_smoothing or 0.0))
    from_baseline = task is None or task.name not in rules.reference_accuracy
    slope = math.log(2) * POINTS / scoring.points_per_doubling
    return np.broadcast_to([slope * from_baseline, slope], wrong.shape).copy()


def ruler(entries: Sequence[Figures], ranked: Ranked, rules: Rules) -> Ruler | Counted:
    """The ruler of what an event ranks by, over entries that all have a value."""
    if ranked == "compression_ratio":
        return Counted(entries)
    if ranked == "accuracy":
        return Answered(entries)
    return Timed(entries, ranked, rules)


def _compression(entry: Figures) -> Fraction:
    """Exactly where bytes were counted, so that equal ratios of other sizes are equal; given by hand, as it is."""
    return Fraction(*entry.sizes_bytes) if entry.sizes_bytes else Fraction(entry.ranked_value)


def _answers(entry: Figures) -> NDArray[np.bool_]:
    """[2, test samples]: what the baseline and the optimized model have right; all False where it is not known."""
    samples = entry.task.test_samples if entry.task else 0
    if entry.bitmaps is None:
        return np.zeros((2, samples), dtype=bool)
    rows = [np.unpackbits(np.frombuffer(bytes.fromhex(each), dtype=np.uint8), count=samples) for each in entry.bitmaps]
    return np.stack(rows).astype(bool)
