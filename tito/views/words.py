"""Intervals, p-values and times, written in one way on every screen."""

from __future__ import annotations

from tinytorch.units import format_share, format_time, three_digits, time_unit


def interval_words(lower: str, upper: str) -> str:
    """`[14.8x, 16.5x]`."""
    return f"[{lower}, {upper}]"


def times_interval(lower: float, upper: float) -> str:
    """The interval of a ratio: `[14.8x, 16.5x]`; one without width is exact."""
    if lower == upper:
        return f"{three_digits(lower)}x (exact)"
    return interval_words(f"{three_digits(lower)}x", f"{three_digits(upper)}x")


def time_with_interval(mean_ns: float, lower_ns: float | None, upper_ns: float | None) -> tuple[str, ...]:
    """A time, and its interval in the same unit: `57.8 us` and `[57.3, 58.2]`."""
    if lower_ns is None or upper_ns is None:
        return (format_time(mean_ns),)
    factor, _ = time_unit(mean_ns)
    return format_time(mean_ns), interval_words(three_digits(lower_ns / factor), three_digits(upper_ns / factor))


def share_with_interval(mean: float, lower: float | None, upper: float | None) -> tuple[str, ...]:
    """A fraction in percent, and its interval: `88.5 %` and `[87.5, 89.5]`."""
    if lower is None or upper is None:
        return (format_share(mean),)
    return format_share(mean), interval_words(f"{100 * lower:.1f}", f"{100 * upper:.1f}")


def points_interval(lower: float, upper: float) -> str:
    """The interval of a difference of fractions, in points: `[-2.6, -1.1]`."""
    return interval_words(f"{100 * lower:+.1f}", f"{100 * upper:+.1f}")


def p_words(p_value: float | None) -> str:
    """A p-value as it is usually written; tiny ones as a bound."""
    if p_value is None:
        return "no p"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
