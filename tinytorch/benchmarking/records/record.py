"""What every record is, and the types that their fields are made of."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

BETWEEN_NAMES = ", "

Hexadecimal = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})*$")]
SessionId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
CallTime = Annotated[float, Field(ge=1e-3, le=1e18)]  # nanoseconds: from a picosecond to thirty years
Size = Annotated[int, Field(ge=0, le=10**18)]  # bytes, nanoseconds, numbers of things: what a worker may say
Threads = Annotated[int, Field(gt=0, le=10_000)]
MOST_HOURS = 50  # of the clock, from which a machine is known
Hours = Annotated[int, Field(gt=0, le=MOST_HOURS)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]  # of things a second
SomeNames = Annotated[list[Annotated[str, StringConstraints(max_length=1000)]], Field(max_length=10_000)]
Kinds = Annotated[list[Text], Field(max_length=10_000)]
Fraction = Annotated[float, Field(ge=0, le=1)]


def _moment(value: Any) -> Any:
    """A moment in ISO 8601 with its zone, which can be told in any zone; ValueError says what it is not."""
    if isinstance(value, datetime):
        return value
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a moment is written like this, as text: 2026-03-01T12:00:00Z")
    if not FIRST_YEAR <= int(found["year"]) <= LAST_YEAR:
        raise ValueError(f"a moment lies between the years {FIRST_YEAR} and {LAST_YEAR}")
    if found["zone"] is None:
        raise ValueError("it names no time zone: write 2026-03-01T12:00:00Z, where Z is UTC")
    if found["second"] == "60":
        raise ValueError("it lies in a leap second (60), which no computer's clock shows")
    try:
        return datetime.fromisoformat(found[0])
    except ValueError as error:
        raise ValueError(f"there is no such moment as {found[0]}") from error


def _split(value: Any) -> Any:
    return [each for each in value.split(BETWEEN_NAMES) if each] if isinstance(value, str) else value


def _joined(names: list[str]) -> str:
    return BETWEEN_NAMES.join(name.replace(BETWEEN_NAMES, " ") for name in names)


Names = Annotated[  # in a file one text, on one line
    Kinds, BeforeValidator(_split), PlainSerializer(_joined),
    WithJsonSchema({"type": "string"}),
]  # fmt: skip
FIRST_YEAR, LAST_YEAR = 1970, 9998
_MOMENT = re.compile(
    r"(?P<year>\d{4})-\d\d-\d\d(?:[T ]\d\d:\d\d:(?P<second>\d\d)(?:\.\d{1,9})?)?(?P<zone>Z|[+-]\d\d:\d\d)?", re.ASCII
)
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_moment)]


STRICTLY = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)
Value = TypeVar("Value", bound=Hashable)
_NO_FIELDS: set[str] = set()


@lru_cache(1000)
def one_of_equal(value: Value) -> Value:
    """The same, and the same object for all that are equal: of thousands of files most are of a few tasks."""
    return value


class Record(BaseModel):
    """Base of every record: strict, immutable, no unknown keys, no infinities."""

    model_config = {**STRICTLY, "frozen": True}

    def model_post_init(self, context: Any, /) -> None:
        """Forget which fields were given, which nobody asks: that is a third of what a record takes in memory."""
        object.__setattr__(self, "__pydantic_fields_set__", _NO_FIELDS)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The same with other values, and without what was derived from the former ones and kept."""
        copied = super().model_copy(update=update, deep=deep)
        for derived in copied.__dict__.keys() - type(copied).model_fields.keys():
            del copied.__dict__[derived]
        return copied
