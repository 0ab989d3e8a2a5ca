"""What callers write beside data: sizes, hyperparameters, random generators, all of them checked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.errors import UsageError

Rng = np.random.Generator | int | None
"""Where draws come from: a generator, a seed for a new one, or None, and then they differ from run to run."""


def generator_of(rng: Rng) -> np.random.Generator:
    """The generator that `rng` stands for. UsageError for what is none of the three."""
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is not None and not (is_whole(rng) and rng >= 0):
        mend = "write rng=0, or rng=np.random.default_rng(0)"
        raise UsageError(f"rng must be a numpy Generator, a seed from 0 on, or None, not {shown(rng)}", mend=mend)
    return np.random.default_rng(rng)


def is_whole(value: object) -> bool:
    """Whether a value is an integer, of Python's or numpy's; truth values are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def whole(needs: str, value: Any, least: int | None = None) -> int:
    """`value` as an int when it is an integer, from `least` on; else UsageError, which begins with `needs`."""
    if is_whole(value) and (least is None or value >= least):
        return int(value)
    lower = "" if least is None else f" from {least} on"
    raise UsageError(f"{needs} as an integer{lower}, not {shown(value)}")


def checked(
    needs: str,
    value: Any,
    *,
    above: float = -math.inf,
    from_: float = -math.inf,
    below: float = math.inf,
    to: float = math.inf,
) -> float:
    """`value` when it is a finite number in its range; nan is in none. Else UsageError, which begins with `needs`."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if is_number and above < value < below and from_ <= value <= to:
        return value  # type: ignore[no-any-return]
    lower = f"above {above:g}" if above > -math.inf else f"from {from_:g} on" if from_ > -math.inf else ""
    upper = f"below {below:g}" if below < math.inf else f"up to {to:g}" if to < math.inf else "finite"
    raise UsageError(f"{needs} {' and '.join(filter(None, (lower, upper)))}, got {shown(value)}")


def shown(value: object) -> str:
    """A value in a message: short ones as they are, others by their type."""
    written = repr(value)
    return written if len(written) <= 40 and "\n" not in written else f"a {type(value).__qualname__}"
