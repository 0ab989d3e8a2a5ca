"""What takes no thought wins nothing: ten trivial entries for each default task, judged as submissions are.

Each is given a speed that nobody has, and the honest strategies have what was measured of them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.competition.conftest import make_run, model_record
from tests.workloads.trivial import DEFAULT_TASKS, Trivial, trivial_entries
from tinytorch.benchmarking.footprint import footprint
from tinytorch.benchmarking.records.metrics import FreshAnswers
from tinytorch.competition.checks.validation import validate_submission
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.metrics import accuracy
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.task import baseline_of

SHOWN = Path(__file__).parents[2] / "benchmarks" / "strategies.jsonl"
FASTER = {"fashion_mlp": 100, "fashion_cnn": 300, "words": 30_000}  # than the baseline: a call of 1 or 2 microseconds
BASELINE_NS, SAMPLES, FRESH = 100_000_000, 4000, 1000
ASKED = 24  # prompts of the test set: models without a cache take long


def judged(task: str, entry: Trivial, event: OlympicEvent) -> float | None:
    """What it scores in an event; None where it is not ranked."""
    known, fresh = (accuracy(entry.model, samples) for samples in asked(task))
    models = [("baseline", BASELINE_NS, baseline_bytes(task), reference(task), reference(task)),
              ("optimized", BASELINE_NS // FASTER[task], entry.kept_bytes, known, fresh)]  # fmt: skip
    records = {
        role: model_record(role, number, nanoseconds, size, round(SAMPLES * right), SAMPLES).model_copy(
            update={"fresh_answers": FreshAnswers(correct=round(FRESH * anew), total=FRESH)}
        )
        for number, (role, nanoseconds, size, right, anew) in enumerate(models)
    }
    run = make_run()
    named = run.task.model_copy(update={"name": task, "test_samples": SAMPLES})
    document = submission_from_run(
        run.model_copy(update={"task": named, **records}), event=event, athlete_name="Ada", division=entry.division
    )
    values = {**document["derived"]["scores"], "accuracy": known}
    ranked_by = {"latency_sprint": "speedup", "memory_challenge": "compression_ratio", "accuracy_contest": "accuracy"}
    return values[ranked_by.get(event, event.value)] if validate_submission(document)["valid"] else None


def asked(task: str) -> tuple[TensorDataset, TensorDataset]:
    """Of the test set, and of new samples, as many as are needed."""
    _, test = find_task(task).load_data()
    fresh = find_task(task).fresh_samples(np.random.default_rng(0))
    some = ASKED if task == "words" else len(test)
    return tuple(TensorDataset(split.inputs[:some], split.labels[:some]) for split in (test, fresh))


def baseline_bytes(task: str) -> int:
    return footprint(baseline_of(find_task(task))).kept_bytes


def reference(task: str) -> float:
    lines = [json.loads(line) for line in SHOWN.read_text().splitlines()]
    return max(line["accuracy"] for line in lines if line["task"] == task and "seed" not in line)


def honest(task: str) -> dict[str, float]:
    """What each event's reference strategy scored when it was measured."""
    lines = [json.loads(line) for line in SHOWN.read_text().splitlines()]
    return {line["event"]: line["score"] for line in lines if line["task"] == task and "seed" not in line}


@pytest.fixture(scope="module", params=DEFAULT_TASKS)
def contest(request: pytest.FixtureRequest) -> tuple[str, list[Trivial]]:
    return request.param, list(trivial_entries(request.param))


def test_ten_trivial_entries_stand_below_the_honest_ones(contest: tuple[str, list[Trivial]]) -> None:
    task, entries = contest
    best = honest(task)
    found = {
        (entry.name, event.value): score
        for entry in entries
        for event in OlympicEvent
        if (score := judged(task, entry, event)) is not None and score >= best[event]
    }

    assert len(entries) == 10
    assert found == {}


def test_a_lookup_of_the_test_set_is_right_there_and_nowhere_else(contest: tuple[str, list[Trivial]]) -> None:
    task, entries = contest
    (entry,) = [entry for entry in entries if entry.name == "a lookup of the test set"]
    known, fresh = (accuracy(entry.model, samples) for samples in asked(task))

    assert (known, fresh < 0.3) == (1.0, True)
    assert judged(task, entry, OlympicEvent.ACCURACY_CONTEST) is None
