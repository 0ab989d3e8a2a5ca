"""A leaderboard: which submissions may be ranked together, whose best counts, and why the others are not ranked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tinytorch.competition.names import Division, OlympicEvent
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.ranking.machines import beside_their_machines
from tinytorch.competition.ranking.order import Place, best_first, ranked
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import Rules
from tinytorch.text import safe_text


@dataclass(frozen=True)
class Wanted:
    """Which submissions are asked for; None asks for every one. `trust` is the least level."""

    event: OlympicEvent | None = None
    task: str | None = None
    division: Division | None = None
    trust: Trust = Trust.T1


class Group(NamedTuple):
    """What submissions must have in common to be ranked together, beside the rules."""

    event: OlympicEvent
    task: str
    division: Division
    test_samples: int
    dataset_sha256: str


@dataclass(frozen=True)
class Unranked:
    """A file that has no rank, and why; `is_asked_for` is False of what another call would have ranked."""

    source: str
    athlete_name: str | None
    reason: str
    is_asked_for: bool = True


@dataclass(frozen=True)
class Ranking:
    """Everybody's best submission to one event, and what else the same athletes handed in."""

    group: Group
    places: tuple[Place, ...]
    others: tuple[Unranked, ...]


@dataclass(frozen=True)
class Leaderboard:
    """All rankings by the rules, in the order of the events, and what could not be ranked."""

    rules: Rules
    rankings: tuple[Ranking, ...]
    unranked: tuple[Unranked, ...]


def leaderboard(judged: Iterable[Judged], rules: Rules, wanted: Wanted) -> Leaderboard:
    """Rank what can be ranked together; the order of `judged` never matters."""
    groups: dict[Group, list[Judged]] = defaultdict(list)
    unranked = []
    for each in beside_their_machines(judged, rules):
        group = _group(each, wanted)
        if isinstance(group, Unranked):
            unranked.append(group)
        else:
            groups[group].append(each)
    order = list(OlympicEvent)
    found = [_ranking(group, groups[group], rules) for group in sorted(groups, key=lambda g: (order.index(g.event), g))]
    return Leaderboard(rules, tuple(found), tuple(sorted(unranked, key=lambda each: (each.reason, each.source))))


def _group(judged: Judged, wanted: Wanted) -> Group | Unranked:
    """Where a file is ranked, or why it has no place in what is asked for."""
    figures = judged.figures
    if figures is None or not judged.valid:
        return Unranked(judged.source, None, judged.reason)
    for reason, is_asked_for in _obstacles(figures, wanted):
        return Unranked(judged.source, figures.athlete_name, reason, is_asked_for)
    task = figures.task
    if task is None:
        return Unranked(judged.source, figures.athlete_name, "it names no task")
    return Group(figures.event, task.name, figures.division, task.test_samples, task.dataset_sha256)


def _obstacles(figures: Figures, wanted: Wanted) -> Iterator[tuple[str, bool]]:
    found_by_name = {
        "event": figures.event, "task": figures.task.name if figures.task else None, "division": figures.division
    }  # fmt: skip
    for name, found in found_by_name.items():
        asked = getattr(wanted, name)
        if asked not in (None, found):
            yield f"its {name} is {safe_text(str(found), 60)}, asked for is {asked}", False
    if figures.trust < wanted.trust:
        yield f"trust {figures.trust} ({figures.trust.word}) is below {wanted.trust} ({wanted.trust.word})", True
    if figures.value is None:
        yield "what its event ranks by was not measured", True


def _ranking(group: Group, members: list[Judged], rules: Rules) -> Ranking:
    """Each athlete's best is ranked, the others are listed."""
    athletes: dict[str, list[Judged]] = defaultdict(list)
    for each in best_first(members):
        athletes[each.entered.athlete.key].append(each)
    places = ranked([own[0] for own in athletes.values()], rules)
    others = [each for place in places for each in _others(place.judged, athletes[place.judged.entered.athlete.key])]
    return Ranking(group, tuple(places), tuple(others))


def _others(best: Judged, own: Iterable[Judged]) -> Iterator[Unranked]:
    """Below a ranked one: copies of its file, and what its athlete has done besides, the latest first."""
    source, digest = safe_text(best.source), best.entered.digest
    by_name = sorted(own, key=lambda one: one.source)
    for each in sorted(by_name, key=lambda one: one.entered.key, reverse=True):
        if each is not best:
            is_copy = each.entered.digest == digest
            reason = f"the same submission as {source}" if is_copy else f"{source} of the same athlete counts"
            yield Unranked(each.source, each.entered.athlete_name, reason)
