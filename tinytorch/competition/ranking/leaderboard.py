"""A leaderboard: which submissions may be ranked together, whose best counts, and why the others are not ranked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tinytorch.competition.names import Division, Track
from tinytorch.competition.ranking.figures import POWERS, Figures
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.ranking.machines import beside_their_machines
from tinytorch.competition.ranking.order import Place, best_first, ranked
from tinytorch.competition.ranking.rank_sets import Sets, rank_sets
from tinytorch.competition.record.people import Athlete, Person, key_of
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import Rules
from tinytorch.showing import safe_text, time_words

THEIR_OWN = "the athletes' own machines, not measured again"


@dataclass(frozen=True)
class Wanted:
    """Which submissions are asked for; without events or with None it is every one. `trust` is the least level.

    `until` is when the latest that counts was handed in, which `handed_in` tells of each file by its name. `whose`
    tells what all submissions of one athlete have in common.
    """

    events: tuple[str, ...] = ()
    task: str | None = None
    division: Division | None = None
    track: Track | None = None
    trust: Trust = Trust.T1
    until: datetime | None = None
    handed_in: Callable[[str], datetime | None] = field(default=lambda source: None)
    whose: Callable[[Athlete], str] = field(default=lambda athlete: athlete.key)


class Group(NamedTuple):
    """What submissions must have in common to be ranked together, beside the rules.

    `machines` is the class of the machine that re-runs are of, empty where all are of one.
    """

    event: str
    task: str
    division: Division
    test_samples: int
    dataset_sha256: str
    machines: str = ""

    @property
    def words(self) -> str:
        """What tells it from the others of its event."""
        where = f", on {self.machines}" if self.machines else ""
        return f"{self.task}, {self.division}{where}"


@dataclass(frozen=True)
class Unranked:
    """A file that has no rank, and why; `is_asked_for` is False of what another call would have ranked."""

    source: str
    athlete: Athlete | None
    reason: str
    is_asked_for: bool = True
    sha256: str = ""
    event: str | None = None

    @property
    def athlete_name(self) -> str | None:
        """As it was written, where a submission could be read."""
        return self.athlete.name if self.athlete else None


@dataclass(frozen=True)
class Ranking:
    """Everybody's best submission to one event, and what else the same athletes handed in."""

    group: Group
    places: tuple[Place, ...]
    others: tuple[Unranked, ...]


@dataclass(frozen=True)
class Leaderboard:
    """All rankings by the rules, in the order of the events, and what could not be ranked.

    `athletes` is how many people or teams have a rank, `until` when the latest that counts was handed in, and `doubts`
    say who stands in several entries. Of a class with a roster also who has no file with a rank, and what of names and
    ids does not fit the roster, in sentences.
    `signed_by` says who signed the re-runs.
    """

    rules: Rules
    rankings: tuple[Ranking, ...]
    unranked: tuple[Unranked, ...]
    title: str | None = None
    missing: tuple[Person, ...] = ()
    doubts: tuple[str, ...] = ()
    athletes: int = 0
    until: datetime | None = None
    signed_by: str | None = None


def leaderboard(judged: Iterable[Judged], rules: Rules, wanted: Wanted, sets: Sets = rank_sets) -> Leaderboard:
    """Rank what can be ranked together; the order of `judged` never matters. `sets` may remember what it found."""
    groups: dict[Group, list[Judged]] = defaultdict(list)
    unranked = []
    for each in beside_their_machines(judged, rules):
        group = _group(each, wanted)
        if isinstance(group, Unranked):
            unranked.append(group)
        else:
            groups[group].append(each)
    order, found = list(rules.events), []
    apart = {own: files for group, members in groups.items() for own, files in _by_machines(group, members)}
    for group in sorted(apart, key=lambda g: (order.index(g.event), g)):
        found.append(_ranking(group, apart[group], wanted.whose, lambda files: ranked(files, rules, sets)))
    athletes = {wanted.whose(place.judged.entered.athlete) for each in found for place in each.places}
    passed_over = tuple(sorted(unranked, key=lambda each: (each.reason, each.source)))
    doubts = tuple(in_several(found, lambda athlete: {key_of(*person): person[0] for person in athlete.people}))
    return Leaderboard(rules, tuple(found), passed_over, doubts=doubts, athletes=len(athletes), until=wanted.until)


def in_several(rankings: Iterable[Ranking], people: Callable[[Athlete], Mapping[str, str]]) -> Iterator[str]:
    """Who stands in several entries of one ranking, as alone and in a team, which pushes everybody else down.

    `people` are those of an athlete: what each is known by, and the name to show.
    """
    for ranking in rankings:
        found = [each for place in ranking.places for each in people(place.judged.entered.athlete).items()]
        names, counts = dict(found), Counter(key for key, _ in found)
        for key, count in sorted(counts.items()):
            if count > 1:
                yield f"{safe_text(names[key])} stands in {count} entries to {ranking.group.event}"


