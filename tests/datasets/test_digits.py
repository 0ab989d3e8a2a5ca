"""The digits: what ships, how it is split, and what happens to damaged files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinytorch.datasets import digits, load_digits
from tinytorch.errors import SetupMissingError


def test_the_split_has_its_sizes() -> None:
    train, test = load_digits()
    assert (train.inputs.shape, test.inputs.shape) == ((1437, 64), (360, 64))


def test_inputs_are_float32_between_zero_and_one() -> None:
    for part in load_digits():
        assert part.inputs.dtype == np.float32
        assert (part.inputs.min(), part.inputs.max()) == (0, 1)


def test_labels_are_int64() -> None:
    assert [part.labels.dtype for part in load_digits()] == [np.int64] * 2


def test_every_digit_is_tested_equally_often() -> None:
    np.testing.assert_array_equal(np.bincount(load_digits()[1].labels), [36] * 10)


def test_the_split_never_changes() -> None:
    _, test = load_digits()
    assert test.labels[:12].tolist() == [1, 2, 3, 3, 4, 5, 6, 4, 9, 9, 8, 8]
    assert int((test.inputs * 16).sum()) == 112772


def test_no_image_is_in_both_parts() -> None:
    train, test = (set(map(bytes, part.inputs)) for part in load_digits())
    assert not train & test


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not this one"])
def test_a_damaged_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "digits.npz").write_bytes(content)
    monkeypatch.setattr(digits, "DIGITS_PATH", tmp_path / "digits.npz")
    with pytest.raises(SetupMissingError, match="damaged"):
        load_digits()


def test_an_absent_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(digits, "DIGITS_PATH", tmp_path / "nowhere.npz")
    with pytest.raises(SetupMissingError, match=r"nowhere\.npz"):
        load_digits()
