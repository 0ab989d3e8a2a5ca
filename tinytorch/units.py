"""The metrics and their units; conversions between stored units (integer nanoseconds, bytes) and shown ones."""

from __future__ import annotations

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
    """The largest unit that leaves at least one whole of it, else the smallest."""
    return next((unit for unit in units if abs(value) >= unit[0]), units[-1])


def format_time(nanoseconds: float) -> str:
    """A time with three significant digits in the unit that suits it: `1.25 ms`."""
    factor, unit = _scaled(nanoseconds, _TIME_UNITS)
    return f"{three_digits(nanoseconds / factor)} {unit}"


def format_size(size_bytes: float) -> str:
    """A size with three significant digits in the unit that suits it: `12.9 MB`; whole bytes below 1 kB."""
    factor, unit = _scaled(size_bytes, _SIZE_UNITS)
    return f"{size_bytes:.0f} B" if factor == 1 else f"{three_digits(size_bytes / factor)} {unit}"


def three_digits(value: float) -> str:
    """Three significant digits without an exponent: 0.123, 1.23, 12.3, 123, 1234."""
    magnitude = abs(value)
    decimals = 0 if magnitude >= 99.95 else 1 if magnitude >= 9.995 else 2 if magnitude >= 0.9995 else 3
    return f"{value:.{decimals}f}"
