"""A leaderboard: which submissions may be ranked together, whose best counts, and why the others are not ranked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tinytorch.competition.names import Division, OlympicEvent
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.order import Place, best_first, ranked
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import Rules
from tinytorch.text import safe_text


@dataclass(frozen=True)
class Judged:
    """A file and what was found about it: its figures where it is valid, else the reason why it is not."""

    source: str
    figures: Figures | None
    reason: str = ""
    warnings: tuple[str, ...] = ()  # ids of the checks that warn
    sha256: str = ""  # of the file's content; empty where it could not be read


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
class Row:
    """A ranked submission and its file."""

    place: Place
    judged: Judged


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
    rows: tuple[Row, ...]
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
    for each in judged:
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
    if figures is None:
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
    files = _files(members)
    athletes: dict[str, list[Figures]] = defaultdict(list)
    for figures in best_first(each.figures for each in members if each.figures):
        athletes[figures.athlete].append(figures)
    places = ranked([own[0] for own in athletes.values()], rules.events[group.event].ranked_by, rules)
    rows = tuple(Row(place, files[place.figures.digest][0]) for place in places)
    return Ranking(group, rows, tuple(_others(rows, athletes, files)))


def _files(members: list[Judged]) -> dict[str, list[Judged]]:
    """The files of each submission, by its digest: a copy has the same."""
    files: dict[str, list[Judged]] = defaultdict(list)
    for each in sorted(members, key=lambda one: one.source):
        if each.figures:
            files[each.figures.digest].append(each)
    return files


def _others(
    rows: Iterable[Row], athletes: dict[str, list[Figures]], files: dict[str, list[Judged]]
) -> Iterator[Unranked]:
    """Below the ranked ones: copies of a file, then what its athlete has done better, the latest first."""
    for row in rows:
        figures, source = row.place.figures, row.judged.source
        own = {each.digest: each for each in athletes[figures.athlete]}
        for other in sorted(own.values(), key=lambda each: each.key, reverse=True):
            if other.digest == figures.digest:
                reason, below = f"the same submission as {safe_text(source)}", files[other.digest][1:]
            else:
                reason, below = f"{safe_text(source)} of the same athlete counts", files[other.digest]
            for file in below:
                yield Unranked(file.source, other.athlete_name, reason)
