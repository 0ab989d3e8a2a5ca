"""The ranks that the data allow: what chance can explain lies in the set, what it cannot does not."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from tests.competition.entries import SAMPLES, TASK, answered, figures, handed_in, right, sized
from tinytorch.benchmarking.holm import grid_numbers
from tinytorch.benchmarking.statistics import Verdict
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.order import best_first
from tinytorch.competition.ranking.pairs import _accuracy_variances, _slopes, pairs
from tinytorch.competition.ranking.rank_sets import entries_digest, rank_sets
from tinytorch.competition.record.submission import Scores
from tinytorch.competition.rules.events import Rules, former_rules, load_rules

RULES, FORMER = load_rules(), former_rules("1.1")
Sets = dict[str, tuple[int, int]]


def sets(*entries: Figures, rules: Rules = RULES) -> Sets:
    ordered = [each.entered for each in best_first(map(handed_in, entries))]
    found = rank_sets(ordered, rules)
    return {each.athlete_name: (allowed.first, allowed.last) for each, allowed in zip(ordered, found, strict=True)}


def test_it_counts_who_is_shown_to_be_better_and_who_to_be_worse() -> None:
    """1 % apart is nothing where one pair repeats within 1 %."""
    found = sets(figures("a", 2.0), figures("b", 1.98), figures("c", 1.5))

    assert found == {"a": (1, 2), "b": (1, 2), "c": (3, 3)}


def test_the_p_value_is_corrected_and_beside_the_entry_above() -> None:
    """Of three pairs the largest p-value stays as it is; the first entry has none above it."""
    entries = [figures("a", 2.0), figures("b", 1.9), figures("c", 1.88)]
    _, second, third = rank_sets(entries, RULES)
    plain = pairs(entries, RULES)(slice(0, 3), slice(0, 3))

    assert second.p_value == pytest.approx(2 * plain[0, 1], rel=1e-3)
    assert third.p_value == pytest.approx(plain[1, 2], rel=1e-3)
    assert rank_sets(entries, RULES)[0].p_value is None


def test_tests_decide_whatever_the_order_is() -> None:
    """Who comes later may be shown to be better."""
    found = rank_sets([figures("slow", 2.0), figures("fast", 3.0)], RULES)

    assert [(each.first, each.last) for each in found] == [(2, 2), (1, 1)]


def test_alpha_is_the_rules() -> None:
    """At 5 % apart, at 0.1 % not."""
    careful = RULES.significance.model_copy(update={"alpha": 0.001})
    entries = [figures("a", 2.0), figures("b", 1.9)]

    assert sets(*entries) == {"a": (1, 1), "b": (2, 2)}
    assert sets(*entries, rules=RULES.model_copy(update={"significance": careful})) == {"a": (1, 2), "b": (1, 2)}


def test_a_class_that_takes_sessions_for_calmer_tells_more_apart() -> None:
    """`session_spread` is in every entry, as the rules had it."""
    entries = [figures("a", 2.0), figures("b", 1.95)]
    calm = [replace(each, session_spread=0.001) for each in entries]

    assert (sets(*entries)["b"], sets(*calm)["b"]) == ((1, 2), (2, 2))


def test_any_difference_of_sizes_is_shown() -> None:
    entries = [sized("a", 12_000, 3_000), sized("b", 8_000, 2_000), sized("c", 12_000, 3_001)]

    assert sets(*entries) == {"a": (1, 2), "b": (1, 2), "c": (3, 3)}


def test_answers_are_compared_sample_by_sample() -> None:
    """Six more wrong among the same ones is p = 0.03; six more, but others, is chance."""
    best, worse, other = answered("best", range(4)), answered("worse", range(10)), answered("other", range(50, 60))

    assert sets(best, worse) == {"best": (1, 1), "worse": (2, 2)}
    assert sets(best, other) == {"best": (1, 2), "other": (1, 2)}


def test_many_answers_are_tested_as_few_are() -> None:
    """Where there are more entries than counts, a table has all p-values."""
    entries = [answered(f"{number}", range(number % 7)) for number in range(40)]
    many, few = pairs(entries, RULES), pairs(entries[:7], RULES)

    assert np.array_equal(many(slice(0, 7), slice(0, 7)), few(slice(0, 7), slice(0, 7)))


def test_errors_count_in_the_all_around_score() -> None:
    """Of two that are alike in speed and size; and where both answer alike, 30 % faster is shown."""
    values = {wrong: 2.0 * 2 ** (-100 * wrong / SAMPLES / 3) for wrong in (2, 30)}
    few, many = (answered(str(wrong), range(wrong), value=value, ranked_by="all_around")
                 for wrong, value in values.items())  # fmt: skip
    fast, slow = (figures(name, speedup, value=speedup ** (1 / 3), ranked_by="all_around")
                  for name, speedup in (("fast", 2.6), ("slow", 2.0)))  # fmt: skip

    assert sets(few, many) == {"2": (1, 1), "30": (2, 2)}
    assert sets(fast, slow) == {"fast": (1, 1), "slow": (2, 2)}


@pytest.mark.parametrize("rules", [RULES, FORMER])
@pytest.mark.parametrize("task", ["digits_mlp", "a task without a constant"])
def test_the_variance_of_two_is_that_of_the_differences_of_their_answers(rules: Rules, task: str) -> None:
    """One by one, sample by sample, as the delta method is written: all at once it comes from products."""
    generator = np.random.default_rng(4)
    answers = generator.random((5, 2, SAMPLES)) < 0.2  # what baseline and optimized model have wrong
    entries = [
        answered(f"{number}", [], ranked_by="all_around", task=TASK.model_copy(update={"name": task}),
                 bitmaps=tuple(right(np.flatnonzero(each)) for each in wrong))
        for number, wrong in enumerate(answers)
    ]  # fmt: skip
    weights = _slopes(answers.mean(axis=2), entries[0].task, rules)
    influences = answers[:, 0] * weights[:, :1] - answers[:, 1] * weights[:, 1:]
    found, _ = _accuracy_variances(entries, rules)(slice(0, 5), slice(0, 5))

    for one, other in [(0, 1), (3, 2), (4, 4)]:
        halves = 0.5 * (np.square(weights[one]) + np.square(weights[other])).sum() / SAMPLES**2 * (one != other)
        expected = (influences[one] - influences[other]).var(ddof=1) / SAMPLES + halves
        assert found[one, other] == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_answers_that_are_not_known_tell_nothing_apart() -> None:
    known = answered("a", range(4), ranked_by="all_around", value=3.0)
    entries = [known, answered("b", range(40), ranked_by="all_around", value=1.0, bitmaps=None)]

    assert set(sets(*entries).values()) == {(1, 2)}


def test_answers_of_the_baselines_do_not_count_where_the_task_has_a_constant() -> None:
    """Points are counted from it: baselines that were trained elsewhere add no doubt."""
    wrong = {"a": range(10), "b": range(100, 140)}
    entries = [
        figures(name, speedup, value=speedup ** (1 / 3), ranked_by="all_around",
                bitmaps=(right(wrong[name]), right(range(5))))
        for name, speedup in (("a", 2.6), ("b", 2.0))
    ]  # fmt: skip

    assert sets(*entries) == {"a": (1, 1), "b": (2, 2)}


@pytest.mark.parametrize("ranked_by", ["speedup", "extreme_push", "all_around"])
def test_a_time_is_never_told_apart_without_the_spread_of_both_sessions(ranked_by: str) -> None:
    """Errors next to nothing, and yet 1 % is chance."""
    entries = [figures(name, value, 1e-9, scores=Scores(), ranked_by=ranked_by) for name, value in
               (("a", 2.02), ("b", 2.0))]  # fmt: skip
    power = 1 / 3 if ranked_by == "all_around" else 1.0
    p_value = pairs(entries, RULES)(slice(0, 1), slice(1, 2)).item()

    assert p_value == pytest.approx(math.erfc(math.log(1.01) / (power * 0.01 * math.sqrt(2)) / math.sqrt(2)), rel=1e-3)


def test_many_pairs_at_once_are_the_same_as_one_by_one() -> None:
    """Rows are tested in pieces, by several threads."""
    generator = np.random.default_rng(3)
    entries = [session(generator, f"{number}", 2.0 + number / 100, ranked_by="all_around") for number in range(230)]
    every = pairs(entries, RULES)
    alone = np.array([[every(slice(i, i + 1), slice(j, j + 1)).item() for j in range(0, 230, 40)] for i in (7, 150)])

    assert every(slice(0, 230), slice(0, 230))[[7, 150]][:, ::40] == pytest.approx(alone, rel=1e-9)


def session(generator: np.random.Generator, name: str, true: float, **changed: object) -> Figures:
    """A session of 8 processes: its own error, and the spread from session to session."""
    ratios = generator.normal(generator.normal(math.log(true), 0.01), 0.012, 8).tolist()
    value = math.exp(np.mean(ratios))
    return figures(name, value, log_ratios=ratios, verdict=Verdict.BETTER, digest=f"{name:0>64}", **changed)


def held(entries: list[Figures], ranks: dict[str, set[int]]) -> bool:
    """Whether each set holds all ranks that are true."""
    found = sets(*entries)
    return all(found[name][0] <= min(true) and max(true) <= found[name][1] for name, true in ranks.items())


@pytest.mark.parametrize(("count", "rounds"), [(5, 300), (20, 300), (100, 100)])
def test_of_equal_entries_the_true_ranks_lie_in_the_sets_in_95_of_100_rankings(count: int, rounds: int) -> None:
    """Any order of equal ones is true."""
    generator = np.random.default_rng(7)
    every = {f"{number}": {1, count} for number in range(count)}
    kept = sum(held([session(generator, name, 2.0) for name in every], every) for _ in range(rounds))

    assert kept / rounds >= 0.95 - 2 * math.sqrt(0.05 * 0.95 / rounds)


def test_of_entries_that_differ_a_little_they_do_as_well() -> None:
    """1 % from one to the next, and each pair of neighbours equal."""
    generator, rounds = np.random.default_rng(8), 200
    ranks = {f"{number}": {10 - 2 * (number // 2) - 1, 10 - 2 * (number // 2)} for number in range(10)}
    kept = sum(held([session(generator, name, 2 * 1.01 ** (int(name) // 2)) for name in ranks], ranks)
               for _ in range(rounds))  # fmt: skip

    assert kept / rounds >= 0.95


def test_without_a_correction_for_all_pairs_they_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinytorch.competition.ranking import rank_sets as module

    class Uncorrected(module.Holm):
        def largest_below(self, alpha: float) -> int:
            return int(grid_numbers(alpha))

    monkeypatch.setattr(module, "Holm", Uncorrected)
    generator, rounds = np.random.default_rng(7), 50
    every = {f"{number}": {1, 20} for number in range(20)}

    assert sum(held([session(generator, name, 2.0) for name in every], every) for _ in range(rounds)) / rounds < 0.5


def test_six_percent_are_told_apart_by_two_sessions() -> None:
    generator = np.random.default_rng(8)
    found = [sets(session(generator, "a", 2.12), session(generator, "b", 2.0)) for _ in range(100)]

    assert sum(each == {"a": (1, 1), "b": (2, 2)} for each in found) > 85


def with_one_percent_of_errors(generator: np.random.Generator, name: str, rules: Rules) -> Figures:
    """A session of a model that gets each test sample wrong by chance."""
    timed, wrong = session(generator, name, 2.0), np.flatnonzero(generator.random(SAMPLES) < 0.01)
    error = wrong.size / SAMPLES
    worth = (0.1 + 0.005) / (error + 0.005) if rules.scoring.error_ratio_smoothing else 2 ** (2 - 100 * error)
    changes = {"bitmaps": (right(range(10)), right(wrong)), "value": (timed.value * worth) ** (1 / 3),
               "ranked_by": "all_around"}  # fmt: skip
    return replace(timed, **changes)


@pytest.mark.parametrize(
    ("rules", "half_sample", "least", "most"),
    [(RULES, 0.5, 0.0, 0.10), (FORMER, 0.5, 0.0, 0.10), (FORMER, 0.0, 0.15, 1.0)],
)
def test_a_few_errors_more_are_chance(monkeypatch, rules: Rules, half_sample: float, least: float, most: float) -> None:
    """Of ten equal models; without the half sample one that made no error by luck would be told from the others."""
    monkeypatch.setattr("tinytorch.competition.ranking.pairs.HALF_SAMPLE", half_sample)
    generator, rounds = np.random.default_rng(9), 100
    entries = [
        [with_one_percent_of_errors(generator, f"{number:x}", rules) for number in range(10)] for _ in range(rounds)
    ]
    told = sum(set(sets(*each, rules=rules).values()) != {(1, 10)} for each in entries) / rounds

    assert least <= told <= most


class Watched:
    """Figures, and which of them somebody looks at."""

    def __init__(self, entry: Figures, seen: set[str]) -> None:
        self._entry, self._seen = entry, seen

    def __getattr__(self, name: str) -> object:
        self._seen.add(name)
        return getattr(self._entry, name)


@pytest.mark.parametrize(
    "entries",
    [
        [figures("a", 2.0), figures("b", 1.9)],
        [sized("a", 12_000, 3_000), sized("b", 8_000, 2_000)],
        [answered("a", range(4)), answered("b", range(9))],
        [answered("a", range(4), ranked_by="all_around", value=3.0), answered("b", [], ranked_by="all_around")],
    ],
)
def test_the_digest_is_of_all_that_the_sets_follow_from(entries: list[Figures]) -> None:
    """What is kept by it would be stale otherwise."""
    looked, told = set[str](), set[str]()
    rank_sets([Watched(each, looked) for each in entries], RULES)  # type: ignore[misc]
    entries_digest([Watched(each, told) for each in entries])  # type: ignore[misc]

    assert looked <= told


def test_another_number_has_another_digest() -> None:
    entries = [figures("a", 2.0), figures("b", 1.9)]

    assert entries_digest(entries) == entries_digest([*entries])
    assert entries_digest(entries) != entries_digest(entries[::-1])
    assert entries_digest(entries) != entries_digest([entries[0], replace(entries[1], session_spread=0.02)])


def test_sets_of_many_tiles_are_those_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a tile needs a second look or not, and wherever neighbours lie."""
    generator = np.random.default_rng(3)
    entries = [session(generator, f"{number}", 2.0 + number / 300) for number in range(230)]
    whole = rank_sets(entries, RULES)
    monkeypatch.setattr("tinytorch.competition.ranking.rank_sets.TILE", 20)

    assert rank_sets(entries, RULES) == whole
    assert len({(each.first, each.last) for each in whole}) > 50


def test_memory_does_not_grow_with_the_number_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two million p-values would be 16 MB, and what is kept of a tile must not hold on to all of it."""
    module = "tinytorch.competition.ranking.rank_sets"
    tests = np.random.default_rng(4).random((50, 50))
    monkeypatch.setattr(f"{module}.TILE", 50)
    monkeypatch.setattr(f"{module}.pairs", lambda entries, rules: lambda rows, columns: tests)
    entries = [figures("a", 2.0)] * 2000
    tracemalloc.start()
    try:
        rank_sets(entries, RULES)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 8e6
