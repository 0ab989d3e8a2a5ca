"""How far a busy machine may have moved a speedup: the rule, what breaks it, and a simulation of what it promises."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from tests.competition.conftest import STARTED, known_run, make_run, with_times, yardstick_times
from tests.competition.entries import figures, handed_in
from tests.sabotage import Sabotage
from tinytorch.benchmarking import comparison, statistics
from tinytorch.benchmarking.comparison import Disturbance
from tinytorch.benchmarking.records.session import ReferenceTimes
from tinytorch.benchmarking.statistics import mean_estimate, widened_interval
from tinytorch.competition.ranking import pairs as ranking_pairs
from tinytorch.competition.ranking.machines import beside_their_machines
from tinytorch.competition.ranking.pairs import pairs
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import former_rules, load_rules
from tinytorch.competition.scoring import disturbance
from tinytorch.competition.scoring.disturbance import (
    QuietTimes,
    disturbance_of,
    quiet_times,
    sharing_what_is_known,
)
from tinytorch.competition.scoring.scores import compared

RULES = load_rules()
KEY = "a" * 64


def percent(moved: Disturbance | None) -> tuple[float, float]:
    """Down and up, as the shares that people are told."""
    assert moved is not None
    return round(100 * math.expm1(moved.down), 1), round(100 * math.expm1(moved.up), 1)


def test_what_slows_the_baseline_alone_may_have_made_the_speedup_too_high() -> None:
    assert percent(disturbance_of(known_run(baseline=1.07), RULES)) == (7.0, 0.0)


def test_what_slows_small_code_too_is_no_gain_of_the_speedup_s() -> None:
    down, up = percent(disturbance_of(known_run(baseline=1.07, yardstick=1.05), RULES))

    assert (down, up) == (pytest.approx(100 * (1.07 / 1.05 - 1), abs=0.05), 0.0)


def test_what_slows_small_code_more_may_have_made_the_speedup_too_low() -> None:
    down, up = percent(disturbance_of(known_run(baseline=1.10, yardstick=1.20), RULES))

    assert (down, up) == (0.0, pytest.approx(100 * (1.20 / 1.10 - 1), abs=0.05))


def test_a_machine_that_is_faster_than_ever_is_not_disturbed() -> None:
    assert percent(disturbance_of(known_run(baseline=0.9, yardstick=0.95), RULES)) == (0.0, 0.0)


@pytest.mark.parametrize(("hours", "floor"), [(None, 10.0), (1, 8.0), (3, 8.0), (4, 0.0), (5, 0.0)])
def test_until_the_machine_is_known_the_floor_of_the_task_is_taken(hours: int | None, floor: float) -> None:
    """From five hours, of which the run's own is one."""
    assert percent(disturbance_of(known_run(hours=hours), RULES)) == (floor, 0.0)


def test_what_is_seen_counts_where_it_is_more_than_the_floor() -> None:
    assert percent(disturbance_of(known_run(baseline=1.09, hours=2), RULES)) == (9.0, 0.0)


def test_a_run_without_a_yardstick_gets_the_floor() -> None:
    """Such as one of an older form."""
    run = known_run(baseline=1.5)
    without = run.model_copy(update={"protocol": run.protocol.model_copy(update={"yardstick": None})})

    assert percent(disturbance_of(without, RULES)) == (10.0, 0.0)


def test_rules_of_before_take_every_machine_for_a_quiet_one() -> None:
    former = former_rules("2.0")

    assert disturbance_of(known_run(baseline=1.07), former) is None
    assert compared(known_run(baseline=1.07), former) == compared(known_run(baseline=1.07, hours=None), former)


def test_of_several_sessions_it_is_the_mean() -> None:
    quiet = quiet_times(known_run())
    best = quiet.best
    sessions = [best.baseline + math.log(factor) for factor in (1.02, 1.04)]
    longer = quiet.model_copy(update={"baseline": sessions, "yardstick": [best.yardstick] * 2})

    assert longer.moved(RULES.disturbance, best).down == pytest.approx(fmean([math.log(1.02), math.log(1.04)]))


def test_each_session_of_a_run_has_its_own_times() -> None:
    run = known_run()
    times = np.array(run.baseline.metrics.latency.times_ns)
    both = with_times(run.baseline, np.concatenate([times, 2 * times]))
    told = {"sessions": 2, "yardstick": yardstick_of([1.0, 3.0])}
    quiet = quiet_times(run.model_copy(update={"baseline": both, "protocol": changed(run, told)}))

    assert quiet.baseline[1] - quiet.baseline[0] == pytest.approx(math.log(2))
    assert quiet.yardstick[1] - quiet.yardstick[0] == pytest.approx(math.log(3), abs=1e-4)


