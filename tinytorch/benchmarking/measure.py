"""The only reader of a clock, and the clock can be injected. Times are integer nanoseconds."""

from __future__ import annotations

import gc
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import median

import numpy as np

from tinytorch.benchmarking import yardstick
from tinytorch.benchmarking.records.work import Limits
from tinytorch.benchmarking.schedule import SHORTEST_SAMPLE_NS, Schedule, turns
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.errors import RunError

Clock = Callable[[], int]
Call = Callable[[object], object]
Answers = Callable[[Sequence[object]], list[bytes]]  # a model's answer to each input, as the bytes of an array
Take = Callable[[int], Sequence[object]]  # so many inputs of one sample each, made now
TakeBlock = Callable[[int, int], Sequence[object]]  # the number of a block, and how many inputs it has
Samples = list[list[list[list[int]]]]  # [model][copy][block][sample]; the yardstick comes after the models
Outputs = list[list[bytes]]  # [model][call]: of one pair of blocks, the timed calls alone

CLOCK: Clock = time.perf_counter_ns
CLOCK_NAME = "time.perf_counter_ns"
THROUGHPUT_PASSES = 7
PASSES_BUDGET_NS = 3_000_000_000
PROBES = 5
TIMER_READINGS = 1001
LIMIT_TRIES = 20
LIMIT_BYTES = (24_576, 67_108_864)  # least and most that the bandwidth is measured with: the first fits in any cache
LIMIT_NS = 50_000  # so long a try lasts at least: short reads are repeated
LEAST_PART = 0.2  # of a read's time that is left when what its call costs is taken off
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
    """No gradients, garbage collector, profiler or tracer in the timed path; all stay as they were found."""
    enabled, profiler, tracer = gc.isenabled(), sys.getprofile(), sys.gettrace()
    gc.collect()
    _undisturbed()
    try:
        with no_grad():
            yield
    finally:
        if enabled:
            gc.enable()
        sys.setprofile(profiler)
        sys.settrace(tracer)


def _undisturbed() -> None:
    """Nothing that a model has left behind in its own block runs in the next one, which is another model's."""
    gc.disable()
    sys.setprofile(None)
    sys.settrace(None)


def answers(call: Call) -> Answers:
    """A model as it is timed: an answer is there when its bytes are, so that none can be put off until later.

    Taking them costs about 100 ns, of every model alike.
    """
    take = np.ndarray.tobytes  # of the class, which no class of a model's own can replace

    def answered(inputs: Sequence[object]) -> list[bytes]:
        return [take(out.data if type(out := call(one)) is Tensor else np.asarray(out)) for one in inputs]

    return answered


def time_calls(call: Call, inputs: Sequence[object], clock: Clock = CLOCK) -> int:
    """Nanoseconds for one call on each of `inputs`, in one batch between two readings of the clock."""
    start = clock()
    for sample in inputs:
        call(sample)
    return clock() - start


def time_answers(model: Answers, inputs: Sequence[object], clock: Clock = CLOCK) -> tuple[int, list[bytes]]:
    """Nanoseconds for the answers to all of `inputs`, in one batch between two readings of the clock; the answers."""
    start = clock()
    outputs = model(inputs)
    return clock() - start, outputs


def time_block(call: Call, batches: Sequence[Sequence[object]], discarded: int, clock: Clock = CLOCK) -> list[int]:
    """One time per batch, the first `discarded` ones left out. RunError when the clock did not move."""
    return _moved([time_calls(call, batch, clock) for batch in batches][discarded:])


def answer_block(
    model: Answers, batches: Sequence[Sequence[object]], discarded: int, clock: Clock = CLOCK
) -> tuple[list[int], list[bytes]]:
    """The same, with all answers of the batches that are not left out."""
    timed = [time_answers(model, batch, clock) for batch in batches][discarded:]
    return _moved([time_ns for time_ns, _ in timed]), [output for _, outputs in timed for output in outputs]


def _moved(times: list[int]) -> list[int]:
    if min(times) <= 0:
        message = f"{CLOCK_NAME} did not move while a model ran: nothing can be timed with it"
        raise RunError(message, mend="run it on a machine whose clock runs, not in an emulator")
    return times


