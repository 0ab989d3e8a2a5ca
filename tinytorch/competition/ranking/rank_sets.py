"""The ranks that the data allow each entry: all pairs are tested, and who is shown to be better or worse is counted.

Mogstad, Romano, Shaikh & Wilhelm, "Inference for ranks with applications to mobility across neighbourhoods and academic
achievement across countries", Review of Economic Studies 2024: with tests of all pairs at a level of 5 % for all of
them together, all sets hold the true ranks in at least 95 of 100 rankings. A test simulates it.

Of 20,000 entries there are 200 million pairs, so that they are tested in tiles, and none of their p-values is kept.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from threading import Lock
from typing import NamedTuple

import numpy as np

from tinytorch.benchmarking.holm import GRID_SIZE, Holm, Numbers, grid_numbers
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.pairs import Pairs, Values, pairs
from tinytorch.competition.rules.events import Rules

TILE = 500  # entries: arrays of so many squared stay near to a core


class RankSet(NamedTuple):
    """The first and last rank that the data allow, and the corrected p-value of the difference from the entry above."""

    first: int
    last: int
    p_value: float | None


Sets = Callable[[Sequence[Figures], Rules], list[RankSet]]  # as `rank_sets` gives them


class Tile(NamedTuple):
    """Some rows of the matrix of all pairs, and some columns that are not before them."""

    rows: slice
    columns: slice

    def pairs(self, matrix: Numbers) -> Numbers:
        """Those of its numbers that belong to a pair, each once."""
        return matrix[np.triu_indices_from(matrix, 1)] if self.rows == self.columns else matrix.ravel()


class Tested(NamedTuple):
    """What the tests of a tile gave: the least number and the largest, and those of neighbours."""

    least: int
    largest: int
    beside: Numbers


class Shown(NamedTuple):
    """How many of a tile are shown to be better than each of some entries, and how many to be worse."""

    entries: slice
    better: Numbers
    worse: Numbers


@dataclass(frozen=True)
class AllPairs:
    """The tests of all pairs of entries that have these values."""

    test: Pairs
    values: Values

    def tiles(self) -> list[Tile]:
        """All pairs, a tile at a time; of each row its own and the next column come in that order."""
        parts = [slice(start, start + TILE) for start in range(0, len(self.values), TILE)]
        return [Tile(rows, columns) for number, rows in enumerate(parts) for columns in parts[number:]]

    def tested(self, tile: Tile) -> tuple[Numbers, Tested]:
        """How many tests have each number, and what they gave."""
        matrix = grid_numbers(self.test(*tile))
        found = tile.pairs(matrix)
        least, largest = (int(found.min()), int(found.max())) if found.size else (0, -1)
        beside = np.diagonal(matrix, tile.rows.start + 1 - tile.columns.start).copy()  # a view would keep the matrix
        return Holm.counted(found), Tested(least, largest, beside)

    def shown(self, limit: int, tile: Tile, tested: Tested) -> list[Shown]:
        """Who is shown to be better than whom: of rows, and of columns. Most tiles need no second look for it."""
        if tested.least > limit:
            return []
        ahead = np.sign(np.subtract.outer(self.values[tile.rows], self.values[tile.columns]))
        ahead[ahead == 0] = -1
        if tested.largest > limit:
            ahead *= grid_numbers(self.test(*tile)) <= limit
        if tile.rows == tile.columns:
            ahead = np.triu(ahead, 1)
        before, behind = ahead > 0, ahead < 0
        return [
            Shown(tile.rows, behind.sum(axis=1), before.sum(axis=1)),
            Shown(tile.columns, before.sum(axis=0), behind.sum(axis=0)),
        ]


def rank_sets(entries: Sequence[Figures], rules: Rules) -> list[RankSet]:
    """The set of each entry; they come in the order of their ranks, and something is shown of each.

    The first rank is one more than are shown to be better; as many as are shown to be worse lie below the last.
    """
    count = len(entries)
    every = AllPairs(pairs(entries, rules), np.array([each.ranked_value for each in entries]))
    tiles = every.tiles()
    better, worse, counts = np.zeros(count, dtype=int), np.zeros(count, dtype=int), np.zeros(GRID_SIZE, dtype=int)
    adding = Lock()

    def counted(tile: Tile) -> Tested:
        more, found = every.tested(tile)
        with adding:  # at once: what waits for somebody to add it would fill the memory
            np.add(counts, more, out=counts)
        return found

    with _threads() as pool:
        tested = list(pool.map(counted, tiles))
        corrected = Holm.of(counts)
        limit = corrected.largest_below(rules.significance.alpha)
        for each in chain.from_iterable(pool.map(partial(every.shown, limit), tiles, tested)):
            better[each.entries] += each.better
            worse[each.entries] += each.worse
    above = corrected.adjusted_of(np.concatenate([each.beside for each in tested]))
    return list(map(RankSet, (better + 1).tolist(), (count - worse).tolist(), [None, *above.tolist()]))


def entries_digest(entries: Sequence[Figures]) -> str:
    """A digest of everything that the sets follow from, beside the rules: equal entries have equal sets."""
    digest = hashlib.sha256()
    for each in entries:
        told = (each.ranked_by, each.ranked_value, each.shown, each.log_ratios, each.session_spread, each.moved,
                each.task, each.bitmaps is None)  # fmt: skip
        for part in (repr(told).encode(), *(each.bitmaps or ())):
            digest.update(len(part).to_bytes(8, "big"))  # so that no two lists of parts run into one
            digest.update(part)
    return digest.hexdigest()


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """A thread for each core, and none of others'."""
    from threadpoolctl import threadpool_limits  # only where something is ranked

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        yield pool
