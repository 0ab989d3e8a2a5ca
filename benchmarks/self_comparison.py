"""The same model twice (A/A), many times: false alarms and the spread of the ratio on this machine.

    python benchmarks/self_comparison.py [--runs 20] [--tier fast] [--width 1024]

A false alarm is a verdict other than "no detectable difference". Prints the rate with Wilson's interval, the standard
deviation of the reported ratio, and how often its 95 % interval covered the truth, which is 1.
"""

from __future__ import annotations

import argparse
from statistics import stdev

import numpy as np

from tinytorch import Linear, ReLU, Sequential
from tinytorch.benchmarking import Benchmark
from tinytorch.benchmarking.samples import Comparison
from tinytorch.benchmarking.statistics import Verdict, wilson_interval


def network(width: int) -> Sequential:
    """64-width-width-10 with seeded weights."""
    generator = np.random.default_rng(0)
    hidden = (Linear(64, width, rng=generator), ReLU(), Linear(width, width, rng=generator), ReLU())
    return Sequential(*hidden, Linear(width, 10, rng=generator))


def compare_with_itself(width: int, tier: str, seed: int) -> Comparison:
    """One comparison of a model with itself."""
    model = network(width)
    generator = np.random.default_rng(1)
    data = (generator.random((100, 64), dtype=np.float32), generator.integers(0, 10, 100))
    speedup = Benchmark([model], [data], ["latency"], tier=tier, seed=seed).compare(model, model).speedup
    if speedup is None or speedup.ci_lower is None:
        raise RuntimeError("the comparison has no interval")
    return speedup


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--tier", default="fast")
    parser.add_argument("--width", type=int, default=1024)
    options = parser.parse_args()
    found = []
    for seed in range(options.runs):
        found.append(compare_with_itself(options.width, options.tier, 1000 * seed))
        print(f"run {seed + 1}: ratio {found[-1].estimate:.4f}, p = {found[-1].p_value:.3f}", flush=True)
    alarms = sum(comparison.verdict is not Verdict.NO_DETECTABLE_DIFFERENCE for comparison in found)
    interval = wilson_interval(alarms, len(found))
    print(f"false alarms {alarms} of {len(found)}; 95 % interval {interval.lower:.1%} to {interval.upper:.1%}")
    print(f"standard deviation of the ratio {stdev(comparison.estimate for comparison in found):.2%}")


if __name__ == "__main__":
    main()
