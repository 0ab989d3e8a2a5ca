"""Sabotage: every line of the measuring recipe broken once, each noticed by a test that is named here.

A row breaks the code at a seam and calls a test of the neighbouring files, which must then fail.
"""

from __future__ import annotations

import contextlib
import importlib.util
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.sabotage import Sabotage
from tinytorch.benchmarking import comparison, measure, placements, schedule, session, statistics, survey, timing
from tinytorch.benchmarking.agreement import TimedBlock
from tinytorch.benchmarking.placements import Placements
from tinytorch.benchmarking.schedule import Schedule


def neighbour(name: str) -> ModuleType:
    """Another test file as a module, whatever way the tests are run."""
    spec = importlib.util.spec_from_file_location(
        f"recipe_{name.replace('/', '_')}", Path(__file__).parent / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


IN_MEASURE, IN_PLACEMENTS, IN_SCHEDULE = (neighbour(f"test_{name}") for name in ("measure", "placements", "schedule"))
IN_SESSION, IN_RECORDS = neighbour("test_session"), neighbour("records/test_metrics")


def clock() -> tuple[Any]:
    return (IN_MEASURE.FakeClock(),)


def in_order(builders: Any, generator: random.Random) -> list[object]:
    return [builder() for builder in builders]


def without_coin_flip(plan: Schedule, generator: random.Random) -> Iterator[tuple[int, tuple[int, ...]]]:
    for copy in range(plan.copies):
        for _ in range(plan.block.block_pairs):
            yield copy, tuple(range(len(plan.calls_per_sample)))


def without_yardstick(plan: Schedule, generator: random.Random) -> Iterator[tuple[int, tuple[int, ...]]]:
    for copy, order in schedule.turns(plan, generator):
        yield copy, tuple(model for model in order if model < plan.models)


def with_fewer_blocks_for_one(plan: Schedule, generator: random.Random) -> Iterator[tuple[int, tuple[int, ...]]]:
    for copy in range(plan.copies):
        yield copy, (1,)
        for _ in range(plan.block.block_pairs - 1):
            yield copy, (0, 1)


def without_discarding(model: Any, batches: Any, discarded: int, clock: Any) -> tuple[list[int], list[bytes]]:
    return [measure.time_answers(model, batch, clock)[0] for batch in batches], []


class StaleClock:
    """Times from the end of the last block on: what happens between blocks is counted too."""

    def __init__(self) -> None:
        self.last_ns: int | None = None

    def __call__(self, model: Any, inputs: Any, clock: Any) -> tuple[int, list[bytes]]:
        start = clock() if self.last_ns is None else self.last_ns
        outputs = model(inputs)
        self.last_ns = clock()
        return self.last_ns - start, outputs


def with_its_first_pass(call: Any, take_batch: Any, clock: Any) -> list[int]:
    return [measure.time_calls(call, [take_batch()], clock) for _ in range(measure.THROUGHPUT_PASSES)]


def always_one(self: Placements, count: int, generator: object) -> list[object]:
    return [self._wrap(self._subjects.inputs[:1])] * count


def no_new_ones(self: Placements, count: int, generator: object) -> list[object]:
    return [self._wrap(self._subjects.inputs[index % 12 : index % 12 + 1]) for index in range(count)]


def with_gradients() -> Any:
    return contextlib.nullcontext()


def of_batches_too(placements: Any, calls_per_sample: int) -> np.ndarray:
    return np.sort([ns / calls_per_sample for blocks in placements for block in blocks for ns in block])


class Rounded:
    """A clock's 0 written as 1."""

    def __call__(self, call: Any, inputs: Any, clock: Any) -> int:
        start = clock()
        for sample in inputs:
            call(sample)
        return max(1, clock() - start)


SABOTAGES = {
    "always one build order": Sabotage(
        placements, "_build_in_random_order", in_order, IN_PLACEMENTS.test_copies_are_built_in_changing_order
    ),
    "one seed for all processes": Sabotage(
        timing, "process_seed", lambda seed, session, process: seed,
        IN_SESSION.test_all_processes_live_for_the_whole_session_and_have_seeds_of_their_own,
    ),
    "seeds that overlap": Sabotage(
        timing, "process_seed", lambda seed, session, process: seed + process,
        IN_SESSION.test_two_seeds_share_no_process_seed,
    ),
    "no coin flip": Sabotage(
        IN_SCHEDULE, "turns", without_coin_flip, IN_SCHEDULE.test_each_model_goes_first_in_about_half_of_the_pairs
    ),
    "always one order of processes": Sabotage(
        timing, "rounds", lambda plan, generator: (list(range(plan.processes)) for _ in range(plan.visits)),
        IN_SESSION.test_every_process_is_visited_ten_times_round_after_round_in_changing_order,
    ),
    "one process after the other": Sabotage(
        timing, "rounds", lambda plan, generator: ([each] * plan.visits for each in range(plan.processes)),
        IN_SESSION.test_every_process_is_visited_ten_times_round_after_round_in_changing_order,
    ),
    "two visits": Sabotage(
        schedule, "FEWEST_VISITS", 2,
        IN_SESSION.test_every_process_is_visited_ten_times_round_after_round_in_changing_order,
    ),
    "gradients recorded while timing": Sabotage(
        measure, "no_grad", with_gradients, IN_MEASURE.test_gradients_are_not_recorded_while_timing
    ),
    "collector on": Sabotage(
        measure, "gc", SimpleNamespace(**{**vars(measure.gc), "disable": lambda: None}),
        IN_MEASURE.test_the_collector_is_off_while_timing_and_on_again_after,
    ),
    "training mode": Sabotage(
        placements, "find_layers", lambda model: [], IN_PLACEMENTS.test_models_are_switched_to_inference
    ),
    "no warm-up": Sabotage(
        measure, "warm_up", lambda call, sample: None, IN_PLACEMENTS.test_a_first_inference_counts_for_nothing
    ),
    "no discarded calls": Sabotage(
        measure, "answer_block", without_discarding, IN_MEASURE.test_every_copy_has_all_its_blocks, clock
    ),
    "one input only": Sabotage(
        Placements, "_take", always_one,
        IN_PLACEMENTS.test_given_inputs_are_taken_in_turn_where_no_new_ones_can_be_made,
    ),
    "inputs that come again": Sabotage(
        Placements, "_take", no_new_ones, IN_PLACEMENTS.test_timed_inputs_never_repeat_where_new_ones_can_be_made
    ),
    "copies as units": Sabotage(
        Schedule, "copies_per_unit", 1, IN_SESSION.test_the_process_is_the_unit
    ),
    "processes as units of several sessions": Sabotage(
        Schedule, "copies_per_unit", 2,
        IN_SESSION.test_of_several_sessions_the_session_is_the_unit_and_they_begin_at_equal_distances,
    ),
    "medians in place of quiet times": Sabotage(
        statistics, "quiet_time", statistics.typical_time, IN_RECORDS.test_contention_in_most_blocks_changes_nothing
    ),
    "fewer blocks for one model": Sabotage(
        IN_SCHEDULE, "turns", with_fewer_blocks_for_one, IN_SCHEDULE.test_both_models_get_the_same_number_of_blocks
    ),
    "no yardstick": Sabotage(
        IN_SCHEDULE, "turns", without_yardstick,
        IN_SCHEDULE.test_each_copy_has_the_yardstick_in_one_pair_of_a_visit_which_is_drawn,
    ),
    "the yardstick in the models' blocks": Sabotage(
        measure, "_asked", lambda plan, model, inputs: (measure.batches_of(plan, 0, inputs), plan.block.discarded),
        IN_MEASURE.test_the_yardstick_has_one_block_of_its_own_length_in_each_copy, clock,
    ),
    "an interval from three units": Sabotage(
        statistics, "FEWEST_UNITS", 2, IN_RECORDS.test_three_units_have_no_interval
    ),
    "lottery guard off": Sabotage(
        comparison, "is_lottery", lambda *_: False, IN_RECORDS.test_being_fast_in_one_call_of_forty_wins_nothing
    ),
    "clock outside the block": Sabotage(
        measure, "time_answers", StaleClock(), IN_MEASURE.test_inputs_are_made_before_the_clock_starts, clock
    ),
    "a clock's 0 written as 1": Sabotage(
        measure, "time_calls", Rounded(), IN_MEASURE.test_a_clock_that_does_not_move_is_an_error_and_never_a_time, clock
    ),
    "throughput's first pass kept": Sabotage(
        measure, "time_passes", with_its_first_pass, IN_MEASURE.test_the_first_pass_is_not_kept, clock
    ),
    "percentiles of batches": Sabotage(
        statistics, "single_calls", of_batches_too, IN_RECORDS.test_batches_have_no_spread_of_single_calls
    ),
    "memory counted before the timing only": Sabotage(
        session, "_kept", lambda survey, last, timed: survey.kept_bytes,
        IN_SESSION.test_memory_is_the_larger_count_of_before_and_after_the_timed_calls
    ),
    "threads not looked at": Sabotage(
        session, "_worst", lambda threads: 1, IN_SESSION.test_the_threads_are_those_seen_after_the_timing
    ),
    "patches let through": Sabotage(
        session, "refuse_patches", lambda inspection: None, IN_SESSION.test_a_patched_function_is_refused_by_name,
        lambda: ("after",),
    ),
    "another output when timed": Sabotage(
        survey, "alike", lambda single, batch, tolerance: True, IN_SESSION.test_what_is_timed_is_what_is_scored,
        lambda: (IN_SESSION.OUTPUTS[:, ::-1], 0),
    ),
    "timed answers not looked at": Sabotage(
        session, "compare_answers", lambda alone, plan, blocks: 0,
        IN_SESSION.test_a_model_that_answers_otherwise_while_it_is_timed_is_refused,
    ),
    "one visit compared again and again": Sabotage(
        timing, "_draw", lambda process, plan, seed, model: TimedBlock(1, 0, model, process.timed_outputs(0, 0)),
        IN_SESSION.test_answers_of_every_process_are_compared_with_those_of_the_model_alone,
    ),
    "the first model counted among the others": Sabotage(
        session, "_kept", lambda survey, last, timed: timed[0].kept_bytes,
        IN_SESSION.test_what_hangs_on_the_first_model_while_both_are_timed_is_not_its_own,
    ),
    "what is left outside passed over": Sabotage(
        survey, "refuse_leftovers", lambda alone: None,
        IN_SESSION.test_a_survey_refuses_what_a_model_leaves,
    ),
    "units pretended in one process": Sabotage(
        session, "in_one_process", lambda tier: tier, IN_SESSION.test_one_process_is_one_unit_and_has_no_interval
    ),
}  # fmt: skip


@pytest.mark.parametrize("sabotage", SABOTAGES.values(), ids=SABOTAGES)
def test_a_broken_recipe_turns_a_test_red(sabotage: Sabotage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sabotage.turns_red(monkeypatch)
