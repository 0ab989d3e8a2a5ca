"""Rank classes: who cannot be told from the leader of a class shares its rank.

The leader is picked by its value, so that any pair of those without a rank could have been the one that is tested:
Holm's correction is for all of these pairs. With one for the leader's own pairs alone, somebody would be told from ten
equal submissions in one of seven rankings, from a hundred in every second one; a test simulates both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from tinytorch.benchmarking.statistics import Verdict, holm
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.ranking.rulers import Counted, Indices, Ruler, ruler
from tinytorch.competition.rules.events import Ranked, Rules

BEST_FIRST = (Verdict.BETTER, Verdict.NO_DETECTABLE_DIFFERENCE, Verdict.WORSE, None)
"""An improvement that is shown stands above all others, and what nothing can be said of stands last."""


@dataclass(frozen=True)
class Place:
    """One file's rank; `p_value` is that of its difference from the leader of its class, None of the leader."""

    rank: int
    judged: Judged
    p_value: float | None


def ranked(files: Sequence[Judged], ranked_by: Ranked, rules: Rules) -> list[Place]:
    """The files, which all have a value, in the order of their ranks; the order that they come in never matters."""
    places: list[Place] = []
    for verdict in BEST_FIRST:
        alike = sorted((each for each in files if each.entered.verdict is verdict), key=lambda each: each.entered.key)
        scale = ruler([each.entered for each in alike], ranked_by, rules) if alike else None
        for rank_class in _classes(scale, rules.significance.alpha) if scale else ():
            rank = len(places) + 1
            places += [Place(rank, alike[index], p_value) for index, p_value in rank_class]
    return places


def best_first(files: Iterable[Judged]) -> list[Judged]:
    """By verdict, then by value; of equal ones the earlier first."""

    def order(each: Judged) -> tuple[object, ...]:
        found = each.entered
        return BEST_FIRST.index(found.verdict), -found.ranked_value, found.key, each.source

    return sorted(files, key=order)


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
