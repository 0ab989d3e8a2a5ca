"""Constraints in words: with the digits that it takes to see which side a value is on."""

from __future__ import annotations

import pytest

from tinytorch.competition.rules.events import Constraint, ConstraintResult
from tinytorch.competition.scoring.eligibility import limit_words, value_words

WORDS = [
    ("accuracy", ">=", 0.85, 0.814, "81.4 %", ">= 85 %"),
    ("accuracy", ">=", 0.85, 293 / 360, "81.4 %", ">= 85 %"),
    ("accuracy", ">=", 0.85, 0.84999, "84.999 %", ">= 85 %"),
    ("accuracy", ">=", 0.85, 0.85, "85.0 %", ">= 85 %"),
    ("accuracy", ">=", 0.8, 1.0, "100 %", ">= 80 %"),
    ("latency", "<", 100.0, 99.9999, "99.9999 ms", "< 100 ms"),
    ("latency", "<", 100.0, 100.0, "100 ms", "< 100 ms"),
    ("latency", "<", 100.0, 0.0503, "50.3 us", "< 100 ms"),
    ("memory", "<", 10.0, 12.902, "12.9 MB", "< 10 MB"),
    ("memory", "<", 10.0, None, "not measured", "< 10 MB"),
]


@pytest.mark.parametrize(("metric", "operator", "limit", "value", "shown", "asked"), WORDS)
def test_a_value_and_its_limit_in_words(metric, operator, limit, value, shown: str, asked: str) -> None:
    constraint = Constraint(metric=metric, operator=operator, limit=limit)
    satisfied = None if value is None else constraint.allows(value)
    result = ConstraintResult(metric=metric, operator=operator, limit=limit, value=value, satisfied=satisfied)

    assert (value_words(result), limit_words(result)) == (shown, asked)
