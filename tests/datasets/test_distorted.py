"""Distorted copies: of the same kind, none the same, and still what they were."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.datasets.distorted import distorted
from tinytorch.workloads.registry import find_task


@pytest.mark.parametrize("name", ["digits_mlp", "digits_cnn", "fashion_mlp"])
def test_copies_have_the_form_of_their_pictures_and_none_is_the_same(name: str) -> None:
    _, test = find_task(name).load_data()
    pictures = test.inputs[:50]
    copies = distorted(pictures, np.random.default_rng(0))

    assert (copies.shape, copies.dtype, copies.min() >= 0, copies.max() <= 1) == (
        pictures.shape,
        np.float32,
        True,
        True,
    )
    assert (np.abs(copies - pictures).reshape(50, -1).max(axis=1) > 0).all()


def test_a_copy_is_nearer_to_its_own_picture_than_to_most_others() -> None:
    _, test = find_task("digits_mlp").load_data()
    copies = distorted(test.inputs, np.random.default_rng(0))
    apart = ((copies[:, None] - test.inputs[None]) ** 2).sum(axis=-1)

    assert np.mean(test.labels[apart.argmin(axis=1)] == test.labels) > 0.95
