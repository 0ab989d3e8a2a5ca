"""The same elements in another shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor
from tinytorch.errors import RangeError, UsageError

CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("change", "shape"),
    [
        (lambda t: t.view(4, -1), (4, 6)),
        (lambda t: t.flatten(), (24,)),
        (lambda t: t.flatten(1), (2, 12)),
        (lambda t: t.flatten(0, 1), (6, 4)),
        (lambda t: t.unsqueeze(0), (1, 2, 3, 4)),
        (lambda t: t.unsqueeze(-1), (2, 3, 4, 1)),
        (lambda t: t[:1].squeeze(), (3, 4)),
        (lambda t: t[:1].squeeze(0), (3, 4)),
        (lambda t: t.squeeze(0), (2, 3, 4)),
        (lambda t: t[0, 0, 0].flatten(), (1,)),
    ],
)
def test_elements_keep_their_order(change: Any, shape: tuple[int, ...]) -> None:
    changed = change(Tensor(CUBE))
    assert changed.shape == shape
    np.testing.assert_array_equal(changed.data.ravel(), CUBE.ravel()[: changed.size])


@pytest.mark.parametrize("change", [lambda t: t.unsqueeze(4), lambda t: t.squeeze(3), lambda t: t.flatten(-4)])
def test_an_axis_that_is_not_there_is_refused(change: Any) -> None:
    with pytest.raises(RangeError, match=r"an axis of a tensor of shape \(2, 3, 4\) must lie in"):
        change(Tensor(CUBE))


def test_axes_to_flatten_stand_in_their_order() -> None:
    with pytest.raises(UsageError, match="not 2 to 0"):
        Tensor(CUBE).flatten(2, 0)


def test_nothing_keeps_its_shape_when_it_is_flattened() -> None:
    assert Tensor(np.zeros((0, 2, 3))).flatten(1).shape == (0, 6)


def test_several_axes_are_squeezed_at_once() -> None:
    assert Tensor(np.ones((1, 2, 1, 1))).squeeze((0, 2)).shape == (2, 1)
