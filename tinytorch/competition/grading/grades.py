"""A class's grades: for everybody what their best file to each event is worth, or why it is worth nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from tinytorch.competition.grading.assignment import NO_POINTS, Assignment
from tinytorch.competition.grading.roster import Roster
from tinytorch.competition.ranking.leaderboard import Leaderboard, Ranking, Unranked, in_several
from tinytorch.competition.ranking.order import Place
from tinytorch.competition.record.people import Athlete, Person, key_of
from tinytorch.errors import UsageError
from tinytorch.showing import safe_text

NOT_HANDED_IN = "not handed in"


@dataclass(frozen=True)
class Result:
    """What one event brought somebody: points, and the place or the reason why there is none."""

    event: str
    points: float
    most: float
    place: Place | None
    reason: str

    @property
    def warnings(self) -> tuple[str, ...]:
        """The ids of the checks that warn of the file."""
        return self.place.judged.warnings if self.place else ()


@dataclass(frozen=True)
class Grade:
    """Somebody's results, in the order of the events."""

    person: Person
    results: tuple[Result, ...]

    @property
    def points(self) -> float:
        """Of all events together."""
        return sum(each.points for each in self.results)

    @property
    def most(self) -> float:
        """What could have been reached."""
        return sum(each.most for each in self.results)


def grades(board: Leaderboard, assignment: Assignment, roster: Roster | None) -> list[Grade]:
    """Everybody on the roster, in its order; without one everybody who handed in, by name. A team's points are each's.

    UsageError where an event has no points, or several rankings in which somebody could stand.
    """
    events = assignment.events or list(dict.fromkeys(each.group.event for each in board.rankings))
    places = {event: _by_person(_only(board, event), roster) for event in events}
    reasons = {event: _reasons(board, event, roster) for event in events}

    def result(event: str, key: str) -> Result:
        return _result(event, places[event].get(key), reasons[event].get(key), assignment)

    people = roster.people if roster else _everybody(board)
    return [Grade(each, tuple(result(event, each.key) for event in events)) for each in people]


def _only(board: Leaderboard, event: str) -> Ranking | None:
    found = [each for each in board.rankings if each.group.event == event]
    if len(found) > 1:
        groups = "; ".join(each.group.words for each in found)
        mend = "name the task and the division in class.toml"
        if any(each.group.machines for each in found):
            mend += "; where machines differ, verify again on those of one class"
        raise UsageError(f"{event} has several rankings: {groups}", mend=mend)
    return found[0] if found else None


def _result(event: str, place: Place | None, reason: str | None, assignment: Assignment) -> Result:
    points = assignment.points_of(event)
    if points is None:
        raise UsageError(f"nothing says how many points {event} is worth", mend=NO_POINTS)
    if place is None:
        return Result(event, 0.0, points.most, None, reason or NOT_HANDED_IN)
    shown = place.judged.entered.shown
    if shown is None:
        return Result(event, 0.0, points.most, place, "nothing is shown: it was given by hand")
    return Result(event, points.of(place.rank if points.kind == "rank" else shown), points.most, place, "")


def _by_person(ranking: Ranking | None, roster: Roster | None) -> dict[str, Place]:
    """Everybody's best place: one may stand in several teams."""
    found: dict[str, Place] = {}
    for place in ranking.places if ranking else ():
        for key in _keys(place.judged.entered.athlete, roster):
            found.setdefault(key, place)
    return found


def _reasons(board: Leaderboard, event: str, roster: Roster | None) -> dict[str, str]:
    """Why files to an event have no rank, by whose they are; also of one for another task or division."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in board.unranked:
        if each.athlete is not None and each.event == event:
            for key in _keys(each.athlete, roster):
                found[key].append(f"{each.source}: {each.reason}")
    return {key: "; ".join(reasons) for key, reasons in found.items()}


def _keys(athlete: Athlete, roster: Roster | None) -> list[str]:
    if roster is None:
        return [key_of(*each) for each in athlete.people]
    return [each.key for each in roster.members_of(athlete)]


def _everybody(board: Leaderboard) -> list[Person]:
    """All who have a rank or a file that might have had one."""
    athletes = [place.judged.entered.athlete for ranking in board.rankings for place in ranking.places]
    athletes += [each.athlete for each in board.unranked if each.athlete is not None and each.is_asked_for]
    people = {key_of(*each): Person(name=each[0], id=each[1]) for athlete in athletes for each in athlete.people}
    return sorted(people.values(), key=lambda each: (each.name.casefold(), each.id or ""))


def missing(board: Leaderboard, roster: Roster) -> list[Person]:
    """Who of the class has no file with a rank anywhere on the board."""
    seen = {key for ranking in board.rankings for key in _by_person(ranking, roster)}
    return [each for each in roster.people if each.key not in seen]


def doubts(board: Leaderboard, roster: Roster) -> list[str]:
    """What of the names and ids of files does not fit the roster, each with its file."""
    ranked = ((place.judged.source, place.judged.entered.athlete) for each in board.rankings for place in each.places)
    others = ((each.source, each.athlete) for each in board.unranked if each.athlete is not None)
    found = [
        f"{safe_text(source)}: {said}" for source, athlete in (*ranked, *others) for said in roster.doubts(athlete)
    ]
    names = {person.key: person.name for person in roster.people}

    def in_class(athlete: Athlete) -> dict[str, str]:
        return {key: names[key] for key in _keys(athlete, roster) if key in names}

    return [*found, *in_several(board.rankings, in_class)]


def named(board: Leaderboard, roster: Roster) -> Leaderboard:
    """The board by the names that the roster has."""
    rankings = [
        replace(ranking, places=tuple(_named(place, roster) for place in ranking.places)) for ranking in board.rankings
    ]
    return replace(board, rankings=tuple(rankings))


def _named(place: Place, roster: Roster) -> Place:
    figures = place.judged.entered
    changed = replace(figures, athlete=roster.named(figures.athlete))
    return replace(place, judged=replace(place.judged, figures=changed))


def nobodys(board: Leaderboard) -> list[Unranked]:
    """Files that could not be read, so that nobody can have points for them."""
    return [each for each in board.unranked if each.athlete is None]
