"""The metrics and their units; conversions between stored units (integer nanoseconds, bytes) and shown ones."""

from __future__ import annotations

from math import isfinite
from typing import Literal, get_args

MetricName = Literal["latency", "memory", "accuracy"]
LimitName = Literal["latency", "memory", "accuracy", "throughput", "flops", "moved_bytes"]
METRICS: tuple[MetricName, ...] = get_args(MetricName)
"""What can be asked for; throughput comes along with latency."""
UNITS = {"latency": "ms", "memory": "MB", "accuracy": "fraction", "throughput": "samples/s"}
COUNTED_UNITS = {"flops": "FLOPs", "moved_bytes": "bytes"}
"""Of what is counted of an inference, and not measured."""
COUNTED_DIGITS = 10  # what is counted is exact

NANOSECONDS_PER_MICROSECOND = 1_000
NANOSECONDS_PER_MILLISECOND = 1_000_000
BYTES_PER_MEGABYTE = 1_000_000  # MB = 10^6 bytes (SI), never 2^20
BYTES_PER_MEBIBYTE = 2**20  # what the curriculum's functions call MB
MEGABYTES_PER_MEBIBYTE = BYTES_PER_MEBIBYTE / BYTES_PER_MEGABYTE

_TIME_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))
_SIZE_UNITS = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"), (1, "B"))
_SCALES = {"latency": (NANOSECONDS_PER_MILLISECOND, _TIME_UNITS), "memory": (BYTES_PER_MEGABYTE, _SIZE_UNITS)}
_COUNT_UNITS = ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"), (1, ""))


def milliseconds(nanoseconds: float) -> float:
    """Nanoseconds to milliseconds."""
    return nanoseconds / NANOSECONDS_PER_MILLISECOND


def megabytes(size_bytes: float) -> float:
    """Bytes to megabytes (10^6 bytes)."""
    return size_bytes / BYTES_PER_MEGABYTE


def _scaled(value: float, units: tuple[tuple[int, str], ...]) -> tuple[int, str]:
    """The largest unit of which three digits show at least one whole, else the smallest."""
    return next((unit for unit in units if float(f"{abs(value):.3g}") >= unit[0]), units[-1])


def time_unit(nanoseconds: float) -> tuple[int, str]:
    """The unit that suits a time, and how many nanoseconds it has: `(1000000, "ms")`."""
    return _scaled(nanoseconds, _TIME_UNITS)


def format_time(nanoseconds: float) -> str:
    """A time with three significant digits in the unit that suits it: `1.25 ms`."""
    factor, unit = time_unit(nanoseconds)
    return f"{three_digits(nanoseconds / factor)} {unit}"


def format_size(size_bytes: float) -> str:
    """A size with three significant digits in the unit that suits it: `12.9 MB`; whole bytes below 1 kB."""
    factor, unit = _scaled(size_bytes, _SIZE_UNITS)
    return f"{size_bytes:.0f} B" if factor == 1 else f"{three_digits(size_bytes / factor)} {unit}"


def format_count(count: float) -> str:
    """A number of things with three significant digits: `2.1 M`; whole ones below a thousand."""
    factor, unit = _scaled(count, _COUNT_UNITS)
    return f"{count:.0f}" if factor == 1 else f"{three_digits(count / factor)} {unit}"


def significant(value: float, digits: int) -> str:
    """At least `digits` significant digits without an exponent; with 3: 0.000123, 0.123, 1.23, 12.3, 123, 1234."""
    if not value or not isfinite(value):
        return f"{value:.3g}"
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])  # of the rounded value: 999.96 is 1000
    return f"{value:.{max(0, digits - 1 - exponent)}f}"


def three_digits(value: float) -> str:
    """Three significant digits: what a table shows."""
    return significant(value, 3)


def format_share(fraction: float, decimals: int = 1) -> str:
    """A fraction as people say it: `81.4 %`."""
    return f"{100 * fraction:.{decimals}f} %"


def format_metric(metric: LimitName, value: float, digits: int = 3) -> str:
    """A metric in the unit that people say it in: `81.4 %`, `50.3 us`, `866 kB`, `53,400 FLOPs`."""
    if metric == "accuracy":
        return f"{significant(100 * value, digits)} %"
    if metric in _SCALES:
        in_one, units = _SCALES[metric]
        factor, unit = _scaled(value * in_one, units)
        return f"{significant(value * in_one / factor, digits)} {unit}"
    if metric in COUNTED_UNITS:
        return f"{value:,.{max(digits, COUNTED_DIGITS)}g} {unit_of(metric)}"
    return f"{significant(value, digits)} {unit_of(metric)}"


def ratio_words(ratio: float, more: str, less: str) -> str:
    """What a ratio says: `4.00x faster`, `2.00x slower`; a percentage where three digits would show 1.00."""
    times, word = (ratio, more) if ratio >= 1 else (1 / ratio, less)
    shown = three_digits(times)
    return f"{significant(100 * (times - 1), 2)} % {word}" if shown == "1.00" else f"{shown}x {word}"


def size_words(ratio: float) -> str:
    """What a ratio of sizes, before / after, says of the second: `4.00x smaller`, `4.00x larger`, `the same size`."""
    return "the same size" if ratio == 1 else ratio_words(ratio, "smaller", "larger")


def size_change_words(before_bytes: float, after_bytes: float) -> str:
    """The same of two sizes: `56.1x smaller`; bytes where the ratio shows nothing: `24 B more`."""
    before, after = max(1, round(before_bytes)), max(1, round(after_bytes))
    ratio = before / after
    if before == after or three_digits(max(ratio, 1 / ratio)) != "1.00":
        return size_words(ratio)
    difference = after - before
    return f"{format_size(abs(difference))} {'more' if difference > 0 else 'less'}"


def unit_of(metric: str) -> str:
    """The unit that a metric is stated in."""
    return {**UNITS, **COUNTED_UNITS}[metric]


def format_limit(metric: LimitName, limit: float) -> str:
    """A round number of the rules as they say it: `85 %`, `100 ms`, `1,000,000 bytes`."""
    return f"{100 * limit:g} %" if metric == "accuracy" else f"{limit:,.15g} {unit_of(metric)}"


def parse_metric(text: str) -> float:
    """The number in a text of `format_metric`: 0.814 of `81.4 %`."""
    number, unit = text.replace(",", "").split()
    if unit == "%":
        return float(number) / 100
    for in_one, units in _SCALES.values():
        for factor, name in units:
            if name == unit:
                return float(number) * factor / in_one
    return float(number)
