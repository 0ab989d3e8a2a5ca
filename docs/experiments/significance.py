"""Question 2: 5 % faster with p = 0.12, or 8 % faster with p = 0.02. What is each worth?

    python docs/experiments/significance.py [--worlds 400000]

Both figures come from one kind of session: 8 processes, each one unit, whose log ratios differ by 7.6 %. In many
simulated worlds an optimization has a true effect, as common as real ones are: mostly none or small, now and then
large, as often harmful as helpful. Each is measured by such a session. Looked at are the worlds in which the session
said what ours said: what was true there, and what does a second session say?
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

PROCESSES, UNIT_SPREAD = 8, 0.076
TRUE_SPREAD = 0.05  # of the true log ratios from world to world
SEED = 20
CLAIMS = {"5 % with p = 0.12": (1.05, 0.12), "8 % with p = 0.02": (1.08, 0.02)}
CHUNK = 100_000

Array = NDArray[Any]


def sessions(true: Array, generator: np.random.Generator) -> tuple[Array, Array]:
    """One session for each true log ratio: its mean, and its two-sided p-value by Student's t."""
    units = true[:, None] + generator.normal(0, UNIT_SPREAD, (len(true), PROCESSES))
    means, errors = units.mean(axis=1), units.std(axis=1, ddof=1) / math.sqrt(PROCESSES)
    return means, 2 * stdtr(PROCESSES - 1, -np.abs(means) / errors)


def is_like(means: Array, p_values: Array, ratio: float, p: float) -> Array:
    """Which sessions said about the same: within half a percent, and a fifth of the p-value."""
    return (np.abs(means - math.log(ratio)) < 0.005) & (np.abs(p_values / p - 1) < 0.2)


def worlds(count: int) -> dict[str, tuple[Array, Array, Array]]:
    """For each claim: the true log ratios of the worlds that look like it, and what a second session says there."""
    generator = np.random.default_rng(SEED)
    found: dict[str, list[tuple[Array, Array, Array]]] = {name: [] for name in CLAIMS}
    for start in range(0, count, CHUNK):
        true = generator.normal(0, TRUE_SPREAD, min(CHUNK, count - start))
        first, second = sessions(true, generator), sessions(true, generator)
        for name, claim in CLAIMS.items():
            alike = is_like(*first, *claim)
            found[name].append((true[alike], second[0][alike], second[1][alike]))
    return {name: tuple(map(np.concatenate, zip(*parts, strict=True))) for name, parts in found.items()}  # type: ignore[misc]


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=400_000)
    for name, (true, means, p_values) in worlds(parser.parse_args().worlds).items():
        again = (means > 0) & (p_values < 0.05)
        print(f"{name}: seen in {len(true)} worlds")
        print(f"  true effect there: {math.expm1(true.mean()):+.1%} on average, harmful in {(true < 0).mean():.0%}")
        print(f"  a second session: faster with p < 0.05 in {again.mean():.0%}, slower in {(means < 0).mean():.0%}")


if __name__ == "__main__":
    main()
