"""Moments in files: each is one that every clock can show, and what is none is told why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tinytorch.benchmarking.records.record import Moment, Record


class Then(Record):
    at: Moment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-11-01T00:00:00", "it names no time zone"),
        ("2026-11-01", "it names no time zone"),
        ("2026-11-01T23:59:60Z", "it lies in a leap second"),
        ("0001-01-01T00:00:00Z", "between the years 1970 and 9998"),
        ("0000-01-01T00:00:00Z", "between the years 1970 and 9998"),
        ("9999-12-31T23:59:59Z", "between the years 1970 and 9998"),
        ("2026-02-30T00:00:00Z", "there is no such moment as 2026-02-30"),
        ("2026-11-01T00:00:00+24:00", "there is no such moment"),
        ("1761955200", "written like this, as text: 2026-03-01T12:00:00Z"),
        (1761955200, "written like this, as text: 2026-03-01T12:00:00Z"),
        ("yesterday", "written like this, as text: 2026-03-01T12:00:00Z"),
        ("٢026-11-01T00:00:00Z", "written like this, as text: 2026-03-01T12:00:00Z"),
    ],
)
def test_what_is_no_moment_is_told_in_one_sentence(text: object, words: str) -> None:
    with pytest.raises(ValidationError) as told:
        Then.model_validate({"at": text})
    (error,) = told.value.errors()

    assert words in error["msg"]


@given(st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 30), timezones=st.just(UTC)))
def test_a_moment_comes_back_as_it_went(at: datetime) -> None:
    assert Then.model_validate_json(Then(at=at).model_dump_json()).at == at
