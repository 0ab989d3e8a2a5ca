"""The ranks that the data allow each entry: all pairs are tested, and who is shown to be better or worse is counted.

Mogstad, Romano, Shaikh & Wilhelm, "Inference for ranks with applications to mobility across neighbourhoods and academic
achievement across countries", Review of Economic Studies 2024: with tests of all pairs at a level of 5 % for all of
them together, all sets hold the true ranks in at least 95 of 100 rankings. A test simulates it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from tinytorch.benchmarking.statistics import Holm
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.pairs import Pairs, Values, pairs
from tinytorch.competition.rules.events import Rules

ROWS_AT_ONCE = 100  # of the matrix of all pairs


class RankSet(NamedTuple):
    """The first and last rank that the data allow, and the corrected p-value of the difference from the entry above."""

    first: int
    last: int
    p_value: float | None


def rank_sets(entries: Sequence[Figures], rules: Rules) -> list[RankSet]:
    """The set of each entry; they come in the order of their ranks, and something is shown of each.

    The first rank is one more than are shown to be better; as many as are shown to be worse lie below the last.
    """
    count = len(entries)
    every, triangle = _triangle(pairs(entries, rules), count)
    corrected = Holm.of(every)
    limit = corrected.largest_below(rules.significance.alpha)
    values = np.array([each.ranked_value for each in entries])
    better, worse = np.zeros(count, dtype=int), np.zeros(count, dtype=int)
    for number, p_values in enumerate(triangle):
        below = np.arange(number + 1, count)
        apart = below[p_values <= limit]
        is_ahead = values[number] > values[apart]
        worse[number] += is_ahead.sum()
        better[number] += apart.size - is_ahead.sum()
        better[apart] += is_ahead
        worse[apart] += ~is_ahead
    above = corrected.adjusted_of([p_values[0] for p_values in triangle if p_values.size])
    beside = [None, *above.tolist()]
    return list(map(RankSet, (better + 1).tolist(), (count - worse).tolist(), beside))


def _triangle(test: Pairs, count: int) -> tuple[Values, list[Values]]:
    """The p-values of all pairs, and the parts of them that are of each entry and those after it."""
    from threadpoolctl import threadpool_limits  # only where something is ranked

    every = np.empty(count * (count - 1) // 2)
    triangle = np.split(every, np.cumsum(np.arange(count - 1, 0, -1)))

    def fill(start: int) -> None:
        found = test(slice(start, start + ROWS_AT_ONCE), slice(start, count))
        for number, row in enumerate(found):
            triangle[start + number][:] = row[number + 1 :]

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:  # threads of our own
        list(pool.map(fill, range(0, count, ROWS_AT_ONCE)))
    return every, triangle
