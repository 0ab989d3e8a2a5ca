"""A class's roster: who is in it, and whose a submission is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tinytorch.competition.grading.tables import rows
from tinytorch.competition.record.people import ID_LIMIT, NAME_LIMIT, Athlete, Person, checked_text
from tinytorch.errors import UsageError
from tinytorch.text import folded

EXAMPLE = "a line of headings, id,name and then 1017,Ada Lovelace"


@dataclass(frozen=True)
class Roster:
    """Everybody in a class, in the order of the file."""

    people: tuple[Person, ...]

    def members_of(self, athlete: Athlete) -> list[Person]:
        """Who of the class a submission is of: by its ids, and where it has none, by names that only one has."""
        found = (self._find(name, id_) for name, id_ in athlete.people)
        return [each for each in found if each is not None]

    def whose(self, athlete: Athlete) -> str:
        """What all submissions of one athlete have in common, also those that forgot an id."""
        found = [self._find(name, id_) or Person(name=name, id=id_) for name, id_ in athlete.people]
        return "\n".join(sorted(each.key for each in found))

    def _find(self, name: str, id_: str | None) -> Person | None:
        return self._by_name.get(folded(name)) if id_ is None else self._by_id.get(folded(id_))

    @cached_property
    def _by_id(self) -> dict[str, Person]:
        return {folded(str(each.id)): each for each in self.people}

    @cached_property
    def _by_name(self) -> dict[str, Person]:
        names = Counter(folded(each.name) for each in self.people)
        return {folded(each.name): each for each in self.people if names[folded(each.name)] == 1}


def read_roster(path: Path) -> Roster:
    """The roster in a CSV file with the columns id and name; UsageError says what is wrong with it."""
    people = tuple(_people(path))
    if not people:
        raise UsageError(f"{path}: nobody is in it", mend=f"write {EXAMPLE}")
    return Roster(people)


def _people(path: Path) -> Iterator[Person]:
    lines: dict[str, int] = {}
    for line, (id_, name) in rows(path, ("id", "name"), EXAMPLE):
        before = lines.setdefault(folded(id_), line)
        if before != line:
            mend = "give everybody an id of their own"
            raise UsageError(f"{path}: the id of line {line} stands in line {before} already", mend=mend)
        try:
            yield Person(name=checked_text("name", name, NAME_LIMIT), id=checked_text("id", id_, ID_LIMIT))
        except UsageError as error:
            raise UsageError(f"{path}: line {line}: {error.message}", mend=error.mend) from error
