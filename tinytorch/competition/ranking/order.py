"""Rank classes: who cannot be told from the leader of a class shares its rank.

The leader is picked by its value, so that any pair of those without a rank could have been the one that is tested:
Holm's correction is for all of these pairs. With one for the leader's own pairs alone, somebody would be told from ten
equal submissions in one of seven rankings, from a hundred in every second one; a test simulates both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from tinytorch.benchmarking.statistics import Verdict, holm
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.rulers import Counted, Indices, Ruler, ruler
from tinytorch.competition.rules.events import Ranking, Rules

BEST_FIRST = (Verdict.BETTER, Verdict.NO_DETECTABLE_DIFFERENCE, Verdict.WORSE, None)
"""An improvement that is shown stands above all others, and what nothing can be said of stands last."""


@dataclass(frozen=True)
class Place:
    """One submission's rank; `p_value` is that of its difference from the leader of its class, None of the leader."""

    rank: int
    figures: Figures
    p_value: float | None


def ranked(entries: Sequence[Figures], ranking: Ranking, rules: Rules) -> list[Place]:
    """The entries, which all have a value, in the order of their ranks; the order that they come in never matters."""
    places: list[Place] = []
    for verdict in BEST_FIRST:
        alike = sorted((each for each in entries if each.verdict is verdict), key=lambda each: each.key)
        for rank_class in _classes(ruler(alike, ranking, rules), rules.significance.alpha) if alike else ():
            rank = len(places) + 1
            places += [Place(rank, alike[index], p_value) for index, p_value in rank_class]
    return places


def best_first(entries: Iterator[Figures]) -> list[Figures]:
    """By verdict, then by value; of equal ones the earlier first."""
    return sorted(entries, key=lambda each: (BEST_FIRST.index(each.verdict), -each.ranked_value, each.key))


def _classes(scale: Ruler | Counted, alpha: float) -> Iterator[list[tuple[int, float | None]]]:
    """The classes of entries with one verdict, the best first, each as indices with their p-values."""
    remaining: Indices = np.argsort(-scale.values, kind="stable")
    if isinstance(scale, Counted):  # every difference counts: nobody need be tested against a leader
        yield from _equal(scale, remaining)
        return
    while remaining.size:
        leader, others = int(remaining[0]), remaining[1:]
        p_values = scale.p_values(leader, others)
        count = remaining.size
        is_apart = holm(p_values, count * (count - 1) // 2) < alpha
        yield [(leader, None), *zip(others[~is_apart].tolist(), p_values[~is_apart].tolist(), strict=True)]
        remaining = others[is_apart]


def _equal(scale: Counted, order: Indices) -> Iterator[list[tuple[int, float | None]]]:
    for _, alike in groupby(order.tolist(), key=scale.values.__getitem__):
        first, *others = alike
        yield [(first, None), *((each, 1.0) for each in others)]
