"""IDX files: read as they are published, packed or not, and refused by name when they are anything else."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from tinytorch.datasets import idx
from tinytorch.datasets.idx import read_idx
from tinytorch.errors import UsageError


def idx_of(array: np.ndarray) -> bytes:
    """The file's content."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


PICTURES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("name", "content"), [("a", idx_of(PICTURES)), ("a.gz", gzip.compress(idx_of(PICTURES), mtime=0))]
)
def test_an_array_is_read_packed_or_not(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    np.testing.assert_array_equal(read_idx(tmp_path / "a"), PICTURES)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "no IDX file of unsigned bytes"),
        (b"nonsense", "no IDX file of unsigned bytes"),
        (struct.pack(">HBBI", 0, 13, 1, 4) + b"1234", "no IDX file of unsigned bytes"),
        (idx_of(PICTURES)[:-1], "promises 24 elements, and it has 23"),
        (idx_of(PICTURES) + b"x", "promises 24 elements, and it has 25"),
        (struct.pack(">HBB", 0, 8, 255), "promises 255 dimensions"),
        (struct.pack(">HBB", 0, 8, 3), "ends within its header"),
        (gzip.compress(idx_of(PICTURES), mtime=0)[:-8], "whose end is missing"),
        (b"\x1f\x8bnonsense", "cannot be unpacked"),
    ],
)
def test_what_is_none_is_refused_by_its_name(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "pictures").write_bytes(content)
    with pytest.raises(UsageError, match=words) as caught:
        read_idx(tmp_path / "pictures")

    assert str(tmp_path / "pictures") in caught.value.message


def test_a_small_packed_file_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idx, "LARGEST_BYTES", 100_000)
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx_of(np.zeros(10_000_000, np.uint8))))

    with pytest.raises(UsageError, match="it has 99,992"):
        read_idx(tmp_path / "a")
