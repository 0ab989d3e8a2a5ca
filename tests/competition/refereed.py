"""What a referee found of entries that never were, from a few numbers: what the checks of T3 are tested with."""

from __future__ import annotations

import random
from typing import Any

from tests.competition.conftest import SESSION
from tinytorch.benchmarking.records.outside import OutsideTimes, Requests
from tinytorch.benchmarking.records.samples import write_samples
from tinytorch.competition.record.refereed import Both, Redraw, Refereed, Right

PROCESSES, BLOCKS, TIMED = 6, 12, 5
ROUND_TRIP_NS, LOOP_NS = 8_000, 2_000


def times_ns(seed: int, inputs: int, latency_ns: float, blocks: int = BLOCKS) -> list[list[list[int]]]:
    """Of requests of so many inputs, with what the asking takes."""
    generator = random.Random(seed)

    def request() -> int:
        return max(1, round(ROUND_TRIP_NS + inputs * (LOOP_NS + generator.gauss(latency_ns, 0.01 * latency_ns))))

    return [[[request() for _ in range(TIMED)] for _ in range(blocks)] for _ in range(PROCESSES)]


def requests(
    seed: int, inputs: int, latency_ns: float, right: float = 0.97, distinct: float = 0.97, **changed: Any
) -> Requests:
    """With these shares of the answers right, and of the inputs different."""
    answers = PROCESSES * BLOCKS * TIMED * inputs
    told = {"pool": 16 * inputs, "answers": answers, "correct": round(right * answers),
            "distinct": round(distinct * answers), **changed}  # fmt: skip
    return Requests(inputs=inputs, samples_ns=write_samples(times_ns(seed, inputs, latency_ns)), **told)


def outside_times(
    baseline_ns: float = 1_000_000, optimized_ns: float = 200_000, inputs: tuple[int, int] = (3, 15),
    unasked: float = 0.01, **changed: Any,
) -> OutsideTimes:  # fmt: skip
    """One session; `changed` is of the entry's requests."""
    return OutsideTimes(
        session=SESSION, baseline=requests(1, inputs[0], baseline_ns),
        optimized=requests(2, inputs[1], optimized_ns, **changed),
        null=write_samples(times_ns(3, inputs[1], 0.0)), null_inputs=inputs[1],
        round_trips_ns=write_samples([[[ROUND_TRIP_NS] * 8] * BLOCKS] * PROCESSES), unasked_share=unasked,
    )  # fmt: skip


def right(share: float, total: int = 10_000) -> Right:
    """So large a share of so many."""
    return Right(correct=round(share * total), total=total)


def both(baseline: float, optimized: float) -> Both:
    """How two models answer the same inputs."""
    return Both(baseline=right(baseline), optimized=right(optimized))


def redraw(seed: int, optimized: float | None = 0.965, speedup: float = 5.0) -> Redraw:
    """A baseline that knows 97.5 %, and what became of it."""
    if optimized is None:
        return Redraw(seed=seed, baseline=right(0.975), fault="optimize raised an error")
    return Redraw(seed=seed, baseline=right(0.975), optimized=right(optimized), speedup=speedup)


def refereed(**changed: Any) -> Refereed:
    """Of the entry of `make_run`, with which everything is well."""
    found = {
        "outside": outside_times(), "untimed": right(0.972), "private": both(0.97, 0.96), "private_sha256": "d" * 64,
        "distorted": both(0.95, 0.93), "redraws": [redraw(1), redraw(2)], "idle_share": 0.01, "left_behind": [],
        "grown_bytes": 2_000_000,
    }  # fmt: skip
    return Refereed(**{**found, **changed})
