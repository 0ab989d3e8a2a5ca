"""The rows of programs for sequences of tokens: tables, positions, and the cache of keys and values."""

from __future__ import annotations

from typing import Any, NamedTuple

from tinytorch.perf.acceleration.kernels.forms import FLOAT, FORM_NUMBERS, NUMBER, Place, attend_bytes


class Lookup(NamedTuple):
    """y (rows, size) = rows of a table for tokens."""

    tokens: Place
    y: Place
    table: Place
    rows: int
    size: int

    def spans(self) -> dict[str, int]:
        """Tokens and vectors; which rows of the table are read, tokens say: those are checked before."""
        return {
            "tokens": NUMBER * self.rows,
            "y": FLOAT * self.rows * self.size,
            "table": NUMBER * FORM_NUMBERS,
        }


class Positions(NamedTuple):
    """y (samples, new, size) = x plus rows of a table for positions from `start` on."""

    x: Place
    y: Place
    table: Place
    start: Place
    samples: int
    new: int
    size: int
    scratch: Place

    def spans(self) -> dict[str, int]:
        """Vectors, and room for a row of the table."""
        vectors = FLOAT * self.samples * self.new * self.size
        return {
            "x": vectors,
            "y": vectors,
            "table": NUMBER * FORM_NUMBERS,
            "start": NUMBER,
            "scratch": FLOAT * self.size,
        }


class Hold(NamedTuple):
    """Keys and values of `projected` (samples, new, 3, heads, size) into a cache of `length` positions."""

    projected: Place
    keys: Place
    values: Place
    start: Place
    samples: int
    new: int
    heads: int
    size: int
    length: int

    def spans(self) -> dict[str, int]:
        """What is projected, and the cache."""
        return _cache(self)


class Attend(NamedTuple):
    """y (samples, new, heads, size) = attention of queries over what a cache holds up to each of them."""

    projected: Place
    keys: Place
    values: Place
    start: Place
    y: Place
    samples: int
    new: int
    heads: int
    size: int
    length: int
    scratch: Place

    def spans(self) -> dict[str, int]:
        """What is projected, the cache, and room for scores."""
        return {
            **_cache(self),
            "y": FLOAT * self.samples * self.new * self.heads * self.size,
            "scratch": attend_bytes(self.size, self.length),
        }


class HoldCodes(NamedTuple):
    """The same as codes (int8), with the step of each vector."""

    projected: Place
    keys: Place
    values: Place
    key_steps: Place
    value_steps: Place
    start: Place
    samples: int
    new: int
    heads: int
    size: int
    length: int

    def spans(self) -> dict[str, int]:
        """What is projected, and the cache."""
        return _coded_cache(self)


class AttendCodes(NamedTuple):
    """The same over codes."""

    projected: Place
    keys: Place
    values: Place
    key_steps: Place
    value_steps: Place
    start: Place
    y: Place
    samples: int
    new: int
    heads: int
    size: int
    length: int
    scratch: Place

    def spans(self) -> dict[str, int]:
        """What is projected, the cache, and room for scores."""
        return {
            **_coded_cache(self),
            "y": FLOAT * self.samples * self.new * self.heads * self.size,
            "scratch": attend_bytes(self.size, self.length),
        }


def _cache(row: Any) -> dict[str, int]:
    heads = FLOAT * row.samples * row.heads
    return {
        "projected": 3 * heads * row.new * row.size,
        "keys": heads * (row.size + 1) * row.length,
        "values": heads * row.length * (row.size + 1),
        "start": NUMBER,
    }


def _coded_cache(row: Any) -> dict[str, int]:
    vectors = row.samples * row.heads * row.length
    return {
        "projected": 3 * FLOAT * row.samples * row.heads * row.new * row.size,
        **dict.fromkeys(("keys", "values"), vectors * row.size),
        **dict.fromkeys(("key_steps", "value_steps"), FLOAT * vectors),
        "start": NUMBER,
    }
