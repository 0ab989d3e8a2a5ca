"""Events and rules: data that is read strictly, constraints with exact boundaries."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tinytorch.benchmarking import statistics
from tinytorch.benchmarking.comparison import MOST_TYPICAL_EXCESS
from tinytorch.competition.events import check_constraints, load_rules, parse_rules
from tinytorch.competition.names import RULES_FILE, OlympicEvent, parse_event
from tinytorch.errors import UsageError
from tinytorch.files import sha256

SHIPPED = RULES_FILE.read_text(encoding="utf-8")

BOUNDARIES = [
    ("latency_sprint", {"accuracy": 0.85}, [True]),
    ("latency_sprint", {"accuracy": 0.8499999}, [False]),
    ("memory_challenge", {"accuracy": 0.85}, [True]),
    ("memory_challenge", {"accuracy": 0.84}, [False]),
    ("accuracy_contest", {"latency": 100.0, "memory": 9.999}, [False, True]),
    ("accuracy_contest", {"latency": 99.999, "memory": 10.0}, [True, False]),
    ("all_around", {}, []),
    ("extreme_push", {"accuracy": 0.80}, [True]),
    ("extreme_push", {"accuracy": 0.79}, [False]),
    ("extreme_push", {"latency": 1.0}, [None]),
    ("accuracy_contest", {"latency": None, "memory": 1}, [None, True]),
    ("accuracy_contest", {"latency": None, "memory": 0.0}, [None, True]),
]


@pytest.mark.parametrize(("event", "metrics", "satisfied"), BOUNDARIES)
def test_constraints_hold_up_to_their_limit(event: str, metrics: dict[str, Any], satisfied: list[bool | None]) -> None:
    """A limit itself satisfies `>=` and misses `<`; a metric that was not measured is neither."""
    assert [result.satisfied for result in check_constraints(OlympicEvent(event), metrics)] == satisfied


def test_a_result_repeats_its_constraint() -> None:
    """A result says what was asked and what was found."""
    (result,) = check_constraints(OlympicEvent.EXTREME_PUSH, {"accuracy": 0.9})

    assert (result.metric, result.operator, result.limit, result.value) == ("accuracy", ">=", 0.80, 0.9)


@pytest.mark.parametrize("value", [85, float("nan"), True, "0.9"])
def test_constraints_refuse_what_is_no_accuracy(value: Any) -> None:
    """A percentage, a NaN, a truth value and a text are not fractions."""
    with pytest.raises(UsageError, match="accuracy"):
        check_constraints(OlympicEvent.LATENCY_SPRINT, {"accuracy": value})


def test_the_rules_cover_every_event_and_know_their_digest() -> None:
    """The shipped rules are complete and identified."""
    rules = load_rules()

    assert set(rules.events) == set(OlympicEvent)
    assert rules.sha256 == sha256(RULES_FILE.read_bytes())


def test_the_rules_and_the_statistics_share_one_significance_level() -> None:
    """Intervals are computed at the level that the rules name."""
    assert load_rules().significance.alpha == pytest.approx(statistics.ALPHA)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("surprise = 1\n" + SHIPPED, "surprise"),
        (SHIPPED.replace("[events.extreme_push]", "[events.extreme]"), "extreme"),
        (SHIPPED[: SHIPPED.index("[events.extreme_push]")], "extreme_push"),
        (SHIPPED.replace("alpha = 0.05", "alpha = 5"), "alpha"),
        (SHIPPED.replace('">="', '">"'), "operator"),
        ("version = ", "rules file"),
        ("when = 2026-01-01", "rules file"),
    ],
)
def test_damaged_rules_are_refused_by_name(text: str, word: str) -> None:
    """Unknown keys, missing events and values out of range say where they stand."""
    with pytest.raises(UsageError, match=word):
        parse_rules(text.encode())


@pytest.mark.parametrize("event", OlympicEvent)
def test_an_event_is_found_by_its_name(event: OlympicEvent) -> None:
    """Every event can be named."""
    assert parse_event(event.value) is event


def test_an_unknown_event_suggests_the_nearest() -> None:
    """A slip of the pen is mended by the message."""
    with pytest.raises(UsageError) as caught:
        parse_event("latency_spirnt")

    assert "latency_sprint" in caught.value.mend


def test_events_are_light_to_import() -> None:
    """`status` and `--help` may name events without numpy or scipy."""
    code = "import sys, tinytorch.competition.events as e; e.load_rules(); print({'numpy', 'scipy'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "set()"


def test_a_benchmark_without_rules_guards_as_the_shipped_rules_do() -> None:
    """One number, for people who have no event in mind."""
    assert load_rules().significance.typical_excess == MOST_TYPICAL_EXCESS
