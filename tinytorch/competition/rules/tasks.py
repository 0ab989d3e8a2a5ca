"""What is known of each task, the same on every machine: `tasks.toml`. Light: no numpy, no scipy."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from tinytorch.benchmarking.records.record import Names, Positive, Record, Sha256

TASKS_FILE = Path(__file__).with_name("tasks.toml")


class TaskFacts(Record):
    """The task's test data, how many classes or tokens an answer is one of, and what its baseline is and keeps."""

    dataset_sha256: Sha256
    test_samples: Positive
    classes: Positive
    parameters: Positive
    kept_bytes: Positive
    layer_kinds: Names


def facts_of(task: str) -> TaskFacts | None:
    """What is known of a task; None of one that is none of ours."""
    return _all_facts().get(task)


@cache
def _all_facts() -> dict[str, TaskFacts]:
    found = tomllib.loads(TASKS_FILE.read_text("utf-8"))
    return {name: TaskFacts.model_validate(facts) for name, facts in found.items()}
