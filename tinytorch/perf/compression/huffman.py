"""Huffman coding of a saved model: frequent codes and gaps take fewer bits in the file (Huffman 1952; Han et al. 2016).

A model in memory stays as it is: what is coded when it is saved is decoded when it is loaded.
"""

from __future__ import annotations

import copy
import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.core.compact import CompactWeight
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.core.weights import all_weighted_layers
from tinytorch.errors import UsageError

LONGEST_CODE = 16  # bits; a table of all codes has 2 to the power of it entries
SYMBOLS = 256
AT_ONCE = 2**15  # symbols, or bytes of a stream: what is looked up for them takes 16 to 100 times as much memory


@dataclass(frozen=True)
class CodedBytes:
    """Bytes as a stream of bits: lengths of the canonical codes of symbols from 0 on, the stream, and what it was."""

    lengths: Array
    stream: Array
    shape: tuple[int, ...]
    dtype: str

    @property
    def nbytes(self) -> int:
        """Bytes of both."""
        return self.lengths.nbytes + self.stream.nbytes

    def decoded(self) -> Array:
        """The array that was coded."""
        symbols = _decode(self.stream, self.lengths, int(np.prod(self.shape)))
        return symbols.view(self.dtype).reshape(self.shape)


def encode(array: Array) -> CodedBytes:
    """An array of one-byte numbers as bits."""
    symbols = np.ascontiguousarray(array).view(np.uint8).ravel()
    lengths = code_lengths(np.bincount(symbols, minlength=SYMBOLS))
    codes = _canonical_codes(lengths)
    places = np.arange(LONGEST_CODE)
    bits = ((codes[:, None] >> np.maximum(lengths[:, None] - 1 - places, 0)) & 1).astype(bool)
    is_code = places < lengths[:, None]
    blocks = np.array_split(symbols, -(-len(symbols) // AT_ONCE) or 1)
    stream = np.packbits(np.concatenate([bits[block][is_code[block]] for block in blocks]))
    return CodedBytes(np.trim_zeros(lengths, "b"), stream, array.shape, array.dtype.str)


def code_lengths(counts: Array) -> Array:
    """For each symbol the length of its code, uint8; 0 for one that does not occur. No two-symbol code is shorter."""
    while True:
        lengths = _huffman_lengths(counts)
        if lengths.max() <= LONGEST_CODE:
            return lengths
        counts = np.where(counts > 0, counts // 2 + 1, 0)  # flatter, until the longest code is short enough


def _huffman_lengths(counts: Array) -> Array:
    """Huffman's algorithm: the two rarest groups of symbols become one, and their codes longer by a bit."""
    lengths = np.zeros(len(counts), np.uint8)
    groups = [(int(counts[symbol]), int(symbol), [int(symbol)]) for symbol in np.flatnonzero(counts)]
    if len(groups) == 1:
        lengths[groups[0][1]] = 1
    heapq.heapify(groups)
    while len(groups) > 1:
        first, second = heapq.heappop(groups), heapq.heappop(groups)
        members = first[2] + second[2]
        lengths[members] += 1
        heapq.heappush(groups, (first[0] + second[0], min(first[1], second[1]), members))
    return lengths


def _canonical_codes(lengths: Array) -> Array:
    """Codes that follow from their lengths alone: shorter ones first, then by symbol (Schwartz & Kallick 1964)."""
    codes, code, before = np.zeros(len(lengths), np.int64), 0, 0
    for symbol in sorted(np.flatnonzero(lengths), key=lambda symbol: (lengths[symbol], symbol)):
        code <<= int(lengths[symbol]) - before
        codes[symbol], before = code, int(lengths[symbol])
        code += 1
    return codes


def _decode(stream: Array, lengths: Array, count: int) -> Array:
    """So many symbols of a stream, part by part. UsageError for a stream that ends before them."""
    symbols, widths = _tables(lengths)
    found, done, place = np.empty(count, np.uint8), 0, 0  # the place in bits
    padded = np.concatenate([stream, np.zeros(4, np.uint8)])
    while done < count:
        first = place // 8
        starts = _starts(padded[first : first + AT_ONCE + 3])
        places, place = _followed(widths[starts].tolist(), place - 8 * first, count - done)
        if not places:
            raise UsageError("a coded weight ends before all of it is there", mend="save the model again")
        found[done : done + len(places)] = symbols[starts[places]]
        done, place = done + len(places), place + 8 * first
    return found


def _starts(part: Array) -> Array:
    """For each bit of a part of a stream, but the last 24, the `LONGEST_CODE` bits that begin there."""
    wide = part.astype(np.uint32)
    words = wide[:-3] << 24 | wide[1:-2] << 16 | wide[2:-1] << 8 | wide[3:]
    starts: Array = (words[:, None] >> (32 - LONGEST_CODE - np.arange(8, dtype=np.uint32))).ravel()
    starts &= 2**LONGEST_CODE - 1
    return starts


def _followed(steps: list[int], place: int, most: int) -> tuple[list[int], int]:
    """The places at which codes begin, from `place` on, and the first that lies beyond all steps, or was not wanted."""
    places: list[int] = []
    while place < len(steps) and len(places) < most:
        places.append(place)
        place += steps[place]
    return places, place


def _tables(lengths: Array) -> tuple[Array, Array]:
    """For each `LONGEST_CODE` bits that may come next: the symbol that they begin with, and its code's length."""
    codes = _canonical_codes(lengths)
    symbols, widths = np.zeros(2**LONGEST_CODE, np.uint8), np.ones(2**LONGEST_CODE, np.uint8)
    for symbol in np.flatnonzero(lengths):
        spare = LONGEST_CODE - int(lengths[symbol])
        chosen = slice(int(codes[symbol]) << spare, (int(codes[symbol]) + 1) << spare)
        symbols[chosen], widths[chosen] = symbol, lengths[symbol]
    return symbols, widths


class CodedWeight(CompactWeight):
    """A compact weight whose bytes are coded when it is saved, where that takes less."""

    def __init__(self, form: CompactWeight) -> None:
        self.form = form
        self.shape = form.shape

    def dense(self) -> Array:
        """What the form gives."""
        return self.form.dense()

    def rows(self, index: Any) -> Array:
        """What the form gives."""
        return self.form.rows(index)

    def multiply(self, inputs: Tensor) -> Tensor:
        """What the form gives."""
        return self.form.multiply(inputs)

    def recoded(self, make: Callable[[Tensor], CompactWeight | None]) -> CompactWeight | None:
        """The form in another one, coded."""
        made = self.form.recoded(make)
        return None if made is None else CodedWeight(made)

    def __deepcopy__(self, memo: dict[int, Any]) -> CodedWeight:
        return CodedWeight(copy.deepcopy(self.form, memo))  # only a file is coded

    def __reduce__(self) -> tuple[Callable[..., CompactWeight], tuple[Any, ...]]:
        form = copy.copy(self.form)
        _replace_arrays(form, _coded)
        return _decoded, (form,)

    def __repr__(self) -> str:
        return f"CodedWeight({self.form!r})"


def _decoded(form: CompactWeight) -> CodedWeight:
    """A coded weight from a file."""
    _replace_arrays(form, lambda item: item.decoded() if isinstance(item, CodedBytes) else item)
    return CodedWeight(form)


def huffman_code(model: Any) -> Any:
    """A copy of `model`, of any class, whose compact weights take less in a file; in memory they stay as they are."""
    made = {id(layer.weight): CodedWeight(layer.weight) for _, layer, _ in all_weighted_layers(model)
            if isinstance(layer.weight, CompactWeight) and not isinstance(layer.weight, CodedWeight)}  # fmt: skip
    return copy.deepcopy(model, dict(made))


def _coded(item: Any) -> Any:
    """An array of one-byte numbers as bits, where that takes less."""
    if not isinstance(item, np.ndarray) or item.dtype.itemsize != 1 or not item.size:
        return item
    coded = encode(item)
    return coded if coded.nbytes < item.nbytes else item


def _replace_arrays(form: Any, replace: Callable[[Any], Any]) -> None:
    """Replace what a form holds, and what the form of its values holds, in copies of their own."""
    for name, item in vars(form).items():
        if isinstance(item, CompactWeight):
            inner = copy.copy(item)
            _replace_arrays(inner, replace)
            vars(form)[name] = inner
        else:
            vars(form)[name] = replace(item)
