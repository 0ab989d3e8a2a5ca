"""Every rule changes what is judged: one that does not would be a promise that nobody keeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from tests.competition.checks.test_refereed import CONTROLS, GOOD
from tests.competition.checks.test_validation import NEGATIVE_CONTROLS
from tests.competition.conftest import known_run, make_run
from tinytorch.benchmarking.records.metrics import Memory
from tinytorch.competition.checks import verification
from tinytorch.competition.checks.validation import PAGES, findings_of
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.parsing import parse_object
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules, load_rules
from tinytorch.competition.scoring.agreement import agreements
from tinytorch.competition.scoring.disturbance import disturbance_of
from tinytorch.competition.scoring.eligibility import eligibility
from tinytorch.competition.scoring.expectation import standing
from tinytorch.competition.scoring.scores import compute_scores

SHIPPED = load_rules().model_dump(mode="json", exclude_none=True)
FLOORS = SHIPPED["disturbance"]["floors"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every single rule."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    elif value != []:
        yield path


def others(value: Any) -> list[Any]:
    """Other values that a rule might have."""
    match value:
        case bool():
            return [not value]
        case int():
            return [0, value - 1, value * 1000, 10**9]
        case float():
            return [value * 1000, value / 1000, value / 2, value + 0.5, (1 + value) / 2]
        case [*_]:
            return [[]]
        case _:
            return ["other", "accuracy", "speedup", "latency", "<", ">="]


def with_rule(path: tuple[Any, ...], value: Any) -> Rules | None:
    """The shipped rules but for one; None where it may not be so."""
    document = json.loads(json.dumps(SHIPPED))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    try:
        return Rules.model_validate_json(json.dumps(document))
    except ValidationError:
        return None


def opened(document: dict[str, Any]) -> None:
    """What the open division allows."""
    document["declaration"]["division"] = "open"
    NEGATIVE_CONTROLS["layer_kinds"](document)
    NEGATIVE_CONTROLS["accuracy_gain"](document)


def half_hidden(document: dict[str, Any]) -> None:
    """Of a version that does not count the artifact, which is not twice what was counted."""
    memory = Memory.from_bytes(3_000_000, 5_000_000, 100, [], None)
    document["run"]["optimized"]["metrics"]["memory"] = memory.model_dump()
    document["run"]["protocol"]["mode"] = "this process"


def wholly_hidden(document: dict[str, Any]) -> None:
    """The same, with far more in the artifact."""
    half_hidden(document)
    NEGATIVE_CONTROLS["kept_bytes"](document)


def named(run: Run, task: str) -> Run:
    """The same numbers of another task."""
    return run.model_copy(update={"task": run.task.model_copy(update={"name": task})})


def refereed_entries() -> list[Any]:
    """One with which all is well, and those that checks fail on."""
    return [GOOD, *(make() for make in CONTROLS.values())]


@pytest.fixture(scope="module")
def judged(
    submission: dict[str, Any], run: Run, change: Callable[..., dict[str, Any]]
) -> Callable[[Rules], Iterator[Any]]:
    """Everything that rules decide of a run and of a good and many bad submissions, one after the other."""
    documents = [
        submission,
        *(change(submission, mutate) for mutate in (*NEGATIVE_CONTROLS.values(), opened, half_hidden, wholly_hidden)),
    ]
    young = known_run(hours=3)
    parsed = [parse_object(document) for document in documents]

    def judge(rules: Rules) -> Iterator[Any]:
        scores = compute_scores(run, rules)
        yield from (scores, eligibility(run, scores, rules))
        yield from (compute_scores(named(run, task), rules) for task in rules.reference_accuracy)
        yield from (standing(run, event, rules) for event in OlympicEvent)
        yield from (disturbance_of(named(each, task), rules)
                    for task in ("another", *FLOORS) for each in (run, young))  # fmt: skip
        yield from (findings_of(one, rules) for one in parsed)
        yield agreements(run, make_run(correct=340, typical_ns=260_000), rules)
        for rerun in (replace(each, rules=rules) for each in refereed_entries()):
            found = verification.findings_of(rerun)
            yield found, verification.no_t3(rerun, found)

    return judge


@pytest.fixture(scope="module")
def as_shipped(judged: Callable[[Rules], Iterator[Any]]) -> list[Any]:
    """By the rules as they are."""
    return list(judged(load_rules()))


@pytest.mark.parametrize("path", list(leaves(SHIPPED)), ids=lambda path: ".".join(map(str, path)))
def test_another_value_of_a_rule_changes_what_is_judged(
    path: tuple[Any, ...], judged: Callable[[Rules], Iterator[Any]], as_shipped: list[Any]
) -> None:
    value = SHIPPED
    for key in path:
        value = value[key]
    changed = [rules for other in others(value) if other != value and (rules := with_rule(path, other))]

    assert changed
    assert any(found != before for rules in changed for found, before in zip(judged(rules), as_shipped, strict=False))


def looked_by() -> set[str]:
    """The rules that pages of checks name."""
    return {rule for page in PAGES.values() for rule in page.rules}


def test_every_rule_is_looked_by() -> None:
    """Its page says by which check."""
    rules = {".".join(map(str, path)) for path in leaves(SHIPPED)}
    unnamed = {rule for rule in rules if not any(rule == name or rule.startswith(f"{name}.") for name in looked_by())}

    assert unnamed == set()


def test_every_rule_that_a_check_names_is_there() -> None:
    """And a check that names none says why it holds without."""
    rules = [".".join(map(str, path)) for path in leaves(SHIPPED)]

    assert [name for name in looked_by() if not any(f"{rule}.".startswith(f"{name}.") for rule in rules)] == []
    assert all(page.why for page in PAGES.values() if not page.rules)
