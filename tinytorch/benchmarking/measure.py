"""The only reader of a clock, and the clock can be injected. Times are integer nanoseconds."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice

from tinytorch.benchmarking.schedule import SHORTEST_SAMPLE_NS, Plan, visits
from tinytorch.core.tensor import no_grad

Clock = Callable[[], int]
Call = Callable[[object], object]
Observer = Callable[[float], None]  # told the share done, 0 to 1, between visits
Samples = list[list[list[list[int]]]]  # [model][placement][block][sample]

CLOCK: Clock = time.perf_counter_ns
CLOCK_NAME = "time.perf_counter_ns"
THROUGHPUT_PASSES = 7
PROBES = 5


def clock_resolution_ns() -> int:
    """The clock's resolution as the system states it, rounded up to whole nanoseconds."""
    return max(1, round(time.get_clock_info("perf_counter").resolution * 1e9))


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
    """One time per batch, the first `discarded` ones left out; never below 1 ns, which is the unit."""
    times = [time_calls(call, batch, clock) for batch in batches]
    return [max(1, elapsed) for elapsed in times[discarded:]]


def measure_placements(
    placements: Sequence[Sequence[Call]],
    inputs: Sequence[object],
    plan: Plan,
    seed: int,
    clock: Clock = CLOCK,
    observer: Observer = lambda share: None,
) -> Samples:
    """Time every model of every placement by the plan; the blocks of one pair see the same inputs.

    Returns `samples[model][placement][block][sample]` in nanoseconds for `plan.calls_per_sample[model]` calls.
    """
    generator = random.Random(seed)
    models = len(plan.calls_per_sample)
    samples: Samples = [[[] for _ in placements] for _ in range(models)]
    total = plan.visits * plan.copies
    with quiet():
        for done, visit in enumerate(visits(plan, models, generator), start=1):
            for turns in visit.turns:
                offset = generator.randrange(len(inputs))
                for model in turns:
                    batches = _batches(inputs, offset, plan, model)
                    call = placements[visit.placement][model]
                    samples[model][visit.placement].append(time_block(call, batches, plan.block.discarded, clock))
            observer(done / total)
    return samples


def _batches(inputs: Sequence[object], offset: int, plan: Plan, model: int) -> list[list[object]]:
    """The inputs of one block, made before its clock starts: consecutive test samples from `offset` on."""
    stream = islice(cycle(inputs), offset, None)
    count = plan.block.discarded + plan.block.timed
    return [list(islice(stream, plan.calls_per_sample[model])) for _ in range(count)]


def probe_call_ns(call: Call, inputs: Sequence[object], clock: Clock = CLOCK) -> int:
    """Roughly how long one call takes: the best of a few batches, each long enough for the clock."""
    with quiet():
        count = 1
        while count < 1 << 20 and time_calls(call, list(islice(cycle(inputs), count)), clock) < SHORTEST_SAMPLE_NS:
            count *= 2
        batch = list(islice(cycle(inputs), count))
        return max(1, min(time_calls(call, batch, clock) for _ in range(PROBES)) // count)


def time_passes(call: Call, batch: object, clock: Clock = CLOCK) -> list[int]:
    """Nanoseconds of single passes over a full batch, after one discarded pass."""
    with quiet():
        return time_block(call, [[batch]] * (THROUGHPUT_PASSES + 1), 1, clock)


def peak_working_bytes(call: Call, sample: object) -> int:
    """Bytes allocated at the highest point of one inference beyond what was held before it (tracemalloc)."""
    with no_grad():
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            call(sample)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    return peak - before
