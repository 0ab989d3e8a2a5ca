"""The order of a ranking: by what is shown, so that nobody is moved by noise or by others' files."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.competition.entries import BORN, answered, figures, handed_in, sized
from tinytorch.benchmarking.statistics import Verdict
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.ranking.leaderboard import Wanted, leaderboard
from tinytorch.competition.ranking.order import Place, best_first, ranked
from tinytorch.competition.record.people import Athlete
from tinytorch.competition.rules.events import load_rules

RULES = load_rules()


def places(*entries: Figures) -> dict[str, Place]:
    return {each.judged.entered.athlete_name: each for each in ranked(map(handed_in, entries), RULES)}


def ranks(*entries: Figures) -> dict[str, int]:
    return {name: place.rank for name, place in places(*entries).items()}


def test_noise_wins_no_rank() -> None:
    """What the former classes did: 36.9 [18.2, 74.8] on rank 1 and 53.8 on rank 3."""
    entries = [figures("best", 62.8), figures("noisy", 36.9, 0.3), figures("second", 53.8)]

    assert ranks(*entries) == {"best": 1, "second": 2, "noisy": 3}


def test_eight_percent_with_p_of_002_stand_above_five_with_p_of_012() -> None:
    """The question of the capstone."""
    five = figures("five", 1.05, 0.027, session_spread=1e-6, verdict=Verdict.NO_DETECTABLE_DIFFERENCE)
    eight = figures("eight", 1.08, 0.026, session_spread=1e-6, verdict=Verdict.BETTER)

    assert ranks(five, eight) == {"eight": 1, "five": 2}


def test_an_improvement_that_is_not_shown_stands_below_all_that_are() -> None:
    assert ranks(figures("large", 30.0, 2.0), figures("small", 1.05, 0.001)) == {"small": 1, "large": 2}


def test_sizes_are_compared_exactly() -> None:
    """A byte is a difference, and 12 : 3 is 8 : 2."""
    rounded = sized("b", 8_000_000, 2_000_000, value=4.000000000000001)  # as a ratio of rounded sizes may come out
    entries = [sized("a", 12_000_000, 3_000_000), rounded, sized("c", 12_000_000, 3_000_001)]

    assert ranks(*entries) == {"a": 1, "b": 1, "c": 3}


def test_accuracy_is_compared_by_its_value() -> None:
    """That of a test set which all have: six more wrong is less, whether that is chance or not."""
    found = places(answered("best", range(4)), answered("equal", range(50, 54)), answered("other", range(50, 60)))

    assert [(name, each.rank) for name, each in found.items()] == [("best", 1), ("equal", 1), ("other", 3)]


def test_what_was_claimed_without_samples_stands_below_by_its_value() -> None:
    """And nothing tells two claims apart."""
    claimed = [figures(name, speedup, verdict=None, log_ratios=None) for name, speedup in (("a", 9.0), ("b", 2.0))]
    found = places(*claimed, figures("shown", 1.01))

    assert {name: (each.rank, each.first, each.last) for name, each in found.items()} == {
        "shown": (1, 1, 1), "a": (2, 2, 3), "b": (3, 2, 3),
    }  # fmt: skip
    assert found["a"].p_value is None


def test_an_accuracy_without_its_answers_is_a_claim() -> None:
    assert ranks(answered("a", range(4), bitmaps=None), answered("b", range(40))) == {"b": 1, "a": 2}


def test_what_has_no_value_has_no_place() -> None:
    """None is made up."""
    with pytest.raises(ValueError, match="without a value"):
        ranks(figures("a", value=None))


@pytest.mark.parametrize("order", [1, -1])
def test_equal_ones_share_a_rank_and_the_earlier_comes_first(order: int) -> None:
    early, late = (figures(name, created_at=BORN + timedelta(days=day)) for name, day in (("early", 0), ("late", 1)))

    assert list(ranks(*[early, late][::order]).items()) == [("early", 1), ("late", 1)]


def test_only_more_than_one_rank_is_a_set() -> None:
    found = places(figures("a", 3.0), figures("b", 2.0), figures("c", 1.99))

    assert {name: each.allowed for name, each in found.items()} == {"a": "", "b": "2-3", "c": "2-3"}


def test_a_rank_lies_in_its_own_set() -> None:
    """Also where the tests tell of two what their intervals do not."""
    first, second = figures("first", 2.0, interval=(1.99, 2.01)), figures("second", 2.2, interval=(1.5, 2.9))

    assert {name: (each.rank, each.first, each.last) for name, each in places(first, second).items()} == {
        "first": (1, 1, 2), "second": (2, 1, 2),
    }  # fmt: skip


ENTRIES = st.lists(
    st.builds(
        lambda name, speedup, error, is_claim: figures(
            name, speedup, error, **({"log_ratios": None, "verdict": None} if is_claim else {})
        ),
        st.sampled_from("abcdef"), st.floats(0.5, 4.0), st.floats(0.001, 0.2), st.booleans(),
    ),
    max_size=8, unique_by=lambda each: each.athlete_name,
)  # fmt: skip
LUCKY = st.builds(lambda speedup, error: figures("lucky", speedup, error), st.floats(0.5, 9.0), st.floats(0.3, 3.0))


def order_of(*entries: Figures) -> list[str]:
    return list(ranks(*entries))


@given(ENTRIES, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_the_entries_never_matters(entries: list[Figures], random) -> None:
    assert places(*random.sample(entries, len(entries))) == places(*entries)


@given(ENTRIES)
@settings(max_examples=60)
def test_ranks_count_who_stands_above_and_lie_in_their_sets(entries: list[Figures]) -> None:
    found = list(places(*entries).values())

    assert sorted(each.judged.entered.athlete_name for each in found) == sorted(each.athlete_name for each in entries)
    for index, place in enumerate(found):
        above = [each for each in found[:index] if each.judged.entered.shown != place.judged.entered.shown]
        assert place.rank == len(above) + 1 or place.judged.entered.shown is None
        assert 1 <= place.first <= place.rank <= place.last <= len(found)


@given(ENTRIES, LUCKY)
@settings(max_examples=60)
def test_another_entry_moves_nobody_past_another(entries: list[Figures], lucky: Figures) -> None:
    """A lucky, noisy, irrelevant or wild one: who stood above still does, and falls by one place at most."""
    before, after = ranks(*entries), ranks(*entries, lucky)
    worth = lucky.interval[0]

    assert order_of(*entries) == [name for name in after if name != "lucky"]
    for each in entries:
        is_below = each.shown is None or each.shown < worth
        assert after[each.athlete_name] == before[each.athlete_name] + is_below


@given(ENTRIES.filter(bool), st.floats(1.01, 5.0))
@settings(max_examples=60)
def test_a_noisier_measurement_of_one_model_never_stands_higher(entries: list[Figures], more: float) -> None:
    measured = figures(entries[0].athlete_name, entries[0].value, 0.01)
    noisier = figures(entries[0].athlete_name, entries[0].value, 0.01 * more)
    name = entries[0].athlete_name

    assert ranks(noisier, *entries[1:])[name] >= ranks(measured, *entries[1:])[name]


@given(ENTRIES.filter(bool), st.floats(1.0, 3.0), st.floats(0.001, 1.0))
@settings(max_examples=60)
def test_a_second_file_never_costs_its_athlete_a_place(entries: list[Figures], better: float, error: float) -> None:
    """Whatever it is, however noisy; and a copy of the first changes nothing."""
    first = entries[0]
    second = figures(first.athlete_name, first.value * better, error)

    def rank(*files: Judged) -> int:
        (ranking,) = leaderboard(files, RULES, Wanted(trust=first.trust)).rankings
        return next(each.rank for each in ranking.places if each.judged.entered.athlete == first.athlete)

    alone = list(map(handed_in, entries))
    assert rank(*alone, handed_in(second, 1, "second.json")) <= rank(*alone)
    assert rank(*alone, handed_in(first, 0, "copy.json")) == rank(*alone)


@given(ENTRIES)
@settings(max_examples=30)
def test_an_athletes_best_is_chosen_as_ranks_are(entries: list[Figures]) -> None:
    assert [each.entered.athlete_name for each in best_first(map(handed_in, entries))] == order_of(*entries)


def test_what_machines_may_have_done_counts_against_what_is_shown() -> None:
    calm = figures("calm", 2.0)
    busy = replace(calm, athlete=Athlete(name="busy"), interval=(calm.interval[0] * math.exp(-0.1), 2.0))

    assert ranks(calm, busy) == {"calm": 1, "busy": 2}
