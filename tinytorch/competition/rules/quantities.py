"""Numbers given by hand: a metric's unit, and whether a value can be one of it."""

from __future__ import annotations

import math
from numbers import Real

from tinytorch.errors import UsageError
from tinytorch.showing import nearest, safe_text
from tinytorch.units import COUNTED_UNITS, unit_of

SMALLEST, LARGEST = 1e-9, 1e12  # ms and MB: a femtosecond, a decade; what lies outside is a slip of the pen


def checked_quantity(metric: str, value: object, owner: str = "") -> float:
    """`value` as a float in the unit of `metric`; UsageError says which value is wrong and how to mend it."""
    label = f"{owner} {metric}".strip()
    if isinstance(value, bool) or not isinstance(value, Real):
        kind = type(value).__name__
        unit = "as a fraction from 0 to 1" if metric == "accuracy" else f"in {unit_of(metric)}"
        raise UsageError(f"{label} must be a number, got {safe_text(kind)}", mend=f"give it {unit}")
    number = _finite(label, value)
    if metric == "accuracy":
        return _checked_accuracy(label, number)
    if number == 0 and (metric == "memory" or metric in COUNTED_UNITS):
        return number  # of a model without any weight
    if not SMALLEST <= number <= LARGEST:
        expected = f"between {SMALLEST:g} and {LARGEST:g} {unit_of(metric)}"
        raise UsageError(f"{label} is {number:g}: it must be above zero, {expected}", mend="give the measured value")
    return number


def check_metric_name(name: object, known: tuple[str, ...], owner: str = "") -> str:
    """`name` when it is one of the `known` metrics; UsageError suggests the nearest."""
    if isinstance(name, str) and name in known:
        return name
    shown = safe_text(str(name)) if isinstance(name, str) else type(name).__name__
    raise UsageError(f"{owner} has an unknown metric {shown!r}".strip(), mend=nearest(shown, known))


def _finite(label: str, value: Real) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UsageError(f"{label} is {number}: it must be finite", mend="leave out what was not measured")
    return number


def _checked_accuracy(label: str, number: float) -> float:
    if 0 <= number <= 1:
        return number
    mend = f"write {number / 100:g} for {number:g} %" if 1 < number <= 100 else "give correct / total"
    raise UsageError(f"{label} is {number:g}: it must be a fraction from 0 to 1", mend=mend)
