"""An assignment, as an instructor writes it once: `class.toml`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from tinytorch.competition.grading.points import Points, points_of
from tinytorch.competition.grading.times import moment, zoned
from tinytorch.competition.names import Division, Track, parse_event
from tinytorch.competition.rules.events import EventName, Rules
from tinytorch.competition.rules.toml import read_toml
from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason
from tinytorch.showing import nearest, safe_text

FILE_NAME = "class.toml"
LARGEST_BYTES = 1_000_000
NO_POINTS = 'write points into class.toml, in the folder or named by --class FILE: points = { "1x" = 0, "20x" = 100 }'
PSEUDONYMS = "pseudonyms.csv"
MEND = "docs/class.md shows a class.toml"
FILES = ("rules", "roster", "times", "key")

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Assignment(BaseModel):
    """What a class is asked for: all of it may be left out. Files are named beside the one that this stands in.

    `points` are those of every event, `event_points` of one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    title: Name | None = None
    task: Name | None = None
    events: list[EventName] = Field(default_factory=list)
    division: Division | None = None
    track: Track | None = None
    deadline: datetime | None = None
    names: Name | None = None
    rules: Path | None = None
    roster: Path | None = None
    times: Path | None = None
    key: Path | None = None
    points: Points | None = None
    event_points: dict[EventName, Points] = Field(default_factory=dict)

    @field_validator("deadline", mode="before")
    @classmethod
    def _has_its_zone(cls, value: Any) -> Any:
        if isinstance(value, date) and not isinstance(value, datetime):
            raise ValueError("write the time and its zone: 2026-12-15T23:59:00+01:00")
        if isinstance(value, str):
            return moment(value)
        if not isinstance(value, datetime):
            raise ValueError("it is no time: 2026-12-15T23:59:00+01:00")
        return zoned(value)

    @field_validator("events")
    @classmethod
    def _are_named_once(cls, value: list[EventName]) -> list[EventName]:
        if len(set(value)) < len(value):
            raise ValueError("an event is named twice")
        return value

    @field_validator("points", mode="before")
    @classmethod
    def _points(cls, value: Any) -> Any:
        return _read_points(value)

    @field_validator("event_points", mode="before")
    @classmethod
    def _points_of_events(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: _read_points(each, f"{name}: ") for name, each in value.items()}

    def points_of(self, event: str) -> Points | None:
        """What an event's scores or ranks are worth; None where nothing is said."""
        return self.event_points.get(event, self.points)

    def check_events(self, rules: Rules) -> None:
        """UsageError for an event that the rules do not have."""
        for event in (*self.events, *self.event_points):
            parse_event(event, rules.events)

    def check_points(self, rules: Rules) -> None:
        """UsageError where no event has points, or one that is asked for has none, or of another unit."""
        without = [event for event in self.events if self.points_of(event) is None]
        if without or not self.gives_points:
            what = f"{without[0]} is" if without else "anything is"
            raise UsageError(f"nothing says how many points {what} worth", mend=NO_POINTS)
        for event in {*self.events, *self.event_points}:
            points, ranked_by = self.points_of(event), rules.events[event].ranked_by
            if points and not points.fits(ranked_by):
                unit = "90 %" if ranked_by == "accuracy" else "20x"
                raise UsageError(f"points of {event} stand at another unit", mend=f'it ranks by {ranked_by}: "{unit}"')

    @property
    def gives_points(self) -> bool:
        """Whether anything is worth points."""
        return self.points is not None or bool(self.event_points)

    def beside(self, folder: Path) -> Self:
        """The same with its files named from where we stand, and a place for pseudonyms beside it."""
        found = {name: folder / path for name in FILES if (path := getattr(self, name)) is not None}
        found.setdefault("key", folder / PSEUDONYMS)
        return self.model_copy(update=found)


def _read_points(value: Any, place: str = "") -> Any:
    if not isinstance(value, dict) or not all(type(each) in (int, float) for each in value.values()):
        raise ValueError(f'{place}it is no table of numbers like {{ "1x" = 0, "20x" = 100 }}')
    try:
        return points_of(value)
    except UsageError as error:
        raise ValueError(f"{place}{error.message}") from error


def parse_assignment(content: bytes) -> Assignment:
    """An assignment from the bytes of its file; UsageError names the first thing that is wrong with it."""
    try:
        document = read_toml(content)
    except ValueError as error:
        raise UsageError(str(error), mend=MEND) from error
    if "extends" in document:
        raise UsageError("it is a file of rules, not of a class", mend="rename it, and name it with --rules")
    try:
        return Assignment.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = safe_text(".".join(map(str, first["loc"])))
        is_unknown = first["type"] == "extra_forbidden" and len(first["loc"]) == 1
        words = "there is no such key" if is_unknown else safe_text(first["msg"].removeprefix("Value error, "))
        mend = nearest(str(first["loc"][0]), Assignment.model_fields) if is_unknown else MEND
        raise UsageError(f"{place}: {words}", mend=mend) from error


def read_assignment(path: Path) -> Assignment:
    """The assignment in a file; UsageError when it cannot be read or is wrong."""
    try:
        return parse_assignment(read_regular(path, LARGEST_BYTES, may_lead_out=True)).beside(path.parent)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", mend=error.mend) from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}", mend="give a class.toml that you can read") from error
