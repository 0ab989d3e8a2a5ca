"""A parcel holds what a worker writes, and no more."""

from __future__ import annotations

import os

import pytest

from tinytorch.processes.parcel import Parcel, fill


def test_what_was_written_comes_out() -> None:
    with Parcel(10) as parcel:
        fill(parcel.descriptor, b"the first")
        fill(parcel.descriptor, b"second")

        assert parcel.read(6) == b"second"


@pytest.mark.parametrize("size_bytes", [-1, 11, 2**60])
def test_more_than_it_has_room_for_is_not_read(size_bytes: int) -> None:
    with Parcel(10) as parcel, pytest.raises(ValueError, match="do not fit"):
        parcel.read(size_bytes)


def test_whoever_writes_cannot_make_it_larger() -> None:
    with Parcel(10) as parcel:
        with pytest.raises(OSError, match="not permitted"):
            fill(parcel.descriptor, bytes(11))
        with pytest.raises(OSError, match="not permitted"):
            os.ftruncate(parcel.descriptor, 0)


def test_it_can_be_closed_twice() -> None:
    parcel = Parcel(10)
    parcel.close()
    parcel.close()
