"""What would win most next: from what was measured, for every event."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.advice import advice
from tinytorch.competition.scoring.eligibility import eligibility
from tinytorch.competition.scoring.scores import compute_scores

EVENTS = list(OlympicEvent)


def said(run: Run, event: OlympicEvent) -> str:
    """The advice for an event."""
    accuracy, rules = run.optimized.metrics.accuracy, load_rules()
    scores = compute_scores(run, rules)
    return advice(eligibility(run, scores, rules)[EVENTS.index(event)], scores, accuracy, rules)


@pytest.mark.parametrize(
    ("event", "changes", "words"),
    [
        ("latency_sprint", {"correct": 305}, "first accuracy: 0.3 points, 1 more right answers"),
        ("memory_challenge", {"correct": 270}, "first accuracy: 10.0 points, 36 more right answers"),
        ("latency_sprint", {"correct": 352}, "12.8 points of accuracy are unspent"),
        ("latency_sprint", {"correct": 307}, ""),
        ("accuracy_contest", {"correct": 350}, "10 of 360 answers are wrong"),
        ("accuracy_contest", {"correct": 360}, "no answer is wrong"),
        ("accuracy_contest", {"kept_bytes": 25_000_000}, "first memory: 2.50 times the limit"),
        ("extreme_push", {"correct": 352}, "17.8 points of accuracy are unspent"),
        ("all_around", {"correct": 352}, "accuracy costs most"),
    ],
)
def test_advice_is_of_what_was_measured(
    event: str, changes: dict[str, int], words: str, make_run: Callable[..., Run]
) -> None:
    """A limit that is missed first, then what may still be spent, then the weakest part."""
    found = said(make_run(**changes), OlympicEvent(event))

    assert words in found
    assert bool(words) == bool(found)
