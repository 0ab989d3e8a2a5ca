"""Events and rules: data that is read strictly, constraints with exact boundaries."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tinytorch.benchmarking import statistics
from tinytorch.benchmarking.comparison import MOST_TYPICAL_EXCESS
from tinytorch.competition.names import RULES_FILE, OlympicEvent, parse_event
from tinytorch.competition.rules.events import check_constraints, load_rules, parse_rules, read_rules
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
        (SHIPPED.replace("alpha = 0.05", "alpha = 1e-30"), "alpha"),
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
    assert parse_event(event.value) == event


def test_an_unknown_event_suggests_the_nearest() -> None:
    """A slip of the pen is mended by the message."""
    with pytest.raises(UsageError) as caught:
        parse_event("latency_spirnt")

    assert "latency_sprint" in caught.value.mend


def test_events_are_light_to_import() -> None:
    """`status` and `--help` may name events without numpy or scipy."""
    code = (
        "import sys; from tinytorch.competition.rules.events import load_rules; "
        "load_rules(); print({'numpy', 'scipy'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "set()"


def test_a_benchmark_without_rules_guards_as_the_shipped_rules_do() -> None:
    """One number, for people who have no event in mind."""
    assert load_rules().significance.typical_excess == MOST_TYPICAL_EXCESS


CLASS = """
extends = "2.3"
version = "my class"
[significance]
session_spread = 0.02
[events.latency_sprint]
constraints = [{ metric = "accuracy", operator = ">=", limit = 0.99 }]
"""


def test_rules_of_a_class_say_only_what_is_different() -> None:
    """The rest stays what it is, and the digest is of both files."""
    rules, shipped = parse_rules(CLASS.encode()), load_rules()

    assert (rules.version, rules.significance.session_spread) == ("my class", 0.02)
    assert rules.significance.alpha == shipped.significance.alpha
    assert rules.events[OlympicEvent.LATENCY_SPRINT].constraints[0].limit == 0.99
    assert rules.events[OlympicEvent.EXTREME_PUSH] == shipped.events[OlympicEvent.EXTREME_PUSH]
    assert rules.sha256 == sha256(RULES_FILE.read_bytes() + CLASS.encode())


TWICE = 'constraints = [{ metric = "accuracy", operator = ">=", limit = 0.9 }, ' \
    '{ metric = "accuracy", operator = ">=", limit = 0.8 }]'  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('extends = "2.3"', 'extends = "0.9"'), "it extends '0.9', and the shipped rules are 2.3"),
        (('version = "my class"', ""), "a name of its own"),
        (('"my class"', '"2.3"'), "a name of its own"),
        (("0.02", "0.01"), "significance.session_spread has no effect"),
        (("0.99", "0.85"), "events.latency_sprint.constraints has no effect"),
        (("session_spread", "session_spred"), "session_spred"),
        (('constraints = [{ metric = "accuracy", operator = ">=", limit = 0.99 }]', TWICE), "two limits of one kind"),
        (("0.02", '"much"'), "session_spread"),
        (("latency_sprint", "latency_run"), "latency_run"),
    ],
)
def test_rules_of_a_class_that_make_no_sense_are_refused(change: tuple[str, str], message: str) -> None:
    """Unknown keys, and rules without effect, by their names."""
    with pytest.raises(UsageError, match=message) as caught:
        parse_rules(CLASS.replace(*change).encode())

    assert caught.value.mend


def test_rules_in_a_pipe_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rules.toml")
    with pytest.raises(UsageError, match=r"cannot read .*it is a pipe"):
        read_rules(tmp_path / "rules.toml")


def test_without_a_file_the_rules_are_the_shipped_ones(tmp_path: Path) -> None:
    """And a file that is not there is no reason to take them."""
    (tmp_path / "class.toml").write_text(CLASS)

    assert read_rules(None) is load_rules()
    assert read_rules(tmp_path / "class.toml").version == "my class"
    with pytest.raises(UsageError, match="cannot read"):
        read_rules(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="it is a device"):
        read_rules(Path("/dev/zero"))


@pytest.mark.parametrize("scoring", ["", "points_per_doubling = 1.0\nerror_ratio_smoothing = 0.005"])
def test_accuracy_is_worth_something_by_one_formula(scoring: str) -> None:
    text = re.sub(r"(?s)\[scoring\].*?\n\n", f"[scoring]\n{scoring}\n\n", SHIPPED)

    with pytest.raises(UsageError, match="and not both"):
        parse_rules(text.encode())
