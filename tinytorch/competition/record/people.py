"""Whose a submission is: one person, or a team, by names and the ids that a class gives. An id beats a name."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from tinytorch.benchmarking.records.record import Record
from tinytorch.errors import UsageError
from tinytorch.showing import folded, is_blank, is_safe, safe_text

NAME_LIMIT = ID_LIMIT = 100
MOST_MEMBERS = 10
BETWEEN_NAMES = ", "
TEAM_LIMIT = MOST_MEMBERS * (NAME_LIMIT + len(BETWEEN_NAMES))

Id = Annotated[str, StringConstraints(pattern=r"\S", max_length=ID_LIMIT)]


class Person(Record):
    """A member of a team."""

    name: Annotated[str, StringConstraints(pattern=r"\S", max_length=NAME_LIMIT)]
    id: Id | None = None

    @property
    def key(self) -> str:
        """Who it is, however the name is written."""
        return key_of(self.name, self.id)


class Athlete(Record):
    """Who enters: a person, or a team, which has its members and all their names. A class may give ids."""

    name: Annotated[str, StringConstraints(pattern=r"\S", max_length=TEAM_LIMIT)]
    id: Id | None = None
    members: Annotated[list[Person], Field(max_length=MOST_MEMBERS)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        """One person, or several who are named as the team is; nobody twice, and nobody whom nobody could see."""
        if any(is_blank(text) for person in self.people for text in person if text is not None):
            raise ValueError("a name and an id are something that can be seen")
        if not self.members:
            if len(self.name) > NAME_LIMIT:
                raise ValueError(f"a name has at most {NAME_LIMIT} characters")
            return self
        is_team = len(self.members) > 1 and self.id is None
        if not is_team or self.name != BETWEEN_NAMES.join(each.name for each in self.members):
            raise ValueError("a team has several members, and is called by all their names")
        if len({each.key for each in self.members}) < len(self.members):
            raise ValueError("somebody is in the team twice")
        return self

    @cached_property
    def people(self) -> tuple[tuple[str, str | None], ...]:
        """Name and id of everybody who enters."""
        return tuple((each.name, each.id) for each in self.members) or ((self.name, self.id),)

    @cached_property
    def key(self) -> str:
        """What all submissions of one athlete have in common, however their names are written."""
        return "\n".join(sorted(key_of(*each) for each in self.people))

    @cached_property
    def names(self) -> str:
        """The names alone, in the form that compares."""
        return "\n".join(sorted(folded(name) for name, _ in self.people))

    def may_be(self, other: Athlete) -> bool:
        """Whether both may be one: ids tell, and where one has none the names do."""
        is_without = any(id_ is None for each in (self, other) for _, id_ in each.people)
        return self.key == other.key or (is_without and self.names == other.names)


def key_of(name: str, id_: str | None) -> str:
    """Who somebody is: two people of one name with ids are two."""
    return f"name {folded(name)}" if id_ is None else f"id {folded(id_, 'NFC')}"


def athlete_of(names: str | Sequence[str], ids: str | Sequence[str] | None = None) -> Athlete:
    """The athlete of one name, or the team of several; ids in the order of the names. UsageError says what is wrong."""
    people, known = _listed(names), _listed(ids)
    if not people or len(people) > MOST_MEMBERS:
        raise UsageError(f"athlete_name must be a name, or from 1 to {MOST_MEMBERS} of a team", mend="name who enters")
    if known and len(known) != len(people):
        mend = "give an id for each, in the order of the names"
        raise UsageError(f"{len(known)} ids for {len(people)} names", mend=mend)
    every = [
        Person(name=checked_text("athlete_name", name, NAME_LIMIT),
               id=checked_text("athlete_id", known[number], ID_LIMIT) if known else None)
        for number, name in enumerate(people)
    ]  # fmt: skip
    if len({key_of(each.name, each.id) for each in every}) < len(every):
        raise UsageError("somebody is named twice in the team", mend="name everybody once, or give ids")
    if len(every) == 1:
        return Athlete(name=every[0].name, id=every[0].id)
    return Athlete(name=BETWEEN_NAMES.join(each.name for each in every), members=every)


def checked_text(field: str, text: str, limit: int) -> str:
    """A text that an athlete gives, in Unicode's composed form (NFC); UsageError says what is wrong with it."""
    if not isinstance(text, str) or is_blank(text):
        raise UsageError(f"{field} must be a text that is not empty", mend="write something that can be seen")
    if len(text) > limit:
        raise UsageError(f"{field} has {len(text)} characters; at most {limit} are allowed", mend="shorten it")
    if not is_safe(text):
        mend = "type it with printable characters, in a terminal that speaks UTF-8"
        raise UsageError(f"{field} has characters that cannot be shown: {safe_text(text, 60)}", mend=mend)
    return unicodedata.normalize("NFC", text)


def _listed(texts: str | Sequence[str] | None) -> list[str]:
    if texts is None:
        return []
    return list(texts) if isinstance(texts, list | tuple) else [texts]  # type: ignore[list-item]
