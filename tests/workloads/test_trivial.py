"""What takes no thought wins nothing: ten trivial entries for each default task, judged as submissions are.

Each is given a speed that nobody has, and the honest strategies have what was measured of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.competition.conftest import fresh as fresh_of
from tests.competition.conftest import make_run, model_record
from tests.workloads.trivial import DEFAULT_TASKS, Trivial, trivial_entries
from tinytorch.benchmarking.footprint import footprint
from tinytorch.competition.checks.validation import validate_submission
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.rules.events import Rules, former_rules
from tinytorch.competition.rules.tasks import facts_of
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.metrics import accuracy
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.task import baseline_of

SHOWN = Path(__file__).parents[2] / "benchmarks" / "strategies.jsonl"
FASTER = {"fashion_mlp": 100, "fashion_cnn": 300, "words": 30_000}  # than the baseline: a call of 1 or 2 microseconds
BASELINE_NS, FRESH = 100_000_000, 1000
PICTURES, PROMPTS = 500, 8  # of each: models without a cache take long


Contest = tuple[str, list[tuple[Trivial, tuple[float, float]]]]


def judged(
    task: str, entry: Trivial, shares: Sequence[float], event: OlympicEvent, rules: Rules | None = None
) -> float | None:
    """What an entry with these shares of the test set and of new samples scores in an event; None: it is not ranked."""
    known, fresh = shares
    facts = facts_of(task)
    models = [("baseline", BASELINE_NS, baseline_bytes(task), reference(task), reference(task)),
              ("optimized", BASELINE_NS // FASTER[task], entry.kept_bytes, known, fresh)]  # fmt: skip
    records = {
        role: model_record(
            role, number, nanoseconds, size, round(facts.test_samples * right), facts.test_samples
        ).model_copy(
            update={
                "fresh_answers": fresh_of(round(FRESH * anew), FRESH),
                "layer_kinds": facts.layer_kinds,
                "parameters": facts.parameters,
            }
        )
        for number, (role, nanoseconds, size, right, anew) in enumerate(models)
    }
    run = make_run()
    known_task = {"name": task, "test_samples": facts.test_samples, "dataset_sha256": facts.dataset_sha256}
    named = run.task.model_copy(update=known_task)
    document = submission_from_run(
        run.model_copy(update={"task": named, **records}), event=event, athlete_name="Ada",
        division=entry.division, rules=rules,
    )  # fmt: skip
    values = {**document["derived"]["scores"], "accuracy": known}
    ranked_by = {"latency_sprint": "speedup", "memory_challenge": "compression_ratio", "accuracy_contest": "accuracy"}
    return values[ranked_by.get(event, event.value)] if validate_submission(document, rules)["valid"] else None


def shares_of(task: str, entries: Sequence[Trivial]) -> list[tuple[float, float]]:
    """What each has right, of the test set and of new samples."""
    _, test = find_task(task).load_data()
    fresh = find_task(task).fresh_samples(np.random.default_rng(0))
    some = PROMPTS if task == "words" else PICTURES
    splits = [TensorDataset(split.inputs[:some], split.labels[:some]) for split in (test, fresh)]
    return [tuple(accuracy(entry.model, split) for split in splits) for entry in entries]


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
def contest(request: pytest.FixtureRequest) -> Contest:
    entries = list(trivial_entries(request.param))
    return request.param, list(zip(entries, shares_of(request.param, entries), strict=True))


def test_ten_trivial_entries_stand_below_the_honest_ones(contest: Contest) -> None:
    task, entries = contest
    best = honest(task)
    found = {
        (entry.name, event.value): score
        for entry, shares in entries
        for event in OlympicEvent
        if (score := judged(task, entry, shares, event)) is not None and score >= best[event]
    }

    assert len(entries) == 10
    assert found == {}


def test_a_lookup_of_the_test_set_is_right_there_and_nowhere_else(contest: Contest) -> None:
    task, entries = contest
    ((entry, (known, fresh)),) = [each for each in entries if each[0].name == "a lookup of the test set"]

    assert (known, fresh < 0.3) == (1.0, True)
    assert judged(task, entry, (known, fresh), OlympicEvent.ACCURACY_CONTEST) is None


def test_by_the_former_rules_a_constant_answer_would_win(contest: Contest) -> None:
    """So the judging above can tell: its errors cost at most a factor that size and speed pay back."""
    task, entries = contest
    entry, shares = entries[0]
    score = judged(task, entry, shares, OlympicEvent.ALL_AROUND, former_rules("1.1"))

    assert score > 10 * honest(task)["all_around"]
