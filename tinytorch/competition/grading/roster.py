"""A class's roster: who is in it, and whose a submission is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from tinytorch.competition.grading.tables import filled, rows
from tinytorch.competition.record.people import BETWEEN_NAMES, ID_LIMIT, NAME_LIMIT, Athlete, Person, checked_text
from tinytorch.errors import UsageError
from tinytorch.showing import folded, safe_text

EXAMPLE = "a line of headings, id,name and then 1017,Ada Lovelace"
COLUMNS = {  # as platforms call them, the first that there is
    "id": ("id", "student id", "student number", "id number", "sis user id", "sid", "e-mail", "email", "email address"),
    "name": ("name", "full name", "student name", "student"),
}

CLOSE = 0.75  # of a name's letters


@dataclass(frozen=True)
class Roster:
    """Everybody in a class, in the order of the file."""

    people: tuple[Person, ...]

    def members_of(self, athlete: Athlete) -> list[Person]:
        """Who of the class a submission is of: by its ids, and where one has none, by names that only one has."""
        found = (self._find(name, id_) for name, id_ in athlete.people)
        return [each for each in found if each is not None]

    def doubts(self, athlete: Athlete) -> list[str]:
        """What does not fit of the names and ids that somebody gave, in sentences."""
        return [said for name, id_ in athlete.people if (said := self._doubt(name, id_))]

    def _doubt(self, name: str, id_: str | None) -> str:
        found, shown = self._find(name, id_), safe_text(name, 60)
        if found:
            is_theirs = folded(found.name) == folded(name)
            return "" if is_theirs else f"{shown} has the id of {found.name}: their points are {found.name}'s"
        alike = self._called.get(folded(name), [])
        ids = " or ".join(str(each.id) for each in alike)
        if id_ is not None and alike:
            return f"{shown} is on the roster with the id {ids}, and not with {safe_text(id_, 60)}"
        if alike:
            return f"{len(alike)} on the roster are called {shown}: an id is needed, {ids}"
        close = get_close_matches(folded(name), self._called, 1, CLOSE)
        hint = f"; is it {self._called[close[0]][0].name}?" if close else ""
        return f"{shown} is not on the roster{hint}"

    def may_be(self, first: Athlete, second: Athlete) -> bool:
        """Whether two files may be of one athlete."""
        return self.whose(first) == self.whose(second)

    def named(self, athlete: Athlete) -> Athlete:
        """The athlete by the names that the roster has, as far as it knows who that is: nobody renames another."""
        people = self._known(athlete)
        if len(people) == 1:
            return Athlete(name=people[0].name, id=people[0].id)
        return Athlete(name=BETWEEN_NAMES.join(each.name for each in people), members=people)

    def whose(self, athlete: Athlete) -> str:
        """What all submissions of one athlete have in common, also those that forgot an id."""
        return "\n".join(sorted(each.key for each in self._known(athlete)))

    def _known(self, athlete: Athlete) -> list[Person]:
        """Everybody who enters as the roster has them, each once: one may stand in a team by name and by id."""
        people = (self._find(name, id_) or Person(name=name, id=id_) for name, id_ in athlete.people)
        return list({each.key: each for each in people}.values())

    def _find(self, name: str, id_: str | None) -> Person | None:
        found = self._by_id.get(folded(id_, "NFC")) if id_ is not None else None
        named = self._by_name.get(folded(name))
        is_named = named is not None and (id_ is None or named.id is None)
        return named if found is None and is_named else found

    @cached_property
    def _by_id(self) -> dict[str, Person]:
        return {folded(each.id, "NFC"): each for each in self.people if each.id}

    @cached_property
    def _called(self) -> dict[str, list[Person]]:
        found = defaultdict[str, list[Person]](list)
        for each in self.people:
            found[folded(each.name)].append(each)
        return found

    @cached_property
    def _by_name(self) -> dict[str, Person]:
        return {name: people[0] for name, people in self._called.items() if len(people) == 1}


def read_roster(path: Path) -> Roster:
    """The roster in a CSV file with the columns id and name; UsageError says what is wrong with it."""
    people = tuple(_people(path))
    if not people:
        raise UsageError(f"{path}: nobody is in it", mend=f"write {EXAMPLE}")
    return Roster(people)


def _people(path: Path) -> Iterator[Person]:
    """Somebody without an id is found by the name."""
    lines: dict[str, int] = {}
    for line, (id_, name) in rows(path, COLUMNS, EXAMPLE):
        filled(path, line, "name", name)
        before = lines.setdefault(folded(id_, "NFC"), line) if id_ else line
        if before != line:
            mend = "give everybody an id of their own"
            raise UsageError(f"{path}: the id of line {line} stands in line {before} already", mend=mend)
        try:
            known = checked_text("id", id_, ID_LIMIT) if id_ else None
            yield Person(name=checked_text("name", name, NAME_LIMIT), id=known)
        except UsageError as error:
            raise UsageError(f"{path}: line {line}: {error.message}", mend=error.mend) from error
