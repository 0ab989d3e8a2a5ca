"""The only reader of a clock, and the clock can be injected. Times are integer nanoseconds."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from tinytorch.benchmarking.records.record import Rate
from tinytorch.benchmarking.schedule import SHORTEST_SAMPLE_NS, Schedule, turns
from tinytorch.core.tensor import no_grad
from tinytorch.errors import RunError

Clock = Callable[[], int]
Call = Callable[[object], object]
Take = Callable[[int], Sequence[object]]  # so many inputs of one sample each, made now
Samples = list[list[list[list[int]]]]  # [model][copy][block][sample]

CLOCK: Clock = time.perf_counter_ns
CLOCK_NAME = "time.perf_counter_ns"
THROUGHPUT_PASSES = 7
PASSES_BUDGET_NS = 3_000_000_000
PROBES = 5
TIMER_READINGS = 1001
LIMIT_TRIES = 20
LIMIT_BYTES = (16_384, 67_108_864)  # least and most that the bandwidth is measured with
GEMM_SIZE = 256


@dataclass(frozen=True)
class Timer:
    """What reading the clock costs, and the smallest step that it makes; the larger of seen and stated resolution."""

    overhead_ns: int
    step_ns: int


def examine_timer(clock: Clock = CLOCK, stated_resolution_s: float | None = None) -> Timer:
    """Read the clock many times in a row: the median gap is its cost, the smallest one that moved it its step."""
    if stated_resolution_s is None:
        stated_resolution_s = time.get_clock_info("perf_counter").resolution
    readings = [clock() for _ in range(TIMER_READINGS)]
    gaps = [later - earlier for earlier, later in pairwise(readings)]
    step = min((gap for gap in gaps if gap), default=0)
    return Timer(round(median(gaps)), max(step, round(stated_resolution_s * 1e9)))


@contextmanager
def quiet() -> Iterator[None]:
    """No gradients and no garbage collector in the timed path (the collector stays as it was found)."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        with no_grad():
            yield
    finally:
        if enabled:
            gc.enable()


def time_calls(call: Call, inputs: Sequence[object], clock: Clock = CLOCK) -> int:
    """Nanoseconds for one call on each of `inputs`, in one batch between two readings of the clock."""
    start = clock()
    for sample in inputs:
        call(sample)
    return clock() - start


def time_block(call: Call, batches: Sequence[Sequence[object]], discarded: int, clock: Clock = CLOCK) -> list[int]:
    """One time per batch, the first `discarded` ones left out. RunError when the clock did not move."""
    times = [time_calls(call, batch, clock) for batch in batches][discarded:]
    if min(times) <= 0:
        message = f"{CLOCK_NAME} did not move while a model ran: nothing can be timed with it"
        raise RunError(message, mend="run it on a machine whose clock runs, not in an emulator")
    return times


def measure_visit(
    copies: Sequence[Sequence[Call]], take: Take, plan: Schedule, generator: random.Random, clock: Clock = CLOCK
) -> Samples:
    """Time every model of every copy (`copies[copy][model]`) by the plan; the blocks of one pair see the same inputs.

    Returns `samples[model][copy][block][sample]` in nanoseconds for `plan.calls_per_sample[model]` calls.
    """
    samples: Samples = [[[] for _ in copies] for _ in plan.calls_per_sample]
    batches = plan.block.discarded + plan.block.timed
    with quiet():
        for copy, order in turns(plan, generator):
            inputs = take(batches * max(plan.calls_per_sample))  # made before the clock starts
            for model in order:
                parts = _batches(inputs, batches, plan.calls_per_sample[model])
                block = time_block(copies[copy][model], parts, plan.block.discarded, clock)
                samples[model][copy].append(block)
    return samples


def _batches(inputs: Sequence[object], count: int, size: int) -> list[Sequence[object]]:
    return [inputs[start : start + size] for start in range(0, count * size, size)]


def probe_call_ns(call: Call, take: Take, clock: Clock = CLOCK) -> int:
    """Roughly how long one call takes: the best of a few batches, each long enough for the clock."""
    with quiet():
        count = 1
        while count < 1 << 20 and time_calls(call, take(count), clock) < SHORTEST_SAMPLE_NS:
            count *= 2
        batches = [take(count) for _ in range(PROBES)]
        return max(1, min(time_calls(call, batch, clock) for batch in batches) // count)


def time_passes(call: Call, take_batch: Callable[[], object], clock: Clock = CLOCK) -> list[int]:
    """Nanoseconds of single passes over full batches, after one discarded pass; fewer of them where they are slow."""
    with quiet():
        first_ns = max(1, time_calls(call, [take_batch()], clock))
        passes = max(1, min(THROUGHPUT_PASSES, PASSES_BUDGET_NS // first_ns))
        return time_block(call, [[take_batch()] for _ in range(passes)], 0, clock)


def warm_up(call: Call, sample: object) -> None:
    """One inference that counts for nothing: what it builds, later ones find."""
    with no_grad():
        call(sample)


def peak_working_bytes(call: Call, sample: object) -> int:
    """Bytes allocated at the highest point of one inference beyond what was held before it (tracemalloc)."""
    is_traced = tracemalloc.is_tracing()  # by a caller, who goes on
    with no_grad():
        if is_traced:
            tracemalloc.reset_peak()
        else:
            tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            call(sample)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            if not is_traced:
                tracemalloc.stop()
    return peak - before


@dataclass(frozen=True)
class Limits:
    """What one thread of this machine can do at its best."""

    memory_bandwidth_bytes_per_s: Rate
    flops_per_s: Rate


def examine_limits(kept_bytes: int, clock: Clock = CLOCK) -> Limits:
    """The fastest of several reads of `kept_bytes` (from the nearest cache that holds them), and of several products
    of square matrices, which cost 2 n^3 operations (Golub & Van Loan, "Matrix Computations", section 1.1)."""
    size = min(max(kept_bytes, LIMIT_BYTES[0]), LIMIT_BYTES[1])
    vector = np.ones(size // 4, np.float32)
    matrix = np.ones((GEMM_SIZE, GEMM_SIZE), np.float32)
    read_ns = _fastest_ns(lambda: np.dot(vector, vector), clock)
    multiply_ns = _fastest_ns(lambda: np.dot(matrix, matrix), clock)
    return Limits(vector.nbytes * 1e9 / read_ns, 2 * GEMM_SIZE**3 * 1e9 / multiply_ns)


def _fastest_ns(work: Callable[[], object], clock: Clock) -> int:
    return max(1, min(time_calls(lambda _: work(), [None], clock) for _ in range(LIMIT_TRIES)))
