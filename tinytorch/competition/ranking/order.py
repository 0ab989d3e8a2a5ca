"""The order of a ranking: by what is shown. Noise wins nothing, and others' files move nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.ranking.rank_sets import RankSet, rank_sets
from tinytorch.competition.rules.events import Rules


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
    """By what is shown, and below that what is only claimed; of equal ones the earlier first."""

    def order(each: Judged) -> tuple[object, ...]:
        found = each.entered
        return found.shown is None, -_worth(each), found.key, each.source

    return sorted(files, key=order)


def ranked(files: Iterable[Judged], rules: Rules) -> list[Place]:
    """The files, which all have a value, in the order of their ranks; the order that they come in never matters.

    Equal ones share a rank. What is only claimed cannot be told apart, and its ranks say so.
    """
    ordered = best_first(files)
    shown = [each.entered for each in ordered if each.entered.shown is not None]
    sets = rank_sets(shown, rules) if shown else []
    claimed = RankSet(len(shown) + 1, len(ordered), None)
    sets += [claimed] * (len(ordered) - len(shown))
    return list(_places(ordered, sets))


def _places(ordered: Sequence[Judged], sets: Sequence[RankSet]) -> Iterable[Place]:
    """Each rank lies in its own set: order and tests look at one thing in two ways, and may differ by a hair."""
    rank = 0
    for index, (each, allowed) in enumerate(zip(ordered, sets, strict=True)):
        if not index or _level(each) != _level(ordered[index - 1]):
            rank = index + 1
        yield Place(rank, min(rank, allowed.first), max(rank, allowed.last), each, allowed.p_value)


def _level(judged: Judged) -> tuple[bool, float]:
    """What two that share a rank have in common."""
    return judged.entered.shown is None, _worth(judged)


def _worth(judged: Judged) -> float:
    shown = judged.entered.shown
    return judged.entered.ranked_value if shown is None else shown
