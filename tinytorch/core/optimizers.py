"""Optimizers: change parameters in place, by their gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError

DEFAULT_LEARNING_RATE_SGD = 0.01
DEFAULT_LEARNING_RATE_ADAM = 0.001
DEFAULT_BETAS = (0.9, 0.999)
DEFAULT_EPS = 1e-8
DEFAULT_WEIGHT_DECAY_ADAMW = 0.01
BLOCK_ELEMENTS = 16_384  # 64 kB of float32: a block of each array of Adam then stays in a core's cache


class Optimizer:
    """Base: holds `params` and changes those that have a gradient, by the learning rate `lr`, which may be set anew.

    Raises UsageError when there are no parameters, one that is no tensor, or one twice.
    """

    def __init__(self, params: Iterable[Tensor], lr: float = DEFAULT_LEARNING_RATE_SGD) -> None:
        self.params = list(params)
        if not self.params:
            raise UsageError("an optimizer needs parameters, and got none")
        for param in self.params:
            if not isinstance(param, Tensor):
                raise UsageError(f"an optimizer needs tensors, and got a {type(param).__name__}")
            if param.dtype.kind != "f":
                mend = "make it by Tensor(data, requires_grad=True), which is float32"
                raise UsageError(f"an optimizer needs floating parameters, and one is {param.dtype}", mend=mend)
        if len({id(param) for param in self.params}) < len(self.params):
            raise UsageError("a parameter is there twice", mend="give every parameter once: model.parameters() does")
        self.lr = _checked("a learning rate", lr, above=0)
        self.step_count = 0

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for param in self.params:
            param.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient. Raises ShapeError for a gradient of another shape."""
        self.step_count += 1
        for index, param in enumerate(self.params):
            if param.grad is not None:
                param.data = np.asarray(param.data)  # somebody may have put a tensor there
                self._update(index, param.data, _gradient(param))

    def _update(self, index: int, data: Array, gradient: Array) -> None:
        raise NotImplementedError(f"{type(self).__qualname__} has no _update()")

    def buffers(self) -> dict[str, list[Array]]:
        """What is remembered for each parameter, in their order, by name."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Learning rate, steps so far, and copies of all buffers: `load_state_dict` goes on from there."""
        buffers = {name: [array.copy() for array in arrays] for name, arrays in self.buffers().items()}
        return {"lr": self.lr, "step_count": self.step_count, **buffers}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave. Raises UsageError or ShapeError when it is of another optimizer."""
        own = self.buffers()
        if {"lr", "step_count", *own} != state.keys():
            raise UsageError(f"{type(self).__name__} needs the state of one of its kind, this holds {', '.join(state)}")
        for name, arrays in own.items():
            _fill(name, arrays, state[name])
        self.lr, self.step_count = float(state["lr"]), int(state["step_count"])


class SGD(Optimizer):
    """velocity = momentum * velocity + gradient + weight_decay * parameter; parameter -= lr * velocity."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = DEFAULT_LEARNING_RATE_SGD,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        self.momentum = _checked("a momentum", momentum, from_=0, below=1)
        self.weight_decay = _checked("a weight decay", weight_decay, from_=0)
        self.momentum_buffers = [np.zeros_like(param.data) for param in self.params] if momentum else []

    def buffers(self) -> dict[str, list[Array]]:
        """Velocities, where there is a momentum."""
        return {"momentum_buffers": self.momentum_buffers}

    def get_momentum_state(self) -> list[Array] | None:
        """Copies of the velocities, None without momentum."""
        return [buffer.copy() for buffer in self.momentum_buffers] or None

    def set_momentum_state(self, state: Sequence[Array] | None) -> None:
        """Take over velocities. Raises UsageError or ShapeError unless there is one for each parameter."""
        _fill("momentum_buffers", self.momentum_buffers, state or [])

    def _update(self, index: int, data: Array, gradient: Array) -> None:
        direction = gradient + self.weight_decay * data if self.weight_decay else gradient
        if self.momentum:
            velocity = self.momentum_buffers[index]
            velocity *= self.momentum
            velocity += direction
            direction = velocity
        data -= self.lr * direction


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1 with the bias corrections folded into step size and eps, section 2).

    `weight_decay` * parameter is added to the gradient, as in PyTorch; AdamW does better.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = DEFAULT_LEARNING_RATE_ADAM,
        betas: tuple[float, float] = DEFAULT_BETAS,
        eps: float = DEFAULT_EPS,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        first, second = betas
        self.betas = _checked("a beta", first, from_=0, below=1), _checked("a beta", second, from_=0, below=1)
        self.eps = _checked("an eps", eps, above=0)
        self.weight_decay = _checked("a weight decay", weight_decay, from_=0)
        self.m_buffers = [np.zeros_like(param.data) for param in self.params]
        self.v_buffers = [np.zeros_like(param.data) for param in self.params]
        self._blocks = [_blocks(param.data) for param in self.params]

    def buffers(self) -> dict[str, list[Array]]:
        """Running means of the gradients, and of their squares."""
        return {"m_buffers": self.m_buffers, "v_buffers": self.v_buffers}

    def _update(self, index: int, data: Array, gradient: Array) -> None:
        mean, square = self.m_buffers[index], self.v_buffers[index]
        scratch = np.empty_like(data[self._blocks[index][0]])
        for block in self._blocks[index]:
            self._update_block(data[block], gradient[block], mean[block], square[block], scratch)

    def _update_block(self, data: Array, gradient: Array, mean: Array, square: Array, scratch: Array) -> None:
        gradient = self._decayed(data, gradient)
        change = scratch[: len(data)] if data.ndim else scratch
        mean_decay, square_decay = self.betas
        correction = np.sqrt(1 - square_decay**self.step_count)
        np.multiply(gradient, 1 - mean_decay, out=change)
        mean *= mean_decay
        mean += change
        np.multiply(gradient, gradient, out=change)
        change *= 1 - square_decay
        square *= square_decay
        square += change
        np.sqrt(square, out=change)
        change += float(self.eps * correction)
        np.divide(mean, change, out=change)
        change *= float(self.lr * correction / (1 - mean_decay**self.step_count))
        data -= change

    def _decayed(self, data: Array, gradient: Array) -> Array:
        return gradient + self.weight_decay * data if self.weight_decay else gradient


class AdamW(Adam):
    """Adam, and apart from it parameter -= lr * weight_decay * parameter (Loshchilov & Hutter 2019)."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = DEFAULT_LEARNING_RATE_ADAM,
        betas: tuple[float, float] = DEFAULT_BETAS,
        eps: float = DEFAULT_EPS,
        weight_decay: float = DEFAULT_WEIGHT_DECAY_ADAMW,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def _decayed(self, data: Array, gradient: Array) -> Array:
        data *= 1 - self.lr * self.weight_decay
        return gradient


def _gradient(param: Tensor) -> Array:
    """The gradient, an array or a tensor, as an array in the type of the data."""
    gradient: Array = np.asarray(param.grad, param.dtype)
    if gradient.shape != param.shape:
        raise ShapeError(f"a parameter needs a gradient of its shape {param.shape}, got {gradient.shape}")
    return gradient


def _fill(name: str, arrays: list[Array], values: Sequence[Array]) -> None:
    """Write `values` into `arrays`, all or none."""
    shapes, given = [array.shape for array in arrays], [np.shape(value) for value in values]
    if shapes != given:
        raise ShapeError(f"{name} needs the shapes {shapes}, got {given}", mend="build the optimizer that saved it")
    for array, value in zip(arrays, values, strict=True):
        array[...] = value


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
