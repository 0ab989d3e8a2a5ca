"""Archives of arrays (.npz): the same bytes for the same arrays, and read without trust in what they say."""

from __future__ import annotations

import io
import tokenize
import zipfile
from collections.abc import Mapping

import numpy as np

from tinytorch.core.ops import Array

NO_TIME = (1980, 1, 1, 0, 0, 0)  # the first that an archive can name: when it was written tells nobody anything
UNREADABLE = (
    OSError, MemoryError, SyntaxError, tokenize.TokenError,
    ValueError, TypeError, AttributeError, KeyError, EOFError, RuntimeError, NotImplementedError,
    zipfile.BadZipFile,
)  # fmt: skip
"""What `arrays_of` may raise for content that nobody wrote with `archive_of`."""


def archive_of(arrays: Mapping[str, Array], compression: int = zipfile.ZIP_LZMA) -> bytes:
    """The arrays as an archive that `numpy.load` reads, too; the same bytes for the same arrays."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", NO_TIME)
            written = io.BytesIO()
            np.lib.format.write_array(written, np.asarray(array, order="C"), allow_pickle=False)
            archive.writestr(member, written.getvalue(), compression)
    return content.getvalue()


def arrays_of(content: bytes, largest_bytes: int) -> dict[str, Array]:
    """The arrays in an archive, by name; nothing in it is executed.

    ValueError when they are larger than `largest_bytes` together, one of `UNREADABLE` for anything else that is wrong.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > largest_bytes:
            raise ValueError(f"its arrays are larger than {largest_bytes:,} bytes")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise ValueError("something in it is no array")
    return arrays
