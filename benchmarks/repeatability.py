"""Whether the stated error is the real one: one pair of models in many sessions.

    python benchmarks/repeatability.py run PART...   # goes on where it stopped; Ctrl-C loses one session at most
    python benchmarks/repeatability.py report        # the tables of docs/measurement.md

The parts, none of which takes longer than eight minutes: `same` (a model against itself), `pruned` (12.9 MB against
0.9 MB), `pruned-busy` (the same beside a busy process), `three-percent` (real extra work), `rigorous` (12 minutes).
Every session is one line of `repeatability.jsonl`. The former recipe, on the same samples, took every copy for a unit
and the trimmed mean of its paired blocks for its value.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from contenders import network

from tinytorch.benchmarking import Benchmark
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.statistics import MeanEstimate, mean_estimate
from tinytorch.core.layers import Sequential

RECORD = Path(__file__).with_name("repeatability.jsonl")
LARGE, PRUNED, MIDDLE = (64, *[1024] * 4, 10), (64, *[256] * 4, 10), (64, 256, 256, 10)
TRIMMED = 5  # one of so many blocks was cut at each end


@dataclass(frozen=True)
class Part:
    """What is compared, how often, at which tier, and beside what."""

    name: str
    sessions: int
    tier: str
    first: tuple[tuple[int, ...], int]  # widths, rounds of extra work
    second: tuple[tuple[int, ...], int]
    is_busy: bool = False

    def models(self) -> tuple[Sequential, Sequential]:
        """The two networks."""
        return network(*self.first), network(*self.second)


PARTS = {
    part.name: part
    for part in (
        Part("same", 40, "fast", (LARGE, 1), (LARGE, 1)),
        Part("pruned", 20, "default", (LARGE, 1), (PRUNED, 1)),
        Part("pruned-busy", 20, "default", (LARGE, 1), (PRUNED, 1), is_busy=True),
        Part("three-percent", 20, "default", (MIDDLE, 115), (MIDDLE, 1)),
        Part("three-percent-long", 1, "rigorous", (MIDDLE, 115), (MIDDLE, 1)),
        Part("rigorous", 4, "rigorous", (LARGE, 1), (PRUNED, 1)),
    )
}


@dataclass(frozen=True)
class Estimate:
    """ln of a speedup with its standard error and interval."""

    log_ratio: float
    error: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Measured:
    """One session by today's recipe and by the former one, and how busy the machine was for each model."""

    part: str
    seed: int
    at: str
    seconds: float
    quiet: Estimate
    former: Estimate
    typical_excess: tuple[float, float]


def measure(part: Part, seed: int) -> Measured:
    """One session of a part."""
    start = time.monotonic()
    data = (np.random.default_rng(1).random((100, 64), dtype=np.float32), np.zeros(100, int))
    first, second = part.models()
    with busy() if part.is_busy else contextlib.nullcontext():
        comparison = Benchmark([first], [data], ["latency"], tier=part.tier, seed=seed).compare(first, second)
    a, b = comparison.baseline["latency"], comparison.optimized["latency"]
    if comparison.speedup is None or not isinstance(a, Latency) or not isinstance(b, Latency):
        raise RuntimeError("latencies were asked for and not measured")
    return Measured(
        part.name, seed, datetime.now(UTC).isoformat(timespec="seconds"), round(time.monotonic() - start, 1),
        estimate(mean_estimate(comparison.speedup.log_ratios or [])), estimate(mean_estimate(former(a, b))),
        (excess(a), excess(b)),
    )  # fmt: skip


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """One process that computes without end, on memory too."""
    program = """
import os
import numpy as np
array, parent = np.ones(4_000_000, np.float32), os.getppid()
while os.getppid() == parent:  # a benchmark that is killed leaves no load behind
    array += 1
"""
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        try:
            yield
        finally:
            process.kill()


def former(baseline: Latency, optimized: Latency) -> list[float]:
    """What the recipe shipped first made of the same samples: one number per copy."""
    scale = math.log((optimized.calls_per_sample or 1) / (baseline.calls_per_sample or 1))
    if baseline.block_times_ns is None or optimized.block_times_ns is None:
        raise ValueError("a run has its samples")
    return [scale + trimmed(ratios) for ratios in np.log(baseline.block_times_ns / optimized.block_times_ns).tolist()]


def trimmed(values: Sequence[float]) -> float:
    """The mean without the lowest and the highest fifth."""
    cut = len(values) // TRIMMED
    return fmean(sorted(values)[cut : len(values) - cut])


def excess(latency: Latency) -> float:
    """Typical over quiet time."""
    return round((latency.typical or math.nan) / latency.mean, 3)


def estimate(found: MeanEstimate) -> Estimate:
    """As it is stored; RuntimeError without an interval."""
    if found.interval is None or found.standard_error is None:
        raise RuntimeError("the comparison has no interval")
    return Estimate(found.mean, found.standard_error, found.interval.lower, found.interval.upper)


def read() -> dict[str, list[Measured]]:
    """Every session so far, by part."""
    found: dict[str, list[Measured]] = {name: [] for name in PARTS}
    for line in RECORD.read_text().splitlines() if RECORD.exists() else []:
        document = json.loads(line)
        quiet, before = Estimate(**document["quiet"]), Estimate(**document["former"])
        found[document["part"]].append(Measured(**{**document, "quiet": quiet, "former": before}))
    return found


def run(names: Sequence[str]) -> None:
    """Measure what is missing of the parts, one line per session."""
    for part in (PARTS[name] for name in names):
        for seed in range(len(read()[part.name]), part.sessions):
            measured = measure(part, 1000 + seed)
            with RECORD.open("a") as file:
                file.write(json.dumps(asdict(measured)) + "\n")


def report() -> None:
    """Stated beside real, as Markdown."""
    print(
        "| part | sessions | recipe | speedup | real sd | stated error | holds the mean of all | excludes no change |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, found in read().items():
        if len(found) > 1:
            for recipe in ("quiet", "former"):
                print(row(name, recipe, [getattr(one, recipe) for one in found]))
    for name, found in read().items():
        if found:
            usual = [f"{fmean(one.typical_excess[model] for one in found):.2f}" for model in (0, 1)]
            seconds = f"{fmean(one.seconds for one in found):.0f} s each"
            print(f"\n{name}: {found[0].at} to {found[-1].at}, {seconds}, typical / quiet {' and '.join(usual)}")


def row(name: str, recipe: str, found: Sequence[Estimate]) -> str:
    """One part under one recipe."""
    centre = fmean(one.log_ratio for one in found)
    holds = sum(one.lower <= centre <= one.upper for one in found)
    excludes = sum(not one.lower <= 0 <= one.upper for one in found)
    real, stated = stdev(one.log_ratio for one in found), fmean(one.error for one in found)
    cells = (
        name, len(found), recipe, f"{math.exp(centre):.4g}x", f"{real:.2%}", f"{stated:.2%}",
        f"{holds} of {len(found)}", f"{excludes} of {len(found)}",
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("run", "report"))
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    options = parser.parse_args()
    if options.command == "report":
        report()
    else:
        run(options.parts or list(PARTS))


if __name__ == "__main__":
    main()
