"""One bit per test sample, as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pack_bits(bits: Sequence[bool]) -> str:
    """Bits as hexadecimal, first bit highest, padded with zeros to whole bytes."""
    return np.packbits(np.asarray(bits, dtype=bool)).tobytes().hex()


def unpack_bits(text: str, count: int) -> list[bool]:
    """The first `count` bits of `pack_bits`' hexadecimal form."""
    found = np.unpackbits(np.frombuffer(bytes.fromhex(text), dtype=np.uint8))
    bits: list[bool] = found[:count].astype(bool).tolist()
    return bits
