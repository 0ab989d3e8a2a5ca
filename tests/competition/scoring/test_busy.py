"""What is said of a machine, in words that everybody understands."""

from __future__ import annotations

import pytest

from tests.competition.conftest import known_run, with_times
from tinytorch.benchmarking.records.metrics import Memory
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.busy import busy_words, machine_word
from tinytorch.competition.scoring.scores import compared

RULES = load_rules()


def said(run: Run) -> str:
    return busy_words(run, compared(run, RULES), RULES)


def unlike_others(run: Run) -> Run:
    return run.model_copy(update={"protocol": run.protocol.model_copy(update={"discarded_calls": 1})})


WORDS = [
    (known_run(), ""),
    (known_run(baseline=1.015), ""),
    (
        known_run(baseline=1.07),
        "the baseline took 7 % longer than this machine's best, and small code did not; up to 7 % of the speedup may "
        "be the machine's doing. Measure again later",
    ),
    (
        known_run(baseline=1.07, yardstick=1.03),
        "the baseline took 7 % longer than this machine's best, and small code 3 %; up to 4 % of the speedup may be "
        "the machine's doing. Measure again later",
    ),
    (
        known_run(baseline=1.10, yardstick=1.21),
        "small code took 21 % longer than this machine's best, the baseline 10 %: at full speed the speedup may be up "
        "to 10 % larger (battery? heat?)",
    ),
    (
        known_run(hours=None),
        "this machine's best time for the baseline is not known yet, so that up to 10 % of the speedup may be its "
        "doing; it is learnt from sessions at 5 different hours (now 1)",
    ),
    (
        known_run(hours=3),
        "this machine's best time for the baseline is not known well yet, so that up to 8 % of the speedup may be its "
        "doing; it is learnt from sessions at 5 different hours (now 4)",
    ),
    (
        known_run(hours=None).model_copy(update={"task": None}),
        "how busy the machine was is not known, so that up to 10 % of the speedup may be its doing",
    ),
    (
        unlike_others(known_run()),
        "how busy the machine was is not known, so that up to 10 % of the speedup may be its doing",
    ),
]


@pytest.mark.parametrize(("run", "words"), WORDS)
def test_what_the_machine_may_have_done_is_said_in_a_sentence(run: Run, words: str) -> None:
    assert said(run) == words


def test_a_model_that_keeps_more_than_the_baseline_may_feel_neighbours_more() -> None:
    run = known_run(baseline=1.07)
    size = run.baseline.metrics.memory.size_bytes + 1
    metrics = run.optimized.metrics.model_copy(update={"memory": Memory.from_bytes(size, 100, 9, [])})
    larger = run.model_copy(update={"optimized": run.optimized.model_copy(update={"metrics": metrics})})

    assert said(larger).endswith("The model keeps more than the baseline, so that it may be more")


def test_of_typical_times_it_is_said_that_they_are_not_corrected() -> None:
    run = known_run(baseline=1.07)
    times = run.optimized.metrics.latency.times_ns.copy()
    times[:, 1:] *= 3

    assert "not corrected" in said(run.model_copy(update={"optimized": with_times(run.optimized, times)}))


@pytest.mark.parametrize(
    ("run", "word"),
    [
        (known_run(), "quiet"), (known_run(baseline=1.07), "disturbed"), (known_run(hours=2), "not known"),
        (known_run(baseline=1.2, hours=2), "disturbed"), (unlike_others(known_run()), None),
    ],
)  # fmt: skip
def test_a_line_of_history_has_one_word_for_it(run: Run, word: str | None) -> None:
    assert machine_word(run) == word
