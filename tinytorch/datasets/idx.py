"""IDX files, the form in which MNIST and its successors are published: a header, then bytes; often packed by gzip."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import numpy as np

from tinytorch.core.ops import Array
from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason

LARGEST_BYTES = 2**28
MOST_DIMENSIONS = 8
GZIP = 16 + zlib.MAX_WBITS  # how zlib is told that the header of gzip comes first
UNSIGNED_BYTES = 8  # the code of the element type; the only one that pictures and labels have


def read_idx(path: Path) -> Array:
    """The array in `path`, or in the same file packed (.gz): uint8, of as many dimensions as the header says.

    The form: two zero bytes, the type's code, the number of dimensions, each dimension as a 32-bit integer (the most
    significant byte first), the elements. Raises UsageError for a file that is missing, damaged or of another form.
    """
    found = next((each for each in (path, path.with_name(f"{path.name}.gz")) if each.is_file()), path)
    try:
        content = read_regular(found, LARGEST_BYTES, may_lead_out=True)
        if content.startswith(b"\x1f\x8b"):
            content = _unpacked(content)
        return _elements(content)
    except (OSError, ValueError) as error:
        told = reason(error) if isinstance(error, OSError) else str(error)
        mend = "name a folder with the files as they are published"
        raise UsageError(f"cannot read pictures or labels from {found}: {told}", mend=mend) from error


def _unpacked(content: bytes) -> bytes:
    """At most LARGEST_BYTES of it, so that a small file cannot fill the memory."""
    unpacking = zlib.decompressobj(GZIP)
    try:
        unpacked = unpacking.decompress(content, LARGEST_BYTES)
    except zlib.error:
        raise ValueError("it begins like a packed file and cannot be unpacked") from None
    if not unpacking.eof and len(unpacked) < LARGEST_BYTES:
        raise ValueError("it is a packed file whose end is missing")
    return unpacked


def _elements(content: bytes) -> Array:
    if content[:3] != bytes([0, 0, UNSIGNED_BYTES]) or len(content) < 4:
        raise ValueError("it is no IDX file of unsigned bytes")
    dimensions = content[3]
    if dimensions > MOST_DIMENSIONS:
        raise ValueError(f"its header promises {dimensions} dimensions")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise ValueError("it ends within its header")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    if len(content) - start != math.prod(shape):
        raise ValueError(f"its header promises {math.prod(shape):,} elements, and it has {len(content) - start:,}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
