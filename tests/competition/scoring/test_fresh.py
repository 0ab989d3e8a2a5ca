"""New inputs tell a model that computes from a table of the test set."""

from __future__ import annotations

import pytest

from tinytorch.benchmarking.records.metrics import FreshAnswers
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.fresh import fresh_answers_of


def answering(run: Run, baseline: int, optimized: int, total: int = 1000) -> Run:
    """The same run (97 % of the test set), with so many right answers to new inputs."""
    roles = {"baseline": baseline, "optimized": optimized}
    return run.model_copy(
        update={
            role: getattr(run, role).model_copy(update={"fresh_answers": FreshAnswers(correct=right, total=total)})
            for role, right in roles.items()
        }
    )


@pytest.mark.parametrize(
    ("baseline", "optimized", "total", "knows"),
    [
        (970, 970, 1000, False),
        (970, 880, 1000, False),  # nine points: a model that was fine-tuned carelessly
        (970, 820, 1000, True),
        (970, 110, 1000, True),
        (870, 780, 1000, False),  # the baseline loses ten points, too
        (990, 880, 1000, False),  # what the baseline wins there is no reason
        (9, 8, 10, False),  # of ten answers two wrong ones are chance
    ],
)
def test_a_loss_beyond_the_baseline_s_and_chance_is_told(
    run: Run, baseline: int, optimized: int, total: int, knows: bool
) -> None:
    found = fresh_answers_of(answering(run, baseline, optimized, total), load_rules())

    assert (found.knows_test_set, found.optimized.total) == (knows, total)


@pytest.mark.parametrize("role", ["baseline", "optimized"])
def test_without_answers_of_both_nothing_is_said(run: Run, role: str) -> None:
    unknown = getattr(run, role).model_copy(update={"fresh_answers": None})

    assert fresh_answers_of(run.model_copy(update={role: unknown}), load_rules()) is None


def test_it_says_both_shares(run: Run) -> None:
    found = fresh_answers_of(answering(run, 970, 110), load_rules())

    assert str(found.optimized) == "96.7 % of the answers to the test set are right, and 11.0 % of 1,000 to new inputs"
