"""Archives of arrays: the same bytes each time, and no trust in what a file says of itself."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tinytorch.core.archive import UNREADABLE, archive_of, arrays_of

ARRAY = arrays.arrays(st.sampled_from([np.uint8, np.float16, np.int64]), arrays.array_shapes(max_dims=3, max_side=5))
NAMES = st.from_regex(r"[a-z][a-z_.0-9]{0,9}", fullmatch=True)


@given(st.dictionaries(NAMES, ARRAY, max_size=3))
def test_what_was_written_is_read(given_arrays: dict[str, np.ndarray]) -> None:
    found = arrays_of(archive_of(given_arrays), 10_000)

    assert found.keys() == given_arrays.keys()
    assert all(np.array_equal(found[name], given_arrays[name], equal_nan=name is None) or
               found[name].tobytes() == given_arrays[name].tobytes() for name in found)  # fmt: skip


def test_the_same_arrays_are_the_same_bytes() -> None:
    content = {"a": np.arange(5), "b": np.zeros((2, 3), np.float16)}

    assert archive_of(content) == archive_of({name: array.copy() for name, array in content.items()})


def test_a_single_number_stays_one() -> None:
    assert arrays_of(archive_of({"a": np.array(7)}), 1000)["a"].shape == ()


def test_numpy_reads_it() -> None:
    with np.load(io.BytesIO(archive_of({"a": np.arange(3)}))) as stored:
        assert stored["a"].tolist() == [0, 1, 2]


def test_a_small_file_that_unpacks_to_a_lot_is_refused_before_it_is_unpacked() -> None:
    content = archive_of({"a": np.zeros(1_000_000)})

    assert len(content) < 10_000
    with pytest.raises(ValueError, match="larger than 1,000,000 bytes"):
        arrays_of(content, 1_000_000)


def objects() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.array([print], object))
    return file.getvalue()


def text_inside() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", b"no array")
    return file.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"x" * 1000, objects(), text_inside(), archive_of({"a": np.zeros(9)})[:-9]]
)
def test_what_is_no_archive_of_arrays_is_refused(content: bytes) -> None:
    with pytest.raises(UNREADABLE):
        {name: array.sum() for name, array in arrays_of(content, 1000).items()}
