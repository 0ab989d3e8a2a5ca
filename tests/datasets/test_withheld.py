"""Test splits that an entry's processes do not have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tinytorch.core.dataloader import TensorDataset
from tinytorch.datasets import shipped, withheld
from tinytorch.datasets.digits import load_digits
from tinytorch.datasets.fashion import FASHION_PATH, FASHION_SHA256, load_fashion
from tinytorch.datasets.sequences import load_reversal
from tinytorch.datasets.withheld import withhold_test_splits
from tinytorch.datasets.words import load_words
from tinytorch.errors import UsageError

Load = Callable[[], tuple[TensorDataset, TensorDataset]]


@pytest.fixture(autouse=True)
def _in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is withheld here is not withheld from other tests."""
    monkeypatch.setattr(withheld, "_withheld", [])
    monkeypatch.setattr(shipped, "shipped_arrays", shipped.shipped_arrays.__wrapped__)


@pytest.mark.parametrize("load", [load_digits, load_fashion, load_words, load_reversal])
@pytest.mark.parametrize("ask", [len, lambda test: test.labels, lambda test: test[0], lambda test: test.inputs])
def test_whoever_asks_a_withheld_split_is_told(load: Load, ask: Callable[[TensorDataset], object]) -> None:
    assert ask(load()[1]) is not None
    withhold_test_splits()
    train, test = load()

    assert len(train) > 0
    with pytest.raises(UsageError, match="the test split is withheld"):
        ask(test)


def test_the_arrays_of_a_file_are_withheld_too() -> None:
    withhold_test_splits()

    assert {*shipped.shipped_arrays(FASHION_PATH, FASHION_SHA256)} == {"train_images", "train_labels"}


def test_a_file_that_a_box_hides_is_said_to_be_withheld(tmp_path: Path) -> None:
    withhold_test_splits()
    with pytest.raises(UsageError, match="is withheld while an entry is verified") as caught:
        shipped.shipped_arrays(tmp_path / "digits.npz", "")

    assert "train_data" in caught.value.mend
