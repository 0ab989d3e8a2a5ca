"""New inputs tell a model that computes from a table of the test set."""

from __future__ import annotations

import numpy as np
import pytest

from tests.competition.conftest import fresh
from tinytorch.benchmarking.records.metrics import Accuracy, FreshAnswers
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.fresh import fresh_answers_of


def answering(run: Run, baseline: int, optimized: int, total: int = 1000) -> Run:
    """The same run (97 % of the test set), with so many right answers to new inputs."""
    roles = {"baseline": baseline, "optimized": optimized}
    return run.model_copy(
        update={
            role: getattr(run, role).model_copy(update={"fresh_answers": fresh(right, total)})
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
        (990, 880, 1000, False),  # that the baseline wins there is no reason
        (9, 8, 10, False),  # of ten answers two wrong ones are chance
    ],
)
def test_a_loss_beyond_the_baseline_s_and_chance_is_told(
    run: Run, baseline: int, optimized: int, total: int, knows: bool
) -> None:
    found = fresh_answers_of(answering(run, baseline, optimized, total), load_rules())

    assert (found.knows_test_set, found.optimized.new.total) == (knows, total)


@pytest.mark.parametrize("role", ["baseline", "optimized"])
def test_without_answers_of_both_nothing_is_said(run: Run, role: str) -> None:
    unknown = getattr(run, role).model_copy(update={"fresh_answers": None})

    assert fresh_answers_of(run.model_copy(update={role: unknown}), load_rules()) is None


def test_it_says_both_shares(run: Run) -> None:
    found = fresh_answers_of(answering(run, 970, 110), load_rules())

    assert str(found.optimized) == "96.7 % of the answers to the test set are right, and 11.0 % of 1,000 to new inputs"


def gaining(run: Run, on_test: int, on_new: int) -> Run:
    """The baseline right in 880 of 1000 of each, and the optimized model in so many more."""

    def model(role: str, test: int, new: int) -> object:
        record = getattr(run, role)
        right = Accuracy.from_correctness([index < test for index in range(1000)])
        metrics = record.metrics.model_copy(update={"accuracy": right})
        return record.model_copy(update={"metrics": metrics, "fresh_answers": fresh(new, 1000)})

    return run.model_copy(
        update={
            "baseline": model("baseline", 880, 880), "optimized": model("optimized", 880 + on_test, 880 + on_new),
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("on_test", "on_new", "knows"),
    [
        (90, 0, True),  # a table of what the baseline has wrong, beside the baseline
        (40, 0, True),
        (9, 0, False),  # less than a point
        (40, 35, False),
        (40, 60, False),
        (0, -20, False),
        (-50, 30, False),
    ],
)
def test_what_is_won_on_the_test_set_must_be_won_on_new_inputs(
    run: Run, on_test: int, on_new: int, knows: bool
) -> None:
    assert fresh_answers_of(gaining(run, on_test, on_new), load_rules()).knows_test_set is knows


@pytest.mark.parametrize("seed", range(5))
def test_equal_models_are_hardly_ever_told(run: Run, seed: int) -> None:
    """Of 200 pairs that answer by chance, right in 88 % of 1000 each."""
    generator, told = np.random.default_rng(seed), 0
    for _ in range(200):
        rights = [generator.random(1000) < 0.88 for _ in range(4)]
        first, second = (
            getattr(run, role).model_copy(
                update={
                    "metrics": run.baseline.metrics.model_copy(update={"accuracy": Accuracy.from_correctness(test)}),
                    "fresh_answers": FreshAnswers.from_correctness(new),
                }
            )
            for role, test, new in (("baseline", *rights[:2]), ("optimized", *rights[2:]))
        )
        pair = run.model_copy(update={"baseline": first, "optimized": second})
        told += fresh_answers_of(pair, load_rules()).knows_test_set

    assert told <= 2
