"""Datasets and batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.dataloader import (
    DataLoader,
    Dataset,
    TensorDataset,
    as_dataset,
)
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError

TEN = TensorDataset(np.arange(20.0).reshape(10, 2), np.arange(10))


class Squares(Dataset):
    """Numbers and their squares, one by one."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        return np.array([index], np.float32), index**2


def labels_of(loader: DataLoader) -> list[int]:
    return [int(label) for _, labels in loader for label in labels.numpy()]


def test_batches_cover_everything_and_the_last_may_be_smaller() -> None:
    loader = DataLoader(TEN, batch_size=4)
    assert [labels.shape for _, labels in loader] == [(4,), (4,), (2,)]
    assert len(loader) == 3


def test_without_shuffle_the_order_is_kept() -> None:
    assert labels_of(DataLoader(TEN, 3)) == list(range(10))


def test_shuffle_gives_each_pass_an_order_of_its_own() -> None:
    loader = DataLoader(TEN, 3, shuffle=True)
    first, second = labels_of(loader), labels_of(loader)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(10))


def test_the_same_seed_repeats_all_orders() -> None:
    first, second = (DataLoader(TEN, 3, shuffle=True, seed=4) for _ in range(2))
    assert [labels_of(first) for _ in range(2)] == [labels_of(second) for _ in range(2)]


def test_inputs_stay_with_their_labels() -> None:
    for inputs, labels in DataLoader(TEN, 3, shuffle=True):
        np.testing.assert_array_equal(inputs.numpy()[:, 0], 2 * labels.numpy())


def test_a_dataset_needs_only_length_and_items() -> None:
    assert labels_of(DataLoader(Squares(), 2)) == [0, 1, 4, 9, 16]


def test_a_sample_is_input_and_label() -> None:
    inputs, label = TEN[3]
    assert (list(inputs), label) == ([6, 7], 3)


def test_a_dataset_can_be_walked_through_to_its_end() -> None:
    assert [int(label) for _, label in TEN] == list(range(10))  # type: ignore[attr-defined]
    assert int(TEN[-1][1]) == 9


def test_inputs_and_labels_have_equal_lengths() -> None:
    with pytest.raises(ShapeError):
        TensorDataset(np.ones((3, 2)), np.ones(2))


@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_a_batch_size_is_a_positive_integer(size: Any) -> None:
    with pytest.raises(ValueError, match="positive integer"):
        DataLoader(TEN, size)


def test_there_must_be_samples() -> None:
    with pytest.raises(UsageError, match="needs samples"):
        DataLoader([], 2)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_dataset_has_as_many_fields_as_tensors(count: int) -> None:
    dataset = TensorDataset(*[np.full((4, 2), number) for number in range(count)])
    sample, (batch,) = dataset[1], list(DataLoader(dataset, 4))
    assert [item.shape for item in sample] == [(2,)] * count
    assert [item.data[0, 0] for item in batch] == list(range(count))
    assert all(isinstance(item, Tensor) for item in (*sample, *batch))


def test_a_dataset_needs_tensors_and_labels() -> None:
    with pytest.raises(UsageError, match="at least one tensor"):
        TensorDataset()
    with pytest.raises(UsageError, match="needs labels"):
        _ = TensorDataset(np.ones(2)).labels


def test_any_sequence_is_a_dataset() -> None:
    pairs = [(Tensor([float(number), 1.0]), number) for number in range(5)]
    first, *_ = DataLoader(pairs, 2)
    assert labels_of(DataLoader(pairs, 2)) == [0, 1, 2, 3, 4]
    assert first[0].shape == (2, 2)


def test_samples_of_one_value_make_batches_of_one_field() -> None:
    assert [batch.shape for (batch,) in DataLoader([1.0, 2.0, 3.0], 2)] == [(2,), (1,)]


def test_samples_of_unequal_shapes_are_named() -> None:
    with pytest.raises(ShapeError, match="equal shapes"):
        list(DataLoader([np.ones(2), np.ones(3)], 2))


def test_a_batch_may_be_one_sample() -> None:
    assert len(list(DataLoader(TEN, 1))) == 10


def test_a_last_batch_that_is_smaller_can_be_left_out() -> None:
    loader = DataLoader(TEN, batch_size=4, drop_last=True)
    assert [len(batch[0]) for batch in loader] == [4, 4]
    assert len(loader) == 2
    with pytest.raises(UsageError, match="10 samples make no batch of 11"):
        DataLoader(TEN, batch_size=11, drop_last=True)


@pytest.mark.parametrize("data", [([[1.0]], [0], [2]), 5, "ab", None])
def test_data_to_train_on_are_a_dataset_or_a_pair(data: Any) -> None:
    assert len(as_dataset((np.ones((3, 2)), np.zeros(3, int)))) == 3
    with pytest.raises(UsageError, match=r"needs a TensorDataset, and got a"):
        as_dataset(data)


def test_samples_have_numbers() -> None:
    with pytest.raises(UsageError, match="needs samples by number, and a generator has none"):
        DataLoader(sample for sample in [1, 2])  # type: ignore[arg-type]