def changed(run: Run, told: dict[str, Any]) -> Any:
    return run.protocol.model_copy(update=told)


def yardstick_of(slowdowns: list[float]) -> Any:
    """Of as many sessions, each slower by its factor."""
    one = yardstick_times(10)
    texts = [
        "; ".join(" ".join(str(round(int(ns) * by)) for ns in block.split()) for block in text.split("; "))
        for by in slowdowns
        for text in one.samples_ns
    ]
    return one.model_copy(update={"samples_ns": texts})


def test_a_copy_of_the_yardstick_that_is_never_quiet_changes_nothing() -> None:
    run = known_run()
    first, *others = run.protocol.yardstick.samples_ns
    slow = "; ".join(" ".join(str(2 * int(ns)) for ns in block.split()) for block in first.split("; "))
    beside = run.protocol.yardstick.model_copy(update={"samples_ns": [slow, *others]})
    quiet = quiet_times(run.model_copy(update={"protocol": changed(run, {"yardstick": beside})}))

    assert quiet.yardstick[0] == pytest.approx(quiet_times(run).yardstick[0], abs=0.005)


def test_only_as_many_blocks_count_as_every_session_has() -> None:
    """The least of more would be less, and the machine would seem to have been quieter."""
    run = known_run()
    times = np.array(run.baseline.metrics.latency.times_ns)
    longer = with_times(run.baseline, np.concatenate([times, times // 2], axis=1))
    quiet = quiet_times(run.model_copy(update={"baseline": longer, "protocol": changed(run, {"visits": 20})}))

    assert quiet.baseline == quiet_times(run).baseline


SAYS_NOTHING = {
    "this process": {"mode": "this process"}, "fewer visits": {"visits": 9}, "shorter blocks": {"timed_calls": 3},
    "fewer discarded": {"discarded_calls": 2}, "other sessions than samples": {"sessions": 2},
}  # fmt: skip


@pytest.mark.parametrize("told", SAYS_NOTHING.values(), ids=SAYS_NOTHING)
def test_a_session_that_is_not_like_others_says_nothing(told: dict[str, Any]) -> None:
    run = known_run()

    assert quiet_times(run.model_copy(update={"protocol": changed(run, told)})) is None


@pytest.mark.parametrize("name", [*disturbance.MACHINE, "tinytorch"])
def test_anything_else_that_runs_the_baseline_is_another_machine(name: str) -> None:
    run = known_run()
    other = run.system_info.model_copy(update={name: "another"})

    assert quiet_times(run.model_copy(update={"system_info": other})).key != quiet_times(run).key


def test_two_runs_of_one_machine_share_what_either_knows() -> None:
    unknown, known = known_run(baseline=1.07, hours=None), known_run(baseline=1.0)
    first, second = sharing_what_is_known(unknown, known)

    assert percent(disturbance_of(first, RULES)) == (7.0, 0.0)
    assert second.protocol.reference == first.protocol.reference
    assert sharing_what_is_known(unknown, unknown) == (unknown, unknown)


def test_the_interval_reaches_as_far_as_the_machine_may_have_moved_it() -> None:
    calm, busy = (compared(known_run(baseline=each, typical_ns=500_000)).speedup for each in (1.0, 1.07))

    assert busy.ci_lower == pytest.approx(calm.ci_lower, rel=0.002)
    assert busy.ci_upper == pytest.approx(1.07 * calm.ci_upper, rel=0.002)


@pytest.mark.parametrize(("baseline", "verdict"), [(1.0, "better"), (1.07, "no detectable difference")])
def test_a_verdict_is_about_what_is_left_without_the_machine(baseline: float, verdict: str) -> None:
    """A model that is 7 % faster, in a session whose baseline took 0 or 7 % longer than at best."""
    found = compared(known_run(baseline=baseline, typical_ns=round(1_000_000 * baseline / 1.07))).speedup

    assert found.verdict == verdict
    assert (found.ci_lower > 1) == (verdict == "better") == (found.p_value < 0.05)


def test_a_smaller_effect_would_have_been_seen_on_a_quiet_machine() -> None:
    calm, busy = (compared(known_run(baseline=each)).speedup for each in (1.0, 1.07))

    assert busy.smallest_detectable == pytest.approx(1.07 * calm.smallest_detectable, rel=0.002)


def test_typical_times_are_not_corrected() -> None:
    run = known_run(baseline=1.07)
    times = np.array(run.optimized.metrics.latency.times_ns)
    times[:, 1:] *= 3
    lottery = run.model_copy(update={"optimized": with_times(run.optimized, times)})
    found = compared(lottery).speedup

    assert (found.basis, found.disturbance) == ("typical", None)


def test_a_model_is_no_lottery_where_the_yardstick_was_as_rarely_at_its_best() -> None:
    """A neighbour on the same core slows small code, and the baseline waits for memory all the same."""
    run = known_run()
    times = np.array(run.optimized.metrics.latency.times_ns)
    times[:, 1:] = times[:, 1:] * 8 // 5
    first, *others = yardstick_of([1.0]).samples_ns[0].split("; ")
    slow = "; ".join([first, *(" ".join(str(int(ns) * 8 // 5) for ns in block.split()) for block in others)])
    beside = run.protocol.yardstick.model_copy(update={"samples_ns": [slow] * 6})
    busy_core = run.model_copy(update={"optimized": with_times(run.optimized, times)})
    seen = busy_core.model_copy(update={"protocol": changed(run, {"yardstick": beside})})

    assert (compared(busy_core).speedup.basis, compared(seen).speedup.basis) == ("typical", "quiet")
    assert compared(seen, former_rules("2.0")).speedup.basis == "typical"


def test_a_lead_is_shortened_by_both_machines_before_it_is_tested() -> None:
    moved = [Disturbance(down=0.07, up=0.0), Disturbance(down=0.0, up=0.03)]
    fast, slow = figures("fast", 2.22, moved=moved[0]), figures("slow", 2.0, moved=moved[1])
    apart = figures("apart", 2.5, moved=moved[0])

    def p_value(*entries: Any) -> float:
        return float(pairs(entries, RULES)(slice(0, 1), slice(1, 2)).item())

    assert p_value(fast, slow) == p_value(slow, fast) > 0.5
    assert p_value(apart, slow) == p_value(slow, apart) < 0.05


def one_sided(self: QuietTimes, rules: Any, best: Any) -> Disturbance:
    return Disturbance(down=fmean(x for x, _ in self.excesses(best)), up=0.0)


def of_all_blocks(times: Any, placements: int) -> Iterator[list[float]]:
    yield [math.log(each.min()) for each in times]


BY_TIMES = ranking_pairs._by_times


def unmoved(entries: Any, *others: Any) -> Any:
    return BY_TIMES([replace(each, moved=None) for each in entries], *others)


SABOTAGES = {
    "no floor": Sabotage(
        disturbance, "floor", lambda *_: 0.0,
        test_until_the_machine_is_known_the_floor_of_the_task_is_taken, lambda: (None, 10.0),
    ),
    "the yardstick passed over": Sabotage(
        QuietTimes, "moved", one_sided, test_what_slows_small_code_too_is_no_gain_of_the_speedup_s
    ),
    "one side only": Sabotage(
        QuietTimes, "moved", one_sided, test_what_slows_small_code_more_may_have_made_the_speedup_too_low
    ),
    "the most of the sessions": Sabotage(disturbance, "fmean", max, test_of_several_sessions_it_is_the_mean),
    "the mean of the yardstick's copies": Sabotage(
        disturbance, "median", fmean, test_a_copy_of_the_yardstick_that_is_never_quiet_changes_nothing
    ),
    "all blocks": Sabotage(
        disturbance, "quiet_logs", of_all_blocks,
        test_only_as_many_blocks_count_as_every_session_has
    ),
    "short blocks": Sabotage(
        disturbance, "LEAST_TIMED", 1,
        test_a_session_that_is_not_like_others_says_nothing, lambda: ({"timed_calls": 3},),
    ),
    "an interval of chance alone": Sabotage(
        statistics, "widened_interval",
        lambda estimate, spread, alpha=0.05, down=0.0, up=0.0: widened_interval(estimate, spread, alpha),
        test_the_interval_reaches_as_far_as_the_machine_may_have_moved_it,
    ),
    "a test of the whole": Sabotage(
        statistics, "moved_to_zero", lambda value, down, up: value,
        test_a_verdict_is_about_what_is_left_without_the_machine, lambda: (1.07, "no detectable difference"),
    ),
    "typical times corrected": Sabotage(
        comparison, "is_lottery", lambda *_: False, test_typical_times_are_not_corrected
    ),
    "a lead as it is": Sabotage(
        ranking_pairs, "_by_times", unmoved,
        test_a_lead_is_shortened_by_both_machines_before_it_is_tested,
    ),
}  # fmt: skip


@pytest.mark.parametrize("sabotage", SABOTAGES.values(), ids=SABOTAGES)
def test_a_broken_rule_turns_a_test_red(sabotage: Sabotage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sabotage.turns_red(monkeypatch)


# A simulation, on the log scale: what the baseline, the optimized model and the yardstick take longer than undisturbed.

RATIO, BASELINE, YARDSTICK, UNITS = math.log(6.3), math.log(220_000), math.log(14_000), 8
Excess = tuple[float, float, float]  # of the baseline, the optimized model and the yardstick


def calm(chance: random.Random) -> Excess:
    baseline, yardstick = (abs(chance.gauss(0, each)) for each in (0.005, 0.004))
    return baseline, chance.uniform(min(baseline, yardstick), max(baseline, yardstick)), yardstick


def busy(chance: random.Random) -> Excess:
    """Neighbours: a model of the baseline's size feels them as it does, a small one hardly."""
    baseline = chance.uniform(0.02, 0.12)
    return baseline, baseline * chance.random(), abs(chance.gauss(0, 0.003))


def slow_clock(chance: random.Random) -> Excess:
    """Heat or a battery: everything takes as much longer."""
    return tuple(math.log(1.3) + each for each in calm(chance))  # type: ignore[return-value]


def slow_clock_alone(chance: random.Random) -> Excess:
    """Memory keeps its speed, so that the baseline loses half as much."""
    baseline, optimized, yardstick = slow_clock(chance)
    return baseline - math.log(1.3) / 2, optimized, yardstick


@dataclass(frozen=True)
class Drawn:
    """A session: the log ratios of its processes, and what it tells of the machine."""

    logs: list[float]
    quiet: QuietTimes


def drawn(chance: random.Random, excess: Callable[[random.Random], Excess], hour: int = 99) -> Drawn:
    baseline, optimized, yardstick = excess(chance)
    middle = RATIO + baseline - optimized + chance.gauss(0, 0.006)
    return Drawn(
        [middle + chance.gauss(0, 0.015) for _ in range(UNITS)],
        QuietTimes(
            key=KEY, task="digits_mlp", hour=STARTED + timedelta(hours=hour), known=None,
            baseline=[BASELINE + baseline + chance.gauss(0, 0.001)],
            yardstick=[YARDSTICK + yardstick + chance.gauss(0, 0.003)],
        ),
    )  # fmt: skip


def record(chance: random.Random, excesses: list[Callable[[random.Random], Excess]]) -> ReferenceTimes:
    """What is known after a session in each of so many hours."""
    times = [drawn(chance, excess).quiet for excess in excesses]
    return ReferenceTimes(
        key=KEY, hours=len(excesses), since=STARTED, until=STARTED + timedelta(hours=len(excesses) - 1),
        baseline_ns=math.exp(min(each.baseline[0] for each in times)),
        yardstick_ns=math.exp(min(each.yardstick[0] for each in times)),
    )  # fmt: skip


def holds(session: Drawn, known: ReferenceTimes | None) -> bool:
    """Whether its interval holds the ratio of a machine that is left alone."""
    quiet = session.quiet.model_copy(update={"known": known})
    moved = quiet.moved(RULES.disturbance, quiet.best)
    spread = RULES.significance.session_spread
    interval = widened_interval(mean_estimate(session.logs), spread, down=moved.down, up=moved.up)
    return interval.lower <= RATIO <= interval.upper


MIXED = [calm, calm, busy, calm, busy, busy, calm, busy]
SITUATIONS = {
    "calm": (calm, MIXED), "busy": (busy, MIXED), "a slow clock": (slow_clock, MIXED),
    "a slow clock, memory as before": (slow_clock_alone, MIXED), "the first session": (busy, []),
    "known from a busy evening": (busy, [busy, busy]), "mostly busy hours": (busy, [busy] * 40 + [calm] * 10),
}  # fmt: skip


@pytest.mark.parametrize(("excess", "hours"), SITUATIONS.values(), ids=SITUATIONS)
def test_the_undisturbed_ratio_is_held(excess: Callable[[random.Random], Excess], hours: list[Any]) -> None:
    """It is a bound, which holds more often than 95 of 100 times."""
    chance = random.Random(1)
    held = [holds(drawn(chance, excess), record(chance, hours) if hours else None) for _ in range(300)]

    assert sum(held) >= 0.95 * len(held)


def test_without_the_rule_a_busy_machine_s_intervals_hold_little() -> None:
    chance = random.Random(1)
    sessions = [mean_estimate(drawn(chance, busy).logs) for _ in range(300)]
    bare = [widened_interval(each, RULES.significance.session_spread) for each in sessions]

    assert sum(each.lower <= RATIO <= each.upper for each in bare) < 0.75 * len(bare)


def class_of(chance: random.Random, count: int, known: ReferenceTimes | None) -> Iterator[Any]:
    """Submissions of one and the same model, from one kind of machine."""
    for number in range(count):
        session = drawn(chance, chance.choice([calm, busy]))
        quiet = session.quiet.model_copy(update={"known": known})
        moved = quiet.moved(RULES.disturbance, quiet.best)
        speedup = math.exp(fmean(session.logs))
        spread = (speedup * math.exp(-moved.down), speedup * math.exp(moved.up))
        yield figures(
            f"{number}", speedup, log_ratios=session.logs, quiet=quiet, moved=moved, best=quiet.best,
            interval=spread, judged_by=spread,
        )  # fmt: skip


def told_apart(entries: list[Any]) -> float:
    """The share of pairs that are called different."""
    every = slice(0, len(entries))
    p_values = pairs(entries, RULES)(every, every)[np.triu_indices(len(entries), 1)]
    return float((p_values < 0.05).mean())


def test_one_model_in_two_sessions_is_hardly_ever_told_apart() -> None:
    chance = random.Random(2)
    entries = list(class_of(chance, 60, record(chance, MIXED)))
    unmoved = [replace(each, moved=None) for each in entries]

    assert told_apart(entries) <= 0.05 < 0.3 < told_apart(unmoved)


def test_a_forged_reference_gains_nothing_beside_other_files_of_the_machine() -> None:
    """One that is 10 % slow, and says that the machine is known: its interval reaches down as that of the others."""
    chance = random.Random(3)
    honest = record(chance, MIXED)
    forged = honest.model_copy(update={"baseline_ns": 1.1 * honest.baseline_ns, "hours": 50})
    others = [handed_in(each) for each in class_of(chance, 8, honest)]
    (entry,) = class_of(random.Random(5), 1, forged)
    honest_down = (
        entry.quiet.model_copy(update={"known": honest})
        .moved(RULES.disturbance, entry.quiet.model_copy(update={"known": honest}).best)
        .down
    )
    alone, *_ = beside_their_machines([handed_in(entry)], RULES)
    beside, *_ = beside_their_machines([handed_in(entry, source="forged.json"), *others], RULES)

    assert alone.figures == entry
    assert beside.figures.moved.down >= entry.moved.down
    assert beside.figures.interval[0] <= entry.interval[0]
    assert beside.figures.moved.down == pytest.approx(honest_down, abs=0.02) or honest_down > math.log(1.1)


def test_a_reference_that_excuses_everything_gains_nothing_beside_others() -> None:
    """One whose yardstick was never so fast."""
    chance = random.Random(4)
    honest = record(chance, MIXED)
    forged = honest.model_copy(update={"yardstick_ns": honest.yardstick_ns / 2})
    others = [handed_in(each) for each in class_of(chance, 8, honest)]
    entry = max(class_of(random.Random(6), 9, forged), key=lambda each: each.quiet.baseline[0])
    beside, *_ = beside_their_machines([handed_in(entry, source="forged.json"), *others], RULES)

    assert entry.moved.down == 0
    assert beside.figures.moved.down > 0.01


def test_a_file_that_is_not_valid_tells_nothing_of_its_machine() -> None:
    chance = random.Random(7)
    known = record(chance, MIXED)
    one, two = (handed_in(each) for each in class_of(chance, 2, known))
    faster = two.figures.quiet.model_copy(update={"baseline": [0.0]})
    forged = replace(two, passed_unlisted=0, figures=replace(two.figures, quiet=faster))

    assert beside_their_machines([one, forged], RULES)[0] == one


def test_make_run_says_too_little() -> None:
    """The run of one visit that most tests use."""
    assert quiet_times(make_run()) is None
