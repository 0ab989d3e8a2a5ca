"""Optimizers: change parameters in place, by their gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from types import EllipsisType

import numpy as np

from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError

BLOCK_ELEMENTS = 16_384  # 64 kB of float32: a block of each array of Adam then stays in a core's cache


class Optimizer:
    """Base: holds `parameters` and changes those that have a gradient. Raises UsageError when there are none."""

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise UsageError("an optimizer needs parameters, and got none")
        self.learning_rate = _checked("a learning rate", learning_rate, above=0)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                self._update(index, parameter.data, parameter.grad)

    def _update(self, index: int, data: Array, gradient: Array) -> None:
        raise NotImplementedError(f"{type(self).__qualname__} has no _update()")


class SGD(Optimizer):
    """velocity = momentum * velocity + gradient + weight_decay * parameter; parameter -= learning_rate * velocity."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate)
        self.momentum = _checked("a momentum", momentum, from_=0, below=1)
        self.weight_decay = _checked("a weight decay", weight_decay, from_=0)
        self._velocities = [np.zeros_like(parameter.data) for parameter in self.parameters] if momentum else []

    def _update(self, index: int, data: Array, gradient: Array) -> None:
        direction = gradient + self.weight_decay * data if self.weight_decay else gradient
        if self.momentum:
            velocity = self._velocities[index]
            velocity *= self.momentum
            velocity += direction
            direction = velocity
        data -= self.learning_rate * direction


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1 with the bias corrections folded into step size and epsilon, section 2)."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(parameters, learning_rate)
        first, second = betas
        self.betas = _checked("a beta", first, from_=0, below=1), _checked("a beta", second, from_=0, below=1)
        self.epsilon = _checked("an epsilon", epsilon, above=0)
        self._steps = 0
        self._means = [np.zeros_like(parameter.data) for parameter in self.parameters]
        self._squares = [np.zeros_like(parameter.data) for parameter in self.parameters]
        self._blocks = [_blocks(parameter.data) for parameter in self.parameters]

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        self._steps += 1
        super().step()

    def _update(self, index: int, data: Array, gradient: Array) -> None:
        mean, square = self._means[index], self._squares[index]
        scratch = np.empty_like(data[self._blocks[index][0]])
        for block in self._blocks[index]:
            self._update_block(data[block], gradient[block], mean[block], square[block], scratch)

    def _update_block(self, data: Array, gradient: Array, mean: Array, square: Array, scratch: Array) -> None:
        change = scratch[: len(data)] if data.ndim else scratch
        mean_decay, square_decay = self.betas
        correction = np.sqrt(1 - square_decay**self._steps)
        np.multiply(gradient, 1 - mean_decay, out=change)
        mean *= mean_decay
        mean += change
        np.multiply(gradient, gradient, out=change)
        change *= 1 - square_decay
        square *= square_decay
        square += change
        np.sqrt(square, out=change)
        change += float(self.epsilon * correction)
        np.divide(mean, change, out=change)
        change *= float(self.learning_rate * correction / (1 - mean_decay**self._steps))
        data -= change


class AdamW(Adam):
    """Adam, and apart from it parameter -= learning_rate * weight_decay * parameter (Loshchilov & Hutter 2019)."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, learning_rate, betas, epsilon)
        self.weight_decay = _checked("a weight decay", weight_decay, from_=0)

    def _update_block(self, data: Array, gradient: Array, mean: Array, square: Array, scratch: Array) -> None:
        data *= 1 - self.learning_rate * self.weight_decay
        super()._update_block(data, gradient, mean, square, scratch)


def _checked(
    name: str, value: float, *, above: float = -math.inf, from_: float = -math.inf, below: float = math.inf
) -> float:
    """`value` when it is in its range; nan is in none. UsageError else."""
    if above < value < below and value >= from_:
        return value
    lower = f"above {above:g}" if above > -math.inf else f"from {from_:g} on"
    upper = "finite" if below == math.inf else f"below {below:g}"
    raise UsageError(f"an optimizer needs {name} {lower} and {upper}, got {value}")


def _blocks(array: Array) -> list[slice | EllipsisType]:
    """Indices that cut `array` along its first axis into blocks of about BLOCK_ELEMENTS."""
    if array.size <= BLOCK_ELEMENTS:
        return [...]
    rows = max(1, BLOCK_ELEMENTS * len(array) // array.size)
    return [slice(start, start + rows) for start in range(0, len(array), rows)]
