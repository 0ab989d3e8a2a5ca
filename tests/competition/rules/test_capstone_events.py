"""The capstone: five events, each enforced from measurement to verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tinytorch.competition import OlympicEvent, generate_submission, validate_submission
from tinytorch.competition.checks.validation import validate_bytes
from tinytorch.competition.record.run import Run
from tinytorch.competition.record.submission import Submission, content_digest
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.competition.scoring.scores import compared, compute_scores

BASELINE = {"latency": 200.0, "memory": 12.0, "accuracy": 0.90}

# event, optimized (latency ms, memory MB, accuracy), valid
LIMITS = [
    ("latency_sprint", (40.0, 3.0, 0.85), True),
    ("latency_sprint", (40.0, 3.0, 0.8499), False),
    ("memory_challenge", (40.0, 3.0, 0.85), True),
    ("memory_challenge", (40.0, 3.0, 0.84), False),
    ("accuracy_contest", (99.99, 9.99, 0.10), True),
    ("accuracy_contest", (100.0, 9.99, 0.99), False),
    ("accuracy_contest", (99.99, 10.0, 0.99), False),
    ("all_around", (500.0, 50.0, 0.10), True),
    ("extreme_push", (40.0, 3.0, 0.80), True),
    ("extreme_push", (40.0, 3.0, 0.79), False),
]


@pytest.mark.parametrize(("event", "numbers", "valid"), LIMITS)
def test_event_constraints(event: str, numbers: tuple[float, float, float], valid: bool) -> None:
    """A submission that misses its event's constraint is invalid, and exactly at the limit it is what the rules say."""
    optimized = dict(zip(BASELINE, numbers, strict=True))
    document = generate_submission(
        baseline_results=BASELINE,
        optimized_results=optimized,
        event=OlympicEvent(event),
        athlete_name="Ada",
        techniques=["pruning"],
    )
    result = validate_submission(document)
    (check,) = [check for check in result["checks"] if check["name"] == "constraints"]

    assert (result["valid"], check["passed"]) == (valid, valid)
    assert all(constraint["satisfied"] for constraint in document["derived"]["constraints"]) is valid
    assert valid or any("constraint missed" in issue for issue in result["issues"])


@pytest.mark.parametrize("event", OlympicEvent)
def test_event_constraints_of_measured_models(event: OlympicEvent, make_run: Callable[..., Run]) -> None:
    """A measured entry is held to the same constraints: a good one qualifies everywhere, a wild guesser hardly."""
    good = submission_from_run(make_run(), event=event, athlete_name="Ada")
    guesser = submission_from_run(make_run(correct=36, kept_bytes=11_000_000), event=event, athlete_name="Ada")

    assert validate_submission(good)["valid"]
    assert validate_submission(guesser)["valid"] is (event is OlympicEvent.ALL_AROUND)


@pytest.mark.parametrize("event", OlympicEvent)
def test_submission_generation(event: OlympicEvent, run: Run) -> None:
    """A generated submission is plain JSON, follows the schema, recomputes and validates."""
    document: dict[str, Any] = submission_from_run(run, event=event, athlete_name="Ada")
    text = json.dumps(document, indent=2)
    record = Submission.model_validate(json.loads(text))

    assert json.loads(text) == document
    assert record.derived.scores == compute_scores(record.run)
    assert record.derived.statistics == compared(record.run)
    assert record.digest == content_digest(document)
    assert datetime.fromisoformat(document["declaration"]["created_at"]).tzinfo is not None
    assert validate_bytes(text.encode())["issues"] == []
