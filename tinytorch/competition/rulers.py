"""How two submissions to one event are told apart: exactly by bytes, sample by sample, or by times of two sessions.

A ruler holds the values of all submissions of one ranking (the higher the better) and says how sure it is that some are
not as good as a leader. Every submission is a session of its own, so that its times have the spread from session to
session beside their own error.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.statistics import mcnemar_p_values, mean_estimate, welch_p_values
from tinytorch.competition.events import Ranking, Rules
from tinytorch.competition.figures import Figures

Values = NDArray[np.float64]
Indices = NDArray[np.int64]


class Ruler(ABC):
    """The submissions of one ranking, on one scale."""

    values: Values

    @abstractmethod
    def p_values(self, leader: int, others: Indices) -> Values:
        """For each of the others: how likely it lies so far from the leader by chance; 1.0 where nothing is known."""


class Counted(Ruler):
    """By sizes in bytes, which have no error: what differs at all is told apart."""

    def __init__(self, entries: Sequence[Figures]) -> None:
        self.values = np.array([float(_compression(each)) for each in entries])

    def p_values(self, leader: int, others: Indices) -> Values:
        return np.where(self.values[others] == self.values[leader], 1.0, 0.0)


class Answered(Ruler):
    """By accuracy: McNemar's exact test over the answers of both to the same test samples."""

    def __init__(self, entries: Sequence[Figures]) -> None:
        self.values = np.array([each.value for each in entries], dtype=float)
        self._known = np.array([each.bitmaps is not None for each in entries])
        self._right = np.stack([_answers(each)[1] for each in entries])

    def p_values(self, leader: int, others: Indices) -> Values:
        mine, theirs = self._right[leader], self._right[others]
        found = mcnemar_p_values((mine & ~theirs).sum(axis=1), (theirs & ~mine).sum(axis=1))
        return np.where(self._known[others] & self._known[leader], found, 1.0)


class Timed(Ruler):
    """By a score with a time in it, on the log scale: Welch's test, with the spread of both sessions added.

    Errors enter through the test samples that both have answered, by their influence on ln(error ratio) (the delta
    method); sizes are exact.
    """

    def __init__(self, entries: Sequence[Figures], ranked: Ranking, smoothing: float) -> None:
        self.values = np.log([each.value or math.nan for each in entries])
        self._power = 1 / 3 if ranked == "all_around" else 1.0
        estimates = [mean_estimate(each.log_ratios) if each.log_ratios else None for each in entries]
        errors = [math.nan if each is None else each.standard_error or math.nan for each in estimates]
        self._variance = self._power**2 * np.square(errors)
        self._degrees = np.array([each.units - 1 if each else 1 for each in estimates], dtype=float)
        self._known = self._power**2 * np.square([each.session_spread for each in entries])
        counts = ranked == "all_around"
        self._influence = np.stack([_influence(each, smoothing) for each in entries]) * self._power if counts else None

    def p_values(self, leader: int, others: Indices) -> Values:
        times = [(self._variance[others], self._degrees[others]), (self._variance[leader], self._degrees[leader])]
        known = self._known[others] + self._known[leader]
        return welch_p_values(
            self.values[leader] - self.values[others], [*times, *self._answers(leader, others)], known
        )

    def _answers(self, leader: int, others: Indices) -> list[tuple[Values, int]]:
        """The variance that comes from the test samples, where errors count."""
        if self._influence is None:
            return []
        samples = self._influence.shape[1]
        differences = self._influence[others] - self._influence[leader]
        return [(differences.var(axis=1, ddof=1) / samples, samples - 1)]


def ruler(entries: Sequence[Figures], ranked: Ranking, rules: Rules) -> Ruler:
    """The ruler of what an event ranks by, over entries that all have a value."""
    if ranked == "compression_ratio":
        return Counted(entries)
    if ranked == "accuracy":
        return Answered(entries)
    return Timed(entries, ranked, rules.scoring.error_ratio_smoothing)


def _compression(entry: Figures) -> Fraction:
    """Exactly where bytes were counted, so that equal ratios of other sizes are equal; given by hand, as it is."""
    return Fraction(*entry.kept_bytes) if entry.kept_bytes else Fraction(entry.value or 0)


def _answers(entry: Figures) -> NDArray[np.bool_]:
    """[2, test samples]: what the baseline and the optimized model have right; all False where it is not known."""
    samples = entry.task.test_samples if entry.task else 0
    if entry.bitmaps is None:
        return np.zeros((2, samples), dtype=bool)
    rows = [np.unpackbits(np.frombuffer(bytes.fromhex(each), dtype=np.uint8), count=samples) for each in entry.bitmaps]
    return np.stack(rows).astype(bool)


def _influence(entry: Figures, smoothing: float) -> Values:
    """[test samples]: how far each moves ln of (baseline errors + s) / (errors + s); NaN where that is not known."""
    wrong = ~_answers(entry)
    shares = wrong.mean(axis=1) + smoothing
    return np.where(entry.bitmaps is None, np.nan, wrong[0] / shares[0] - wrong[1] / shares[1])
