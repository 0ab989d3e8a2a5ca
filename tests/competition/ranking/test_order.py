"""Rank classes: what chance can explain shares a rank, what it cannot does not."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.competition.entries import BORN, SAMPLES, answered, figures, handed_in, right, sized
from tinytorch.benchmarking.statistics import Verdict
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.ranking.order import BEST_FIRST, ranked
from tinytorch.competition.ranking.rulers import ruler
from tinytorch.competition.record.submission import Scores
from tinytorch.competition.rules.events import Rules, former_rules, load_rules

RULES, FORMER = load_rules(), former_rules("1.1")


def ranks(entries: list[Figures], ranking: str = "speedup", rules: Rules = RULES) -> list[tuple[int, str]]:
    places = ranked([handed_in(each) for each in entries], ranking, rules)
    return [(place.rank, place.judged.entered.athlete_name) for place in places]


def test_what_cannot_be_told_from_the_leader_shares_its_rank() -> None:
    """1 % apart, where one pair repeats within 1 %; the next rank counts who stands above."""
    assert ranks([figures("a", 2.0), figures("b", 1.98), figures("c", 1.5)]) == [(1, "a"), (1, "b"), (3, "c")]


def test_eight_percent_with_p_of_002_stand_above_five_with_p_of_012() -> None:
    """The question of the capstone."""
    five = figures("five", 1.05, verdict=Verdict.NO_DETECTABLE_DIFFERENCE)
    eight = figures("eight", 1.08, verdict=Verdict.BETTER)

    assert ranks([five, eight]) == [(1, "eight"), (2, "five")]


def test_what_is_not_shown_never_stands_above_what_is() -> None:
    """However large it is, and what is worse or not tested stands lower still."""
    tiers = {None: 90.0, Verdict.WORSE: 0.9, Verdict.NO_DETECTABLE_DIFFERENCE: 30.0, Verdict.BETTER: 1.05}
    entries = [figures(str(verdict), speedup, verdict=verdict) for verdict, speedup in tiers.items()]

    assert [name for _, name in ranks(entries)] == ["better", "no detectable difference", "worse", "None"]


def test_a_class_that_takes_sessions_for_calmer_tells_more_apart() -> None:
    """`session_spread` is in every entry, as the rules had it."""
    entries = [figures("a", 2.0), figures("b", 1.95)]
    calm = [each.model_copy(update={"session_spread": 0.001}) for each in entries]

    assert [rank for rank, _ in ranks(entries)] == [1, 1]
    assert [rank for rank, _ in ranks(calm)] == [1, 2]


def test_alpha_is_the_rules() -> None:
    """At 5 % apart, at 0.1 % not."""
    careful = RULES.significance.model_copy(update={"alpha": 0.001})
    entries = [figures("a", 2.0), figures("b", 1.9)]

    assert [rank for rank, _ in ranks(entries)] == [1, 2]
    assert [rank for rank, _ in ranks(entries, rules=RULES.model_copy(update={"significance": careful}))] == [1, 1]


def test_sizes_are_compared_exactly() -> None:
    """A byte is a difference, and 12 : 3 is 8 : 2."""
    rounded = sized("b", 8_000_000, 2_000_000, value=4.000000000000001)  # as a ratio of rounded sizes may come out
    entries = [sized("a", 12_000_000, 3_000_000, digest="0" * 64), rounded, sized("c", 12_000_000, 3_000_001)]

    assert ranks(entries, "compression_ratio") == [(1, "a"), (1, "b"), (3, "c")]


def test_accuracy_is_compared_sample_by_sample() -> None:
    """Six more wrong among the same ones is p = 0.03; six more, but others, is chance."""
    best, worse, other = answered("best", range(4)), answered("worse", range(10)), answered("other", range(50, 60))

    assert ranks([best, worse], "accuracy") == [(1, "best"), (2, "worse")]
    assert ranks([best, other], "accuracy") == [(1, "best"), (1, "other")]


def test_errors_count_in_the_all_around_score() -> None:
    """Of two that are alike in speed and size."""
    values = {wrong: 2.0 * 2 ** (-100 * wrong / SAMPLES / 3) for wrong in (2, 30)}
    few = answered("few", range(2), value=values[2], verdict=Verdict.BETTER)
    many = answered("many", range(30), value=values[30], verdict=Verdict.BETTER)

    assert ranks([few, many], "all_around") == [(1, "few"), (2, "many")]


def test_what_was_claimed_without_samples_cannot_be_told_apart() -> None:
    """No p-value, no difference."""
    claimed = [figures(name, speedup, verdict=None, log_ratios=None) for name, speedup in (("a", 9.0), ("b", 2.0))]

    assert [rank for rank, _ in ranks(claimed)] == [1, 1]


def test_an_athletes_answers_that_are_not_known_are_no_difference() -> None:
    entries = [answered("a", range(4)), answered("b", range(40), bitmaps=None)]

    assert [rank for rank, _ in ranks(entries, "accuracy")] == [1, 1]
    assert [rank for rank, _ in ranks(entries, "all_around")] == [1, 1]


def session(generator: np.random.Generator, name: str, true: float) -> Figures:
    """A session of 8 processes: its own error, and the spread from session to session."""
    mean = generator.normal(math.log(true), 0.01)
    ratios = generator.normal(mean, 0.012, 8).tolist()
    return figures(name, math.exp(np.mean(ratios)), log_ratios=ratios, verdict=Verdict.BETTER, digest=f"{name:0>64}")


@pytest.mark.parametrize("count", [2, 10, 40])
def test_of_equal_entries_somebody_is_told_apart_in_one_of_twenty_rankings_at_most(count: int) -> None:
    generator, rounds = np.random.default_rng(7), 200
    entries = [[session(generator, f"{number:x}", 2.0) for number in range(count)] for _ in range(rounds)]
    told = sum(ranks(each)[-1][0] > 1 for each in entries)

    assert told / rounds <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / rounds)


def test_with_a_correction_for_the_leaders_pairs_alone_it_would_be_far_more(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinytorch.competition.ranking import order as ranking

    generator, rounds = np.random.default_rng(7), 100
    entries = [[session(generator, f"{number:x}", 2.0) for number in range(40)] for _ in range(rounds)]
    holm = ranking.holm
    monkeypatch.setattr(ranking, "holm", lambda p_values, tests: holm(p_values, p_values.size))

    assert sum(ranks(each)[-1][0] > 1 for each in entries) / rounds > 0.15


def with_one_percent_of_errors(generator: np.random.Generator, name: str, rules: Rules) -> Figures:
    """A session of a model that gets each test sample wrong by chance."""
    timed, wrong = session(generator, name, 2.0), np.flatnonzero(generator.random(SAMPLES) < 0.01)
    error = wrong.size / SAMPLES
    worth = (0.1 + 0.005) / (error + 0.005) if rules.scoring.error_ratio_smoothing else 2 ** (2 - 100 * error)
    value = (timed.value * worth) ** (1 / 3)
    return timed.model_copy(update={"bitmaps": (right(range(10)), right(wrong)), "value": value})


@pytest.mark.parametrize(
    ("rules", "half_sample", "least", "most"),
    [(RULES, 0.5, 0.0, 0.10), (FORMER, 0.5, 0.0, 0.10), (FORMER, 0.0, 0.15, 1.0)],
)
def test_a_few_errors_more_are_chance(monkeypatch, rules: Rules, half_sample: float, least: float, most: float) -> None:
    """Of ten equal models; without the half sample one that made no error by luck would be told from the others."""
    monkeypatch.setattr("tinytorch.competition.ranking.rulers.HALF_SAMPLE", half_sample)
    generator, rounds = np.random.default_rng(9), 150
    entries = [
        [with_one_percent_of_errors(generator, f"{number:x}", rules) for number in range(10)] for _ in range(rounds)
    ]
    told = sum(ranks(each, "all_around", rules)[-1][0] > 1 for each in entries) / rounds

    assert least <= told <= most


def test_equal_answers_leave_the_speedup_to_decide() -> None:
    """Where both answer alike, no error is added: 30 % faster is shown."""
    entries = [figures(name, speedup, value=speedup ** (1 / 3)) for name, speedup in (("a", 2.6), ("b", 2.0))]

    assert ranks(entries, "all_around") == [(1, "a"), (2, "b")]


def test_six_percent_are_told_apart_by_two_sessions() -> None:
    generator = np.random.default_rng(8)
    found = [ranks([session(generator, "a", 2.12), session(generator, "b", 2.0)]) for _ in range(100)]

    assert sum(each == [(1, "a"), (2, "b")] for each in found) > 85


def test_what_has_no_value_has_no_place() -> None:
    """None is made up."""
    with pytest.raises(ValueError, match="without a value"):
        ranks([figures("a", value=None)])


@pytest.mark.parametrize("order", [1, -1])
def test_of_equal_values_the_earlier_comes_first(order: int) -> None:
    early, late = (figures(name, created_at=BORN + timedelta(days=day)) for name, day in (("early", 0), ("late", 1)))

    assert ranks([early, late][::order]) == [(1, "early"), (1, "late")]


ENTRIES = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.floats(0.5, 4.0), st.floats(0.001, 0.2), st.sampled_from([None, *Verdict])),
    max_size=8, unique_by=lambda drawn: drawn[:2],
)  # fmt: skip


def drawn_files(drawn) -> list[Judged]:
    return [
        handed_in(figures(name, speedup, error, verdict=verdict), source=f"{name} {speedup}")
        for name, speedup, error, verdict in drawn
    ]


@given(ENTRIES, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_the_entries_never_matters(drawn, random) -> None:
    entries = drawn_files(drawn)
    shuffled = random.sample(entries, len(entries))

    assert ranked(shuffled, "speedup", RULES) == ranked(entries, "speedup", RULES)


@given(ENTRIES)
@settings(max_examples=60)
def test_a_class_holds_who_cannot_be_told_from_its_leader_and_tiers_never_mix(drawn) -> None:
    """Every entry has a place; ranks and tiers only go down; a leader has the best value from there on in its tier."""
    entries = drawn_files(drawn)
    places = ranked(entries, "speedup", RULES)
    tiers = [BEST_FIRST.index(place.judged.entered.verdict) for place in places]

    assert sorted(p.judged.entered.digest for p in places) == sorted(each.entered.digest for each in entries)
    assert tiers == sorted(tiers)
    for index, place in enumerate(places):
        leads = place.p_value is None
        assert place.rank == (index + 1 if leads else places[index - 1].rank)
        rest = zip(places[index:], tiers[index:], strict=True)
        below = [each.judged.entered.value for each, tier in rest if tier == tiers[index]]
        assert not leads or place.judged.entered.value == pytest.approx(max(below), rel=1e-12)  # by their logarithms


@pytest.mark.parametrize("ranking", ["speedup", "extreme_push", "all_around"])
def test_a_time_is_never_told_apart_without_the_spread_of_both_sessions(ranking: str) -> None:
    """Errors next to nothing, and yet 1 % is chance."""
    entries = [figures(name, value, 1e-9, scores=Scores()) for name, value in (("a", 2.02), ("b", 2.0))]
    power = 1 / 3 if ranking == "all_around" else 1.0
    (p_value,) = ruler(entries, ranking, RULES).p_values(0, np.array([1]))

    assert p_value == pytest.approx(math.erfc(math.log(1.01) / (power * 0.01 * math.sqrt(2)) / math.sqrt(2)), rel=1e-3)


def test_answers_of_the_baselines_do_not_count_where_the_task_has_a_constant() -> None:
    """Points are counted from it: baselines that were trained elsewhere add no doubt."""
    wrong = {"a": range(10), "b": range(100, 140)}
    entries = [
        figures(name, speedup, value=speedup ** (1 / 3), bitmaps=(right(wrong[name]), right(range(5))))
        for name, speedup in (("a", 2.6), ("b", 2.0))
    ]

    assert ranks(entries, "all_around") == [(1, "a"), (2, "b")]
