"""How near a model comes to what this machine allows: both are seen in turns, in one process."""

from __future__ import annotations

from typing import Any

from threadpoolctl import threadpool_limits

from tinytorch.benchmarking.light import LightSpeed, nearness
from tinytorch.benchmarking.measure import CLOCK, Clock, examine_limits, quiet, time_calls
from tinytorch.benchmarking.records.work import COUNTED_SAMPLES, Limits, Work
from tinytorch.core.model import as_call, inference
from tinytorch.perf.profiling.layers import Take, counted

ROUNDS = 8
ROUND_NS = 60_000_000  # of calls


def look_beside(model: Any, take: Take, kept_bytes: int, clock: Clock = CLOCK) -> tuple[Limits, LightSpeed | None]:
    """What this machine can do for a model that keeps so much, and how near the model comes to that.

    In every round the limits are seen, and the least time of single calls for about `ROUND_NS`. None where nothing of
    the model's work can be counted. There is one BLAS thread.
    """
    seen, times_ns = [], []
    with inference(model), quiet(), threadpool_limits(1, user_api="blas"):
        call, work = as_call(model), Work.mean([counted(model, take()) for _ in range(COUNTED_SAMPLES)])
        size_bytes = work.reads(kept_bytes) if work else kept_bytes
        for _ in range(ROUNDS):
            seen.append(examine_limits(size_bytes, clock=clock))
            start_ns, least_ns = clock(), time_calls(call, [take()], clock)
            while clock() - start_ns < ROUND_NS:
                least_ns = min(least_ns, time_calls(call, [take()], clock))
            times_ns.append(float(max(1, least_ns)))
    machine = Limits.best(seen)
    return machine, nearness(work, machine, times_ns) if work else None
