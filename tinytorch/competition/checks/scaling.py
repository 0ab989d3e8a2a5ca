"""Whether times were multiplied by hand: whole nanoseconds times a factor leave gaps, at one distance throughout.

Times that were taken have no such grid, or both models have that of the clock.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytorch.competition.checks.case import Case, Times
from tinytorch.competition.checks.findings import Check, Outcome, check, failed, passed, unknown

WINDOW_NS = 2**16  # samples so far above the least one are looked at
FEWEST_SAMPLES = 100
WIDEST_GAP_NS = 100.0  # what is wider is the shape of the times themselves
CHANCE = 1e-9  # of a grid like that among times without one
OF_BOTH = 0.5  # a grid is the clock's where the other model's times have it at least half as clearly


@check
def unscaled_times(case: Case) -> Outcome:
    spectra = {role: found for role, times in case.times.items() if (found := _spectrum(times)) is not None}
    if len(spectra) < 2:
        return unknown(f"fewer than {FEWEST_SAMPLES} samples of each model lie within {WINDOW_NS // 1000} us")
    for role, other in (("baseline", "optimized"), ("optimized", "baseline")):
        (strength, limit), (theirs, _) = spectra[role], spectra[other]
        peak = int(np.argmax(strength))
        if strength[peak] > limit and theirs[peak] < OF_BOTH * strength[peak]:
            gap_ns = 1 / _frequencies()[peak]
            message = f"the {role} samples lie on a grid of {gap_ns:.3g} ns, which those of the {other} model do not"
            return failed(message, model=role, gap_ns=gap_ns, strength=float(strength[peak]), limit=limit)
    return passed("the samples lie on no grid of their own")


def _spectrum(times: Times) -> tuple[NDArray[np.float64], float] | None:
    """How clearly the times lie on a grid of each distance, 0 to 1, and what chance alone hardly ever exceeds.

    That is the length of the mean of e^(2 pi i t / distance); of n times without a grid it exceeds z with the
    probability e^(-n z^2) (Rayleigh's test: Mardia & Jupp, "Directional Statistics", section 6.3.1).
    """
    near = times[times < times.min() + WINDOW_NS] - times.min()
    if near.size < FEWEST_SAMPLES:
        return None
    from scipy.fft import rfft  # four times as fast as numpy's, and not needed to start

    counts = np.bincount(near.astype(np.int64), minlength=WINDOW_NS)
    strength = np.abs(rfft(counts.astype(np.float32))).astype(np.float64) / near.size
    strength[_frequencies() < 1 / WIDEST_GAP_NS] = 0.0
    return strength, math.sqrt(math.log(strength.size / CHANCE) / near.size)


def _frequencies() -> NDArray[np.floating]:
    """Grids a nanosecond, from none to the finest that whole nanoseconds can show."""
    return np.fft.rfftfreq(WINDOW_NS)


CHECKS: tuple[Check[Case], ...] = (unscaled_times,)
