"""Measuring with an injected clock: models that advance it by a known time."""

from __future__ import annotations

import gc
import random
import sys
from dataclasses import replace

import numpy as np
import pytest

from tinytorch.benchmarking import measure, yardstick
from tinytorch.benchmarking.records.work import Limits
from tinytorch.benchmarking.schedule import BlockShape, Schedule
from tinytorch.core.tensor import Tensor
from tinytorch.errors import RunError


class FakeClock:
    """A clock that only moves when a model says so."""

    def __init__(self) -> None:
        self.now = 0
        self.calls: list[tuple[str, object]] = []

    def __call__(self) -> int:
        return self.now

    def model(self, name: str, cost_ns: int):
        def call(sample: object) -> np.ndarray:
            self.calls.append((name, sample))
            self.now += cost_ns
            return np.array([len(self.calls)])

        return call

    def answering(self, name: str, cost_ns: int) -> measure.Answers:
        return measure.answers(self.model(name, cost_ns))


PLAN = Schedule(sessions=1, processes=1, copies=2, visits=3, block=BlockShape(4, 5, 8), calls_per_sample=(1, 10))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class Inputs:
    """Hands out numbers, and never the same one twice."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self, count: int) -> list[object]:
        self.given += count
        return list(range(self.given - count, self.given))


class BlockInputs(Inputs):
    """The same for each block by its number, of which the first comes first."""

    blocks: int = 0

    def __call__(self, number: int, count: int) -> list[object]:
        assert number == self.blocks
        self.blocks += 1
        return super().__call__(count)


def copies_of(clock: FakeClock, plan: Schedule) -> list[list[measure.Answers]]:
    """Two models and the yardstick."""
    costs_ns = {"a": 1000, "b": 50, "y": 7}
    return [[clock.answering(name, cost_ns) for name, cost_ns in costs_ns.items()] for _ in range(plan.copies)]


def visited(clock: FakeClock, plan: Schedule = PLAN) -> tuple[measure.Samples, list[measure.Outputs]]:
    return measure.measure_visit(copies_of(clock, plan), BlockInputs(), plan, random.Random(1), clock)


def measured(clock: FakeClock, plan: Schedule = PLAN) -> measure.Samples:
    return visited(clock, plan)[0]


def test_a_sample_is_the_time_of_its_batch(clock: FakeClock) -> None:
    slow, fast, _ = measured(clock)

    assert {ns for model in (slow, fast) for p in model for b in p for ns in b} == {1000, 500}


def test_every_copy_has_all_its_blocks(clock: FakeClock) -> None:
    shapes = {np.shape(model) for model in measured(clock)[:2]}

    assert shapes == {(PLAN.copies, PLAN.block.block_pairs, PLAN.block.timed)}


def test_discarded_calls_are_made_and_not_recorded(clock: FakeClock) -> None:
    measured(clock)
    blocks = PLAN.copies * PLAN.block.block_pairs

    assert sum(name == "a" for name, _ in clock.calls) == blocks * (PLAN.block.discarded + PLAN.block.timed)


def test_models_take_turns_block_by_block(clock: FakeClock) -> None:
    measured(clock)
    names = "".join(name for name, _ in clock.calls).replace("y", "")

    assert max(len(run) for run in names.replace("b", " ").split()) <= 2 * (PLAN.block.discarded + PLAN.block.timed)


def test_the_models_of_a_pair_see_the_same_inputs_and_nobody_sees_one_twice(clock: FakeClock) -> None:
    measured(clock, replace(PLAN, calls_per_sample=(1, 1)))
    seen = {name: [sample for who, sample in clock.calls if who == name] for name in "ab"}

    assert set(seen["a"]) == set(seen["b"])
    assert len(set(seen["a"])) == len(seen["a"])


def test_inputs_are_made_before_the_clock_starts(clock: FakeClock) -> None:
    def take(number: int, count: int) -> list[object]:
        clock.now += 1_000_000
        return [0] * count

    plan = replace(PLAN, block=BlockShape(4, 0, 8))
    (slow, *_), _ = measure.measure_visit(copies_of(clock, plan), take, plan, random.Random(1), clock)

    assert np.max(slow) == 1000


def test_a_clock_that_does_not_move_is_an_error_and_never_a_time(clock: FakeClock) -> None:
    with pytest.raises(RunError, match="did not move"):
        measure.time_block(clock.model("a", 0), [[1]], 0, clock)


def test_the_yardstick_has_one_block_of_its_own_length_in_each_copy(clock: FakeClock) -> None:
    *_, beside = measured(clock, replace(PLAN, block=BlockShape(2, 0, 1)))

    assert beside == [[yardstick.TIMED * [7 * yardstick.CALLS_PER_SAMPLE]]] * PLAN.copies


def test_the_answers_of_a_block_are_those_of_its_timed_calls(clock: FakeClock) -> None:
    """In the order of the blocks, whichever model came first; the discarded calls' are not among them."""
    _, outputs = visited(clock)
    numbered = [int.from_bytes(answer, "little") for block in outputs for answers in block for answer in answers]

    assert len(outputs) == PLAN.blocks_of_visit
    assert [[len(answers) for answers in block] for block in outputs] == PLAN.blocks_of_visit * [[8, 80]]
    assert len(set(numbered)) == PLAN.blocks_of_visit * 88
    assert [clock.calls[number - 1][0] for number in numbered[:88]] == 8 * ["a"] + 80 * ["b"]


