"""What a script expects of a run: shown, the opposite, or neither."""

from __future__ import annotations

import pytest

from tests.competition.conftest import known_run, make_run
from tinytorch.benchmarking.records.work import Work
from tinytorch.benchmarking.statistics import Interval, Verdict
from tinytorch.competition.names import Expectation, OlympicEvent
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.expectation import Answer, Standing, answer, no_more_work, standing
from tinytorch.competition.scoring.scores import compute_scores

RATIOS = [  # interval of a timed score, better?, no worse?
    (None, Answer.OPEN, Answer.OPEN),
    ((1.01, 1.20), Answer.SHOWN, Answer.SHOWN),
    ((0.96, 1.20), Answer.OPEN, Answer.SHOWN),
    ((0.96, 0.99), Answer.OPPOSITE, Answer.SHOWN),
    ((0.90, 0.99), Answer.OPPOSITE, Answer.OPPOSITE),
    ((0.90, 1.10), Answer.OPEN, Answer.OPEN),
    ((1.00, 1.00), Answer.OPEN, Answer.SHOWN),
]


@pytest.mark.parametrize(("bounds", "better", "no_worse"), RATIOS)
def test_outcome_of_a_ratio(bounds: tuple[float, float] | None, better: Answer, no_worse: Answer) -> None:
    found = Standing("speedup", Interval(*bounds) if bounds else None, alike=1.0, allowance=0.05)

    assert [found.outcome(expected) for expected in (Expectation.BETTER, Expectation.NO_WORSE)] == [better, no_worse]


WORK = Work(flops=100, weight_bytes=10, moved_bytes=50)
WORKS = {
    "the same": (WORK, WORK, Answer.SHOWN),
    "less": (WORK, Work(flops=99, weight_bytes=10, moved_bytes=49), Answer.SHOWN),
    "more arithmetic": (WORK, Work(flops=101, weight_bytes=10, moved_bytes=1), Answer.OPPOSITE),
    "more moved": (WORK, Work(flops=1, weight_bytes=10, moved_bytes=51), Answer.OPPOSITE),
    "not counted": (WORK, None, Answer.OPEN),
    "not counted before": (None, WORK, Answer.OPEN),
}


@pytest.mark.parametrize(("first", "second", "expected"), WORKS.values(), ids=WORKS)
def test_counted_work_is_no_more_where_neither_kind_is(
    first: Work | None, second: Work | None, expected: Answer
) -> None:
    assert no_more_work(first, second)[0] is expected


@pytest.mark.parametrize("expected", Expectation)
def test_every_expectation_is_answered_with_a_reason(run: Run, expected: Expectation) -> None:
    found, why = answer(run, OlympicEvent.LATENCY_SPRINT, expected, load_rules())

    assert (found in Answer, bool(why)) == (True, True)


@pytest.mark.parametrize("event", OlympicEvent)
def test_the_interval_of_every_event_holds_its_score(run: Run, event: OlympicEvent) -> None:
    scores = compute_scores(run)
    found = standing(run, event)
    score = 100 * scores.accuracy_delta if found.alike == 0 else scores.model_dump()[found.score]

    assert found.interval.lower <= score <= found.interval.upper
    assert str(found).startswith(f"{found.score} within [")


@pytest.mark.parametrize("event", OlympicEvent)
@pytest.mark.parametrize("metric", ["latency", "memory", "accuracy"])
def test_without_a_part_there_is_no_interval(run: Run, event: OlympicEvent, metric: str) -> None:
    bare = run.model_copy(update={
        role: getattr(run, role).model_copy(
            update={"metrics": getattr(run, role).metrics.model_copy(update={metric: None})}
        ) for role in ("baseline", "optimized")
    })  # fmt: skip
    needed = {
        "latency_sprint": {"latency"}, "memory_challenge": {"memory"}, "accuracy_contest": {"accuracy"},
        "extreme_push": {"latency", "memory"}, "all_around": {"latency", "memory", "accuracy"},
    }[event]  # fmt: skip

    assert (standing(bare, event).interval is None) == (metric in needed)


def test_what_could_not_be_seen_has_no_exact_ratio(run: Run) -> None:
    memory = run.optimized.metrics.memory.model_copy(update={"unseen": ["somebody.Buffer"]})
    metrics = run.optimized.metrics.model_copy(update={"memory": memory})
    partly = run.model_copy(update={"optimized": run.optimized.model_copy(update={"metrics": metrics})})

    assert standing(partly, OlympicEvent.MEMORY_CHALLENGE).interval is None


@pytest.mark.parametrize("correct", [345, 355])  # of 360, after 350: p = 0.0625, and the interval leaves 0 out
def test_of_accuracy_the_test_decides_not_its_approximate_interval(make_run, correct: int) -> None:
    found = standing(make_run(correct=correct), OlympicEvent.ACCURACY_CONTEST)

    assert found.outcome(Expectation.BETTER) is Answer.OPEN


def test_the_verdict_is_made_at_the_alpha_of_the_rules_and_the_interval_stays_one_of_95_percent() -> None:
    run, rules = known_run(typical_ns=965_000), load_rules()
    careful = rules.model_copy(update={"significance": rules.significance.model_copy(update={"alpha": 0.001})})
    usual, strict = (standing(run, OlympicEvent.LATENCY_SPRINT, each) for each in (rules, careful))

    assert (usual.verdict, strict.verdict) == (Verdict.BETTER, Verdict.NO_DETECTABLE_DIFFERENCE)
    assert (usual.outcome(Expectation.BETTER), strict.outcome(Expectation.BETTER)) == (Answer.SHOWN, Answer.OPEN)
    assert usual.interval == strict.interval


def test_a_model_like_the_baseline_is_no_worse_whatever_the_baseline_s_accuracy_is() -> None:
    """Its score is not 1, because this baseline lies below the reference accuracy; it is the baseline's own."""
    found = standing(make_run(350, 12_000_000, 1_000_000), OlympicEvent.ALL_AROUND)

    assert found.interval.upper < 1
    assert found.verdict == "no detectable difference"
    assert found.outcome(Expectation.NO_WORSE) is not Answer.OPPOSITE
