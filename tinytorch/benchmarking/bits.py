"""One bit per test sample, as text."""

from __future__ import annotations

from collections.abc import Sequence


def pack_bits(bits: Sequence[bool]) -> str:
    """Bits as hexadecimal, first bit highest, padded with zeros to whole bytes."""
    digits = "".join("1" if bit else "0" for bit in bits)
    padded = digits + "0" * (-len(digits) % 8)
    return f"{int(padded, 2):0{len(padded) // 4}x}" if padded else ""


def unpack_bits(text: str, count: int) -> list[bool]:
    """The first `count` bits of `pack_bits`' hexadecimal form."""
    digits = f"{int(text, 16):0{4 * len(text)}b}" if text else ""
    return [digit == "1" for digit in digits[:count]]
