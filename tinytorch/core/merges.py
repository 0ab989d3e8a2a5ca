"""Which pairs of neighbouring symbols are merged into one, as byte-pair encoding learns it from words."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict

Pair = tuple[str, str]


class Learner:
    """Counts pairs of neighbours in words, whose symbols lie one after the other, and merges the commonest.

    Each symbol knows its neighbours in its word, so that a merge touches the places of its pair alone.
    """

    def __init__(self, words: Counter[str]) -> None:
        self._symbols: list[str] = []
        self._times: list[int] = []  # how often the word of a symbol occurs
        self._before: list[int] = []
        self._after: list[int] = []
        self._counts, self._places = Counter[Pair](), defaultdict[Pair, set[int]](set)
        for word, times in words.items():
            start, end = len(self._symbols), len(self._symbols) + len(word)
            self._symbols += word
            self._times += [times] * len(word)
            self._before += [-1, *range(start, end - 1)]
            self._after += [*range(start + 1, end), -1]
        for place in range(len(self._symbols)):
            self._count(place, 1)
        self._waiting = [(-count, pair) for pair, count in self._counts.items()]
        heapq.heapify(self._waiting)

    def merges(self, most: int) -> list[Pair]:
        """Up to so many merges; of equally common pairs the first in the order of the alphabet."""
        merges: list[Pair] = []
        while self._waiting and len(merges) < most:
            count, best = heapq.heappop(self._waiting)
            if count and -count == self._counts[best]:  # else it was counted anew since
                merges.append(best)
                self._merge(best)
        return merges

    def _merge(self, pair: Pair) -> None:
        """Make one symbol of every occurrence of a pair, from the left."""
        changed: set[Pair] = set()
        for place in sorted(self._places.pop(pair)):
            if self._pair(place) == pair:
                changed |= self._join(place)
        for each in changed - {pair}:
            heapq.heappush(self._waiting, (-self._counts[each], each))

    def _join(self, place: int) -> set[Pair]:
        """Make one symbol of those at a place and behind it; the pairs whose counts this changes."""
        other = self._after[place]
        around = (self._before[place], place, other)
        gone = {self._count(each, -1) for each in around}
        self._symbols[place] += self._symbols[other]
        self._after[place] = self._after[other]
        self._after[other] = -1
        if self._after[place] >= 0:
            self._before[self._after[place]] = place
        come = {self._count(each, 1) for each in around}
        return {pair for pair in gone | come if pair is not None}

    def _count(self, place: int, sign: int) -> Pair | None:
        """Count the pair that begins at a place in, or out; None where there is none."""
        pair = self._pair(place)
        if pair is not None:
            self._counts[pair] += sign * self._times[place]
            if sign > 0:
                self._places[pair].add(place)
        return pair

    def _pair(self, place: int) -> Pair | None:
        if place < 0 or self._after[place] < 0:
            return None
        return self._symbols[place], self._symbols[self._after[place]]
