"""Many tests at once, corrected for their number, whatever that is: p-values are counted on a grid, and not kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytorch.benchmarking.statistics import Floats

Numbers = NDArray[np.int64]

LEAST = 2.0**-64
STEP_BITS = 42  # of the 52 behind a float's point: 1,024 steps from one power of two to the next
_FIRST = int(np.float64(LEAST).view(np.int64))
GRID_SIZE = (int(np.float64(1.0).view(np.int64)) - _FIRST >> STEP_BITS) + 1


def grid_numbers(p_values: ArrayLike) -> Numbers:
    """The numbers of p-values on a grid of 1,024 to each halving, so that millions are counted instead of kept.

    Each is rounded up, by less than 1 in 1,000; what is not above 2^-64 counts as 0.
    """
    known = np.clip(np.asarray(p_values, dtype=np.float64), LEAST, 1.0)
    return -((_FIRST - known.view(np.int64)) >> STEP_BITS)


@dataclass(frozen=True)
class Holm:
    """Many tests at once, corrected for their number: Holm, Scandinavian Journal of Statistics 1979.

    The chance that any test finds what is not there stays below the level, however the tests depend on one another.
    P-values are told by their `grid_numbers`.
    """

    counts: Numbers  # of the tests with each number
    adjusted: Floats  # the corrected p-value of each number

    @classmethod
    def of(cls, counts: Numbers) -> Self:
        """The correction for so many tests with each number: those from it on times its p-value, and never less."""
        steps = np.where(counts > 0, counts[::-1].cumsum()[::-1] * _grid(), 0.0)
        return cls(counts, np.minimum(1.0, np.maximum.accumulate(steps)))

    @classmethod
    def counted(cls, numbers: Numbers) -> Numbers:
        """How many tests have each number; such counts add up."""
        return np.bincount(numbers, minlength=GRID_SIZE)

    def adjusted_of(self, numbers: Numbers) -> Floats:
        """The corrected p-values of some of the tests."""
        return self.adjusted[numbers]

    def largest_below(self, alpha: float) -> int:
        """The largest number that counts at this level; -1 where none does."""
        found = np.flatnonzero((self.counts > 0) & (self.adjusted < alpha))
        return int(found[-1]) if found.size else -1


@cache
def _grid() -> Floats:
    """The p-value of each number."""
    values = ((np.arange(GRID_SIZE) << STEP_BITS) + _FIRST).view(np.float64)
    values[0] = 0.0
    return values
