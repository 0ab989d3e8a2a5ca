"""The metrics and their units; conversions between stored units (integer nanoseconds, bytes) and shown ones."""

from __future__ import annotations

from math import isfinite
from typing import Literal, get_args

MetricName = Literal["latency", "memory", "accuracy"]
METRICS: tuple[MetricName, ...] = get_args(MetricName)
"""What can be asked for; throughput comes along with latency."""
UNITS = {"latency": "ms", "memory": "MB", "accuracy": "fraction", "throughput": "samples/s"}

NANOSECONDS_PER_MILLISECOND = 1_000_000
BYTES_PER_MEGABYTE = 1_000_000  # MB = 10^6 bytes (SI), never 2^20

_TIME_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))
_SIZE_UNITS = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"), (1, "B"))


def milliseconds(nanoseconds: float) -> float:
    """Nanoseconds to milliseconds."""
    return nanoseconds / NANOSECONDS_PER_MILLISECOND


def megabytes(size_bytes: float) -> float:
    """Bytes to megabytes (10^6 bytes)."""
    return size_bytes / BYTES_PER_MEGABYTE


def _scaled(value: float, units: tuple[tuple[int, str], ...]) -> tuple[int, str]:
    """The largest unit of which three digits show at least one whole, else the smallest."""
    return next((unit for unit in units if float(f"{abs(value):.3g}") >= unit[0]), units[-1])


def format_time(nanoseconds: float) -> str:
    """A time with three significant digits in the unit that suits it: `1.25 ms`."""
    factor, unit = _scaled(nanoseconds, _TIME_UNITS)
    return f"{three_digits(nanoseconds / factor)} {unit}"


def format_size(size_bytes: float) -> str:
    """A size with three significant digits in the unit that suits it: `12.9 MB`; whole bytes below 1 kB."""
    factor, unit = _scaled(size_bytes, _SIZE_UNITS)
    return f"{size_bytes:.0f} B" if factor == 1 else f"{three_digits(size_bytes / factor)} {unit}"


def three_digits(value: float) -> str:
    """Three significant digits without an exponent: 0.000123, 0.123, 1.23, 12.3, 123, 1234."""
    if not value or not isfinite(value):
        return f"{value:.3g}"
    exponent = int(f"{value:.2e}".partition("e")[2])  # of the rounded value: 999.96 has three digits before the point
    return f"{value:.{max(0, 2 - exponent)}f}"


def size_words(ratio: float) -> str:
    """What a ratio of sizes, before / after, says of the second: `4.00x smaller`, `4.00x larger`, `the same size`."""
    if ratio == 1:
        return "the same size"
    return f"{three_digits(ratio)}x smaller" if ratio > 1 else f"{three_digits(1 / ratio)}x larger"