class Lazy:
    """An answer that is computed when somebody asks for it."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        self.clock.now += 700
        return np.zeros(1)


def test_an_answer_that_is_put_off_is_computed_while_the_clock_runs(clock: FakeClock) -> None:
    model = measure.answers(lambda sample: Lazy(clock))

    assert measure.answer_block(model, [[1], [1]], 0, clock)[0] == [700, 700]


class Pretending(np.ndarray):
    """An array that gives its bytes away without any work."""

    def tobytes(self, *_: object) -> bytes:
        return b"other bytes"


def test_no_class_of_a_models_own_says_what_its_bytes_are() -> None:
    tensor = Tensor(np.zeros(2, np.uint8))
    tensor.data = tensor.data.view(Pretending)

    assert measure.answers(lambda sample: tensor)([1]) == [b"\0\0"]
    assert measure.answers(lambda sample: tensor.data)([1]) == [b"\0\0"]


def test_what_a_model_leaves_running_does_not_run_in_another_model_s_block(clock: FakeClock) -> None:
    """A profiler, a tracer and the collector; the caller's own are there again afterwards."""
    found: list[object] = []

    def leaving(sample: object) -> np.ndarray:
        clock.now += 10
        gc.enable()
        sys.setprofile(lambda *_: None)
        return np.zeros(1)

    def looking(sample: object) -> np.ndarray:
        clock.now += 10
        found.extend([sys.getprofile(), gc.isenabled()])
        return np.zeros(1)

    copies = [[measure.answers(leaving), measure.answers(looking), clock.answering("y", 7)]] * 2
    measure.measure_visit(copies, BlockInputs(), PLAN, random.Random(1), clock)

    assert set(found) == {None, False}
    assert (gc.isenabled(), sys.getprofile()) == (True, None)


def test_gradients_are_not_recorded_while_timing() -> None:
    with measure.quiet():
        assert not (Tensor([1.0], requires_grad=True) * 2).requires_grad


@pytest.mark.parametrize(("pass_ns", "passes"), [(1_000, 7), (1_500_000_000, 2), (30_000_000_000, 1)])
def test_slow_batches_are_passed_less_often(clock: FakeClock, pass_ns: int, passes: int) -> None:
    assert len(measure.time_passes(clock.model("a", pass_ns), Inputs, clock)) == passes


def test_the_first_pass_is_not_kept(clock: FakeClock) -> None:
    costs = iter([9_000, *[1_000] * 7])

    def cold(batch: object) -> None:
        clock.now += next(costs)

    assert measure.time_passes(cold, Inputs, clock) == [1_000] * 7


