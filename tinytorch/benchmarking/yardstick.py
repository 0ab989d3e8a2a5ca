"""The yardstick: one small network, the same everywhere, that is timed beside the models in every visit.

Its weights lie in the nearest caches, so that neighbours hardly slow it. What does is what slows everything alike: the
processor's clock, a battery, heat. A change of anything here is a new `VERSION`.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np

from tinytorch.benchmarking.records.session import YARDSTICKS
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.tensor import Tensor

VERSION = 1
WIDTHS = (64, 64, 64, 10)
SEED = 1
CALLS_PER_SAMPLE, TIMED = YARDSTICKS[VERSION]  # a sample lasts about 50 us, and each copy has one block in a visit
DISCARDED = 5  # samples before those


def network() -> Sequential:
    """A new one in memory of its own."""
    generator = np.random.default_rng(SEED)
    layers = [(Linear(wide, narrow, rng=generator), ReLU()) for wide, narrow in pairwise(WIDTHS)]
    return Sequential(*[layer for pair in layers for layer in pair][:-1])


@cache
def batches() -> tuple[tuple[Tensor, ...], ...]:
    """Its inputs (1, 64), always the same ones: a batch for each sample, the discarded ones first."""
    shape = (DISCARDED + TIMED, CALLS_PER_SAMPLE, 1, WIDTHS[0])
    rows = np.random.default_rng(SEED).random(shape, dtype=np.float32)
    return tuple(tuple(Tensor(row) for row in batch) for batch in rows)
