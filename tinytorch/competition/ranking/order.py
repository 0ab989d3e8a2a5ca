"""The order of a ranking: by what is shown. Noise wins nothing, and others' files move nobody.

What was measured again stands above what was measured by its athlete alone, and that above what is only claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.ranking.rank_sets import RankSet, Sets, rank_sets
from tinytorch.competition.rules.events import Rules

AGAIN, MEASURED, CLAIMED = range(3)  # how a value is known, the best first


@dataclass(frozen=True)
class Place:
    """One file's rank, and the first and last rank that the data allow it.

    `p_value` is that of its difference from the entry above, corrected for all pairs of the ranking; None of the first,
    and where nothing can be tested.
    """

    rank: int
    first: int
    last: int
    judged: Judged
    p_value: float | None

    @property
    def allowed(self) -> str:
        """The set of ranks in words; empty where there is only one."""
        return "" if self.first == self.last else f"{self.first}-{self.last}"


def best_first(files: Iterable[Judged]) -> list[Judged]:
    """By how it is known, and by what is shown; of equal ones the earlier first."""

    def order(each: Judged) -> tuple[object, ...]:
        return _level(each), each.entered.key, each.source

    return sorted(files, key=order)


def ranked(files: Iterable[Judged], rules: Rules, sets: Sets = rank_sets) -> list[Place]:
    """The files, which all have a value, in the order of their ranks; the order that they come in never matters.

    Equal ones share a rank. What is only claimed cannot be told apart, and its ranks say so.
    """
    ordered = best_first(files)
    allowed: list[RankSet] = []
    for how, group in groupby(ordered, key=_how_known):
        entries = [each.entered for each in group]
        allowed += _below(len(allowed), _all_alike(len(entries)) if how == CLAIMED else sets(entries, rules))
    return list(_places(ordered, allowed))


def _all_alike(count: int) -> list[RankSet]:
    return [RankSet(1, count, None)] * count


def _below(above: int, sets: Iterable[RankSet]) -> list[RankSet]:
    """The sets with so many entries above them, which are better known."""
    return [RankSet(above + each.first, above + each.last, each.p_value) for each in sets]


def _how_known(judged: Judged) -> int:
    figures = judged.entered
    if figures.shown is None:
        return CLAIMED
    return AGAIN if figures.trust.is_rerun else MEASURED


def _places(ordered: Sequence[Judged], sets: Sequence[RankSet]) -> Iterable[Place]:
    """Each rank lies in its own set: order and tests look at one thing in two ways, and may differ by a hair."""
    rank = 0
    for index, (each, allowed) in enumerate(zip(ordered, sets, strict=True)):
        if not index or _level(each) != _level(ordered[index - 1]):
            rank = index + 1
        yield Place(rank, min(rank, allowed.first), max(rank, allowed.last), each, allowed.p_value)


def _level(judged: Judged) -> tuple[int, float]:
    """What two that share a rank have in common; the least is the best."""
    return _how_known(judged), -_worth(judged)


def _worth(judged: Judged) -> float:
    shown = judged.entered.shown
    return judged.entered.ranked_value if shown is None else shown