def test_the_collector_is_off_while_timing_and_on_again_after() -> None:
    with measure.quiet():
        during = gc.isenabled()

    assert (during, gc.isenabled()) == (False, True)


@pytest.mark.parametrize("cost_ns", [50, 3_000, 5_000_000])
def test_the_probe_finds_the_cost_of_a_call(clock: FakeClock, cost_ns: int) -> None:
    assert measure.probe_call_ns(clock.model("a", cost_ns), Inputs(), clock) == cost_ns


def test_peak_working_bytes_sees_a_temporary_array() -> None:
    assert measure.peak_working_bytes(lambda size: np.ones(size), 100_000) >= 800_000


class SteppingClock:
    """A clock that takes `cost_ns` to read and shows multiples of `step_ns`."""

    def __init__(self, cost_ns: int, step_ns: int) -> None:
        self.now, self.cost_ns, self.step_ns = 0, cost_ns, step_ns

    def __call__(self) -> int:
        self.now += self.cost_ns
        return self.now // self.step_ns * self.step_ns


@pytest.mark.parametrize(("cost_ns", "step_ns"), [(40, 1), (40, 1000), (300, 100)])
def test_the_timer_is_examined_by_reading_it(cost_ns: int, step_ns: int) -> None:
    timer = measure.examine_timer(SteppingClock(cost_ns, step_ns), stated_resolution_s=1e-9)

    assert timer.step_ns == max(cost_ns, step_ns)


def test_a_timer_is_at_best_as_fine_as_it_says(clock: FakeClock) -> None:
    assert measure.examine_timer(clock, stated_resolution_s=1e-6).step_ns == 1000


def test_the_step_of_a_clock_that_stands_still_is_not_invented(clock: FakeClock) -> None:
    assert measure.examine_timer(clock, stated_resolution_s=0.0) == measure.Timer(0, 0)


def test_the_machine_s_limits_are_positive_numbers() -> None:
    limits = measure.examine_limits(kept_bytes=100_000)

    assert min(limits.memory_bandwidth_bytes_per_s, limits.flops_per_s) > 0
    assert limits.near_bandwidth_bytes_per_s >= limits.memory_bandwidth_bytes_per_s


def test_what_a_call_costs_is_taken_off_the_machine_s_limits() -> None:
    """A call, a product, what is near, what is asked for: each is tried once to know how often it fits into a try."""
    readings = iter([0, 60_000, 0, 60_000, 0, 260_000, 0, 260_000, 0, 100_000, 0, 100_000, 0, 360_000, 0, 360_000])
    limits = measure.examine_limits(80_000, tries=1, clock=lambda: next(readings))

    assert limits.flops_per_s == 2 * 256**3 * 1e9 / 200_000
    assert limits.near_bandwidth_bytes_per_s == 24_576 * 1e9 / 40_000
    assert limits.memory_bandwidth_bytes_per_s == 80_000 * 1e9 / 300_000


def test_a_read_is_never_taken_for_free() -> None:
    """A fifth of its time is left, however long a call takes."""
    readings = iter([0, 60_000] * 2 + [0, 70_000] * 6)
    limits = measure.examine_limits(80_000, tries=1, clock=lambda: next(readings))

    assert limits.memory_bandwidth_bytes_per_s == 80_000 * 1e9 / 14_000


def test_what_is_short_is_repeated_between_two_readings_of_the_clock() -> None:
    readings, calls = iter([0, 5_000, 0, 40_000]), []
    found = measure._fastest_ns(lambda: calls.append(1), 1, lambda: next(readings))

    assert (len(calls), found) == (11, 4_000)


def limits(memory: float, near: float, flops: float) -> Limits:
    return Limits(memory_bandwidth_bytes_per_s=memory, near_bandwidth_bytes_per_s=near, flops_per_s=flops)


def test_the_best_limits_are_the_best_of_each() -> None:
    seen = [limits(1, 5, 3), limits(2, 4, 6)]

    assert Limits.best(seen) == limits(2, 5, 6)
