"""Submissions: what they hold, what they refuse, what stays None."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from tinytorch.benchmarking.benchmark import BenchmarkResults
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.schedule import BLOCK_SHAPES, MOST_VISITS, TIERS
from tinytorch.competition import OlympicEvent, generate_submission, validate_submission
from tinytorch.competition.record.document import json_schema
from tinytorch.competition.record.run import Run
from tinytorch.competition.record.submission import Submission, Trust
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.errors import UsageError

BASELINE = {"latency": 100.0, "memory": 12.0, "accuracy": 0.90}
OPTIMIZED = {"latency": 40.0, "memory": 3.0, "accuracy": 0.88}


def claimed(**changes: Any) -> dict[str, Any]:
    """A submission of numbers given by hand."""
    arguments: dict[str, Any] = {
        "baseline_results": BASELINE, "optimized_results": OPTIMIZED, "event": OlympicEvent.LATENCY_SPRINT,
        "athlete_name": "Ada", "techniques": ["INT8 Quantization"], **changes,
    }  # fmt: skip
    return generate_submission(**arguments)


def test_numbers_by_hand_make_a_claimed_submission() -> None:
    """Nothing is known about where the numbers came from, and the file says so."""
    document = claimed()

    assert document["derived"]["trust"] == "T0"
    assert Trust(document["derived"]["trust"]).word == "claimed"
    assert [document["run"][key] for key in ("system_info", "protocol", "source", "task")] == [None] * 4
    assert document["derived"]["scores"]["speedup"] == 2.5
    assert document["derived"]["statistics"]["speedup"]["p_value"] is None


def test_a_claimed_submission_is_valid_with_unchecked_statistics() -> None:
    """Constraints are checked; what has no raw samples could not be."""
    report = validate_submission(claimed())
    outcomes = {check["name"]: check["passed"] for check in report["checks"]}

    assert report["valid"], report["issues"]
    assert outcomes["constraints"] is True
    assert {outcomes[name] for name in ("latency_statistics", "statistics", "layer_kinds")} == {None}


def test_benchmark_results_make_a_consistent_submission(run: Run) -> None:
    """Measured results bring their machine, their protocol and their paired statistics."""
    partner = BenchmarkResults(run.baseline, run.protocol, run.system_info, "one")
    optimized = BenchmarkResults(run.optimized, run.protocol, run.system_info, "one", partner)
    document = claimed(baseline_results=partner, optimized_results=optimized, task=run.task)

    assert document["derived"]["trust"] == "T1"
    assert document["run"]["protocol"]["seed"] == 0
    assert document["derived"]["statistics"]["speedup"]["p_value"] < 0.05
    assert validate_submission(document)["issues"] == []


def test_a_run_keeps_its_task_source_division_and_techniques(run: Run) -> None:
    """What the run declared stands in the submission."""
    document = submission_from_run(run, event="all_around", athlete_name="Ada")

    assert document["run"]["task"]["name"] == "digits_mlp"
    assert document["run"]["source"]["name"] == "prune"
    declared = document["declaration"]
    assert (declared["division"], declared["techniques"]) == ("closed", ["structured pruning"])


def test_the_same_input_gives_the_same_digest() -> None:
    """Nothing random goes into a submission."""
    moment = datetime(2026, 3, 1, tzinfo=UTC)

    assert claimed(created_at=moment) == claimed(created_at=moment)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"athlete_name": ""}, "athlete_name must be a text"),
        ({"athlete_name": " \t"}, "athlete_name must be a text"),
        ({"athlete_name": "x" * 101}, "101 characters"),
        ({"athlete_name": "A\u202eda"}, "athlete_name has characters"),
        ({"athlete_name": "A\x1b[31m"}, "athlete_name has characters"),
        ({"athlete_name": "A\ud800"}, "athlete_name has characters"),
        ({"techniques": ["ok", "no\x00"]}, "technique has characters"),
        ({"techniques": "INT8"}, "techniques must be a list"),
        ({"techniques": ["x"] * 33}, "techniques must be a list"),
        ({"github_repo": "javascript:alert(1)"}, "not a web address"),
        ({"github_repo": "https://a b.c"}, "not a web address"),
        ({"github_repo": "https://h.io/" + "x" * 200}, "characters"),
        ({"event": "latency"}, "unknown event"),
        ({"division": "half-open"}, "unknown division"),
        ({"created_at": datetime(2026, 3, 1)}, "time zone"),
    ],
)
def test_bad_declarations_are_refused(changes: dict[str, Any], words: str) -> None:
    """Each text is checked before anything is written."""
    with pytest.raises(UsageError, match=words):
        claimed(**changes)


def test_the_schema_names_every_field() -> None:
    """The published schema is that of the record, and can be written as JSON."""
    schema = json_schema(Submission)

    assert set(schema["properties"]) == set(Submission.model_fields)
    assert schema["additionalProperties"] is False
    assert json.loads(json.dumps(schema)) == schema


def test_a_person_can_open_a_submission_of_the_default_tier(run: Run) -> None:
    """The most that it measures: all visits, of two models whose samples are batches of just above 100 us."""
    shape = (TIERS["default"].processes * 2, MOST_VISITS * BLOCK_SHAPES[0].block_pairs, BLOCK_SHAPES[0].timed)
    generator = np.random.default_rng(0)
    times = (Latency.from_samples(generator.integers(100_000, 120_000, shape), 1, 2, "0" * 16) for _ in range(2))
    models = {
        role: model.model_copy(update={"metrics": model.metrics.model_copy(update={"latency": latency})})
        for (role, model), latency in zip(
            (("baseline", run.baseline), ("optimized", run.optimized)), times, strict=True
        )
    }
    text = json.dumps(
        submission_from_run(run.model_copy(update=models), event="all_around", athlete_name="A"), indent=2
    )

    assert len(text) <= 250_000
    assert text.count("\n") < 310
