"""Light speed: the least time that a machine allows for what a model does, and how near the model comes to it.

The roofline model (Williams, Waterman & Patterson, "Roofline", CACM 2009) with two kinds of memory. Weights come from
the nearest cache that holds all of them, each time that they are read; whatever else is moved may lie in the nearest
cache of all. An inference cannot end before the slower of moving and computing has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tinytorch.benchmarking.records.metrics import ModelRecord
from tinytorch.benchmarking.records.work import Limits, Work
from tinytorch.benchmarking.statistics import Interval, mean_estimate, unit_times

Bound = Literal["memory", "arithmetic"]


@dataclass(frozen=True)
class LightSpeed:
    """The least time of an inference and the quiet time that it took, nanoseconds; what the least goes into; the share.

    The interval holds the share with 95 % confidence in this session; None with too few processes. It is of one thread.
    """

    least_ns: float
    taken_ns: float
    bound: Bound
    share: float
    interval: Interval | None


def light_speed(model: ModelRecord) -> LightSpeed | None:
    """How near a measured model comes to what its machine allowed; None where its work or its machine is not known."""
    latency, work, machine = model.metrics.latency, model.work, model.machine
    if latency is None or latency.block_times_ns is None or work is None or machine is None:
        return None
    times = unit_times(latency.block_times_ns / (latency.calls_per_sample or 1), latency.copies_per_unit or 1)
    return nearness(work, machine, times)


@dataclass(frozen=True)
class Split:
    """Why a model is faster: the work became less, or the machine is used better. Their product is the speedup.

    Work counts as the least time that the machine allows for it, nanoseconds: so arithmetic and memory are weighed.
    """

    speedup: float
    baseline_least_ns: float
    optimized_least_ns: float

    @property
    def less_work(self) -> float:
        """How many times less the work is."""
        return self.baseline_least_ns / self.optimized_least_ns

    @property
    def better_use(self) -> float:
        """How many times better the machine is used."""
        return self.speedup / self.less_work

    @classmethod
    def of(cls, speedup: float | None, baseline: LightSpeed | None, optimized: LightSpeed | None) -> Split | None:
        """Of a speedup that was measured, and what the machine allowed for both models; None without one of them."""
        if speedup is None or baseline is None or optimized is None:
            return None
        return cls(speedup, baseline.least_ns, optimized.least_ns)


def nearness(work: Work, machine: Limits, times_ns: list[float]) -> LightSpeed | None:
    """From the best that was seen of the machine, and what each process took for an inference; None without work."""
    bound, least_ns = least_time(work, machine)
    if not least_ns:
        return None
    found = mean_estimate([math.log(least_ns / time_ns) for time_ns in times_ns])
    interval = found.interval and Interval(math.exp(found.interval.lower), math.exp(found.interval.upper))
    share = math.exp(found.mean)
    return LightSpeed(least_ns, least_ns / share, bound, share, interval)


def least_time(work: Work, limits: Limits) -> tuple[Bound, float]:
    """What so much work is spent on where nothing is lost, and the nanoseconds that it takes."""
    near = max(0, work.moved_bytes - work.weight_bytes)
    moving = work.weight_bytes / limits.memory_bandwidth_bytes_per_s + near / limits.near_bandwidth_bytes_per_s
    computing = work.flops / limits.flops_per_s
    return ("memory", moving * 1e9) if moving >= computing else ("arithmetic", computing * 1e9)
