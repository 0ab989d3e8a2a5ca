"""The gradient checker: exact gradients against central differences along random directions, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor, apply

STEP = 1e-6


def _check_gradients(name: str, arrays: list[Any], options: dict[str, Any]) -> None:
    """Fail unless each input's gradient predicts how a random projection of the output of operation `name` moves."""
    generator = np.random.default_rng(0)
    inputs = [Tensor(array, requires_grad=True, dtype=np.float64) for array in arrays]
    output = apply(name, *inputs, **options)
    projection = generator.standard_normal(output.shape)
    output.backward(projection)
    for position, tensor in enumerate(inputs):
        direction = generator.standard_normal(tensor.shape)

        def moved(step: float, position: int = position, direction: Any = direction) -> float:
            shifted = [Tensor(array, dtype=np.float64) for array in arrays]
            shifted[position].data = shifted[position].data + step * direction
            return float((apply(name, *shifted, **options).data * projection).sum())

        expected = (moved(STEP) - moved(-STEP)) / (2 * STEP)
        assert tensor.grad is not None
        assert tensor.grad.shape == tensor.shape
        np.testing.assert_allclose((tensor.grad * direction).sum(), expected, rtol=1e-6, atol=1e-7)


@pytest.fixture(scope="session")
def check_gradients() -> Callable[..., None]:
    """`check_gradients(name, arrays, options)`."""
    return _check_gradients