def _group(judged: Judged, wanted: Wanted) -> Group | Unranked:
    """Where a file is ranked, or why it has no place in what is asked for."""
    figures = judged.figures
    if figures is None:
        return Unranked(judged.source, None, judged.reason, sha256=judged.sha256)
    for reason, is_asked_for in _obstacles(judged, figures, wanted):
        return Unranked(judged.source, figures.athlete, reason, is_asked_for, judged.sha256, figures.event)
    task = figures.task
    if task is None:
        return Unranked(judged.source, figures.athlete, "it names no task", True, judged.sha256, figures.event)
    return Group(figures.event, task.name, figures.division, task.test_samples, task.dataset_sha256)


def _by_machines(group: Group, members: list[Judged]) -> Iterator[tuple[Group, list[Judged]]]:
    """Re-runs on machines of several classes, each class apart, where speed is ranked: it differs from one to another.

    What nobody measured again stands beside them.
    """
    classes = {each.entered.machine_class for each in members} - {None}
    if len(classes) < 2 or all(each.entered.ranked_by not in POWERS for each in members):
        yield group, members
        return
    apart: dict[str, list[Judged]] = defaultdict(list)
    for each in members:
        apart[each.entered.machine_class or THEIR_OWN].append(each)
    for machines, own in apart.items():
        yield group._replace(machines=machines), own


def obstacle(judged: Judged, wanted: Wanted) -> str:
    """Why a file that was read is not ranked in what is asked for; empty where it is."""
    return next((reason for reason, _ in _obstacles(judged, judged.entered, wanted)), "")


def _obstacles(judged: Judged, figures: Figures, wanted: Wanted) -> Iterator[tuple[str, bool]]:
    """Every reason not to rank a file, and whether that is something to tell."""
    task = figures.task.name if figures.task else None
    events = wanted.events or (figures.event,)
    asked = {"event": (figures.event, events), "task": (task, (wanted.task or task,)),
             "division": (figures.division, (wanted.division or figures.division,)),
             "track": (figures.track, (wanted.track or figures.track,))}  # fmt: skip
    for name, (found, choices) in asked.items():
        if found not in choices:
            words = " or ".join(map(str, choices))
            yield f"its {name} is {safe_text(str(found), 60)}, asked for is {words}", False
    if not judged.valid:
        yield judged.reason, True
    if wanted.until is not None:
        yield from _too_late(wanted.handed_in(judged.source), wanted.until)
    if figures.trust < wanted.trust:
        yield f"trust {figures.trust} ({figures.trust.word}) is below {wanted.trust} ({wanted.trust.word})", True
    if figures.value is None:
        yield "what its event ranks by was not measured", True


def _too_late(handed_in: datetime | None, until: datetime) -> Iterator[tuple[str, bool]]:
    if handed_in is None:
        yield "when it was handed in is not known", True
    elif handed_in > until:
        yield f"handed in {time_words(handed_in - until)} too late, on {handed_in:%Y-%m-%d %H:%M} UTC", True


def _ranking(
    group: Group, members: list[Judged], whose: Callable[[Athlete], str],
    ranked: Callable[[Iterable[Judged]], list[Place]],
) -> Ranking:  # fmt: skip
    """Each athlete's best is ranked, the others are listed."""
    athletes: dict[str, list[Judged]] = defaultdict(list)
    for each in best_first(members):
        athletes[whose(each.entered.athlete)].append(each)
    places = ranked(own[0] for own in athletes.values())
    others = [each for place in places for each in _others(place.judged, athletes[whose(place.judged.entered.athlete)])]
    return Ranking(group, tuple(places), tuple(others))


def _others(best: Judged, own: Iterable[Judged]) -> Iterator[Unranked]:
    """Below a ranked one: copies of its file, and what its athlete has done besides, the latest first."""
    source, digest = safe_text(best.source), best.entered.digest
    by_name = sorted(own, key=lambda one: one.source)
    for each in sorted(by_name, key=lambda one: one.entered.key, reverse=True):
        if each is not best:
            is_copy = each.entered.digest == digest
            is_newer = best.entered.trust.is_rerun and not each.entered.trust.is_rerun
            counts = f"{source} of the same athlete counts{', which was verified' if is_newer else ''}"
            reason = f"the same submission as {source}" if is_copy else counts
            yield Unranked(each.source, each.entered.athlete, reason, sha256=each.sha256)
