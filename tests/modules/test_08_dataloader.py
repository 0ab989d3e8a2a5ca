"""What the course promises of module 08 (05 in the newer edition), whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.dataloader import DataLoader, Dataset, TensorDataset
from tinytorch.core.tensor import Tensor

X, Y = np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10)


def dataset() -> TensorDataset:
    return TensorDataset(Tensor(X), Tensor(Y))


def test_a_dataset_has_a_length_and_items() -> None:
    inputs, label = dataset()[3]

    assert len(dataset()) == 10
    np.testing.assert_array_equal(inputs.data, X[3])
    assert float(label.data) == 3


def test_fields_of_different_lengths_are_refused() -> None:
    with pytest.raises((ValueError, AssertionError)):
        TensorDataset(Tensor(X), Tensor(Y[:5]))


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(4, [4, 4, 2]), (5, [5, 5]), (20, [10])], ids=["4 each", "5 each", "20 each"]
)
def test_batches_cover_everything_in_order(batch_size: int, sizes: list[int]) -> None:
    batches = list(DataLoader(dataset(), batch_size=batch_size, shuffle=False))

    assert [len(inputs.data) for inputs, _ in batches] == sizes
    np.testing.assert_array_equal(np.concatenate([labels.data for _, labels in batches]), Y)


def test_a_loader_knows_how_many_batches_it_has() -> None:
    assert len(DataLoader(dataset(), batch_size=4)) == 3


def test_shuffling_keeps_pairs_together_and_loses_none() -> None:
    batches = list(DataLoader(dataset(), batch_size=3, shuffle=True))
    inputs, labels = (np.concatenate([batch[i].data for batch in batches]) for i in (0, 1))

    assert sorted(labels) == list(Y)
    np.testing.assert_array_equal(inputs[:, 0], 2 * labels)


def shuffled(loader: DataLoader) -> list[int]:
    return [int(label) for _, labels in loader for label in np.ravel(labels.data)]


def test_shuffling_draws_another_order_in_each_epoch() -> None:
    loader = DataLoader(TensorDataset(Tensor(np.arange(100)), Tensor(np.arange(100))), batch_size=10, shuffle=True)
    first, second = shuffled(loader), shuffled(loader)

    assert sorted(first) == sorted(second) == list(range(100))
    assert first != list(range(100))
    assert first != second


def test_a_loader_can_be_run_through_again() -> None:
    loader = DataLoader(dataset(), batch_size=4)

    assert shuffled(loader) == shuffled(loader) == list(Y)


@pytest.mark.parametrize("fields", [1, 3])
def test_a_dataset_may_have_one_field_or_three(fields: int) -> None:
    (batch,) = DataLoader(TensorDataset(*[Tensor(X)] * fields), batch_size=10)

    assert len(batch) == fields


def test_a_dataset_of_one_s_own_can_be_loaded() -> None:
    class Squares(Dataset):
        def __len__(self) -> int:
            return 6

        def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
            return Tensor([float(index)]), Tensor([float(index**2)])

    inputs, squares = next(iter(DataLoader(Squares(), batch_size=6)))

    np.testing.assert_array_equal(np.ravel(squares.data), np.ravel(inputs.data) ** 2)


def test_a_dataset_without_items_is_no_dataset() -> None:
    with pytest.raises(TypeError):
        Dataset()