def measure_visit(
    copies: Sequence[Sequence[Answers]],
    take: TakeBlock,
    plan: Schedule,
    generator: random.Random,
    clock: Clock = CLOCK,
) -> tuple[Samples, list[Outputs]]:
    """Time every model and the yardstick of every copy (`copies[copy][model]`, the yardstick last) by the plan.

    The blocks of one pair see the same inputs. Returns `samples[model][copy][block][sample]` in nanoseconds for
    `plan.calls_per_sample[model]` calls, and for every pair of blocks, in the order in which they were timed, the
    answers of the models.
    """
    samples: Samples = [[[] for _ in copies] for _ in range(plan.models + 1)]
    outputs: list[Outputs] = []
    with quiet():
        for number, (copy, order) in enumerate(turns(plan, generator)):
            inputs = take(number, plan.inputs_of_block)  # made before the clock starts
            answered: dict[int, list[bytes]] = {}
            for model in order:
                batches, discarded = _asked(plan, model, inputs)
                _undisturbed()
                times, answered[model] = answer_block(copies[copy][model], batches, discarded, clock)
                samples[model][copy].append(times)
            outputs.append([answered[model] for model in range(plan.models)])
    return samples, outputs


def _asked(plan: Schedule, model: int, inputs: Sequence[object]) -> tuple[Sequence[Sequence[object]], int]:
    """The batches of a block, and how many of them are discarded; the yardstick has its own."""
    if model == plan.models:
        return yardstick.batches(), yardstick.DISCARDED
    return batches_of(plan, model, inputs), plan.block.discarded


def batches_of(plan: Schedule, model: int, inputs: Sequence[object]) -> list[Sequence[object]]:
    """What a model is given of a block's inputs: a batch for each sample, the discarded ones first."""
    size = plan.calls_per_sample[model]
    return [inputs[start : start + size] for start in range(0, plan.block.batches * size, size)]


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


def examine_limits(kept_bytes: int, tries: int = LIMIT_TRIES, clock: Clock = CLOCK) -> Limits:
    """The fastest of so many reads of `kept_bytes`, and of what lies in the nearest cache, and of as many products.

    Products are of square matrices, which cost 2 n^3 operations (Golub & Van Loan, "Matrix Computations", section 1.1).
    What a call costs by itself is taken off: it would pass for a slow memory.
    """
    matrix = np.ones((GEMM_SIZE, GEMM_SIZE), np.float32)
    call_ns = _fastest_ns(partial(np.dot, matrix[0, :1], matrix[0, :1]), tries, clock)
    multiply_ns = _fastest_ns(partial(np.dot, matrix, matrix), tries, clock) - call_ns
    near, far = (_bandwidth(size_bytes, call_ns, tries, clock) for size_bytes in (LIMIT_BYTES[0], kept_bytes))
    return Limits(
        memory_bandwidth_bytes_per_s=far, near_bandwidth_bytes_per_s=max(near, far),
        flops_per_s=2 * GEMM_SIZE**3 * 1e9 / max(1.0, multiply_ns),
    )  # fmt: skip


def _bandwidth(size_bytes: int, call_ns: float, tries: int, clock: Clock) -> float:
    """Bytes a second: two halves of a vector are read once."""
    first, second = np.ones((2, min(max(size_bytes, LIMIT_BYTES[0]), LIMIT_BYTES[1]) // 8), np.float32)
    read_ns = _fastest_ns(partial(np.dot, first, second), tries, clock)
    return 2 * first.nbytes * 1e9 / max(read_ns - call_ns, LEAST_PART * read_ns)


def _fastest_ns(work: Callable[[], object], tries: int, clock: Clock) -> float:
    """Nanoseconds of one call, of as many as last for about `LIMIT_NS`."""
    first_ns = max(1, time_calls(lambda _: work(), [None], clock))
    calls = [None] * max(1, LIMIT_NS // first_ns)
    return max(1, min(time_calls(lambda _: work(), calls, clock) for _ in range(tries))) / len(calls)
