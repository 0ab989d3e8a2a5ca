"""Optimizers: change parameters in place, by their gradients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import EllipsisType
from typing import Any, ClassVar, NamedTuple

import numpy as np

from tinytorch.core.arguments import checked
from tinytorch.core.groups import NAMES, check_parameters, checked_setting, groups_of
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError
from tinytorch.showing import nearest

DEFAULT_LEARNING_RATE_SGD = 0.01
DEFAULT_LEARNING_RATE_ADAM = 0.001
DEFAULT_BETAS = (0.9, 0.999)
DEFAULT_EPS = 1e-8
DEFAULT_WEIGHT_DECAY_ADAMW = 0.01
BLOCK_ELEMENTS = 16_384  # 64 kB of float32: a block of each array of Adam then stays in a core's cache


class Optimizer:
    """Base: holds `params` and changes those that have a gradient, by the learning rate `lr`, which may be set anew.

    `params` are tensors, or groups of them with settings of their own: `{"params": [...], "lr": 0.1}`. A group's
    learning rate keeps its ratio to `lr` when that is set anew. Raises UsageError when there are no parameters, one
    that is no tensor, or one twice, and for settings that there are not or that are out of their range.
    """

    settings: ClassVar[tuple[str, ...]] = ()  # names of attributes; a group may say otherwise

    def __init__(self, params: Iterable[Any], lr: float = DEFAULT_LEARNING_RATE_SGD) -> None:
        self._lr = float(checked(f"an optimizer needs {NAMES['lr']}", lr, above=0))
        self.params: list[Tensor] = []
        self._own: list[dict[str, Any]] = []  # for each parameter what its group says
        for group in groups_of(params):
            members = list(group.pop("params"))
            self.params += members
            self._own += [self._checked_group(group)] * len(members)
        check_parameters(self.params)
        self.step_count = 0

    @property
    def lr(self) -> float:
        """The learning rate."""
        return self._lr

    @lr.setter
    def lr(self, rate: float) -> None:
        self._lr = float(checked(f"an optimizer needs {NAMES['lr']}", rate, from_=0))

    def setting(self, index: int, name: str) -> Any:
        """A setting, "lr" for example, as it is for the parameter of that number."""
        own = self._own[index]
        if name not in own:
            return getattr(self, name)
        return self._rate(own) if name == "lr" else own[name]

    def _rate(self, own: dict[str, Any]) -> float:
        """The learning rate of a parameter whose group says `own`."""
        return self._lr * own["lr"] if own and "lr" in own else self._lr

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for param in self.params:
            param.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient. Raises ShapeError for a gradient of another shape."""
        self.step_count += 1
        for index, param in enumerate(self.params):
            gradient = param.grad
            if gradient is not None:
                param.data = np.asarray(param.data)  # somebody may have put a tensor there
                self._update(index, param.data, _fitting(gradient, param.data))

    def _update(self, index: int, data: Array, gradient: Array) -> None:
        raise NotImplementedError(f"{type(self).__qualname__} has no _update()")

    def buffers(self) -> dict[str, list[Array]]:
        """What is remembered for each parameter, in their order, by name."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Kind, settings, learning rate, steps so far, copies of all buffers: what `load_state_dict` goes on from."""
        buffers = {name: [array.copy() for array in arrays] for name, arrays in self.buffers().items()}
        facts = {"kind": type(self).__name__, "settings": self._settings(), "lr": self.lr}
        return {**facts, "step_count": self.step_count, **buffers}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, the learning rate too.

        Raises UsageError or ShapeError when it is of another optimizer, or of one with other settings; a state that
        names neither is an older one.
        """
        own, kind = self.buffers(), type(self).__name__
        if {"lr", "step_count", *own} != state.keys() - {"kind", "settings"} or state.get("kind", kind) != kind:
            shown = state.get("kind") or ", ".join(state)
            raise UsageError(f"{kind} needs the state of one of its kind, this is of {shown}")
        given, mine = dict(state.get("settings", {})), self._settings()
        other = [f"{name} {given[name]}, not {mine.get(name)}" for name in given if given[name] != mine.get(name)]
        if other:
            raise UsageError(f"this is the state of an optimizer with {' and '.join(other)}", mend="build it alike")
        for name, arrays in own.items():
            _check_shapes(name, arrays, state[name])
        for name, arrays in own.items():
            _fill(name, arrays, state[name])
        self.lr, self.step_count = float(state["lr"]), int(state["step_count"])

    def _settings(self) -> dict[str, Any]:
        """All settings but the learning rate, as JSON has them."""
        found = {name: getattr(self, name) for name in self.settings}
        groups = {
            f"{name} of parameter {index}": own[name]
            for index, own in enumerate(getattr(self, "_own", []))
            for name in own
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in (found | groups).items()}

    def _checked_group(self, group: dict[str, Any]) -> dict[str, Any]:
        """What a group says otherwise; its learning rate as a multiple of `lr`."""
        for name in group:
            if name not in ("lr", *self.settings):
                mend = nearest(name, ("params", "lr", *self.settings))
                raise UsageError(f"a group of parameters has no setting {name!r}", mend=mend)
        own = {name: checked_setting(name, value) for name, value in group.items()}
        return {**own, "lr": own["lr"] / self._lr} if "lr" in own else own


class SGD(Optimizer):
    """velocity = momentum * velocity + gradient + weight_decay * parameter; parameter -= lr * velocity.

    With `nesterov` the step is lr * (gradient + momentum * velocity): as after the next step of the velocity
    (Sutskever et al. 2013).
    """

    settings = ("momentum", "weight_decay", "nesterov")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = DEFAULT_LEARNING_RATE_SGD,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr)
        self.momentum = checked_setting("momentum", momentum)
        self.weight_decay = checked_setting("weight_decay", weight_decay)
        self.nesterov = checked_setting("nesterov", nesterov)
        momenta = [self.setting(index, "momentum") for index in range(len(self.params))]
        if any(self.setting(index, "nesterov") and not each for index, each in enumerate(momenta)):
            raise UsageError("nesterov looks ahead by the momentum, and there is none", mend="give momentum=0.9")
        self.momentum_buffers = [np.zeros_like(param.data) for param in self.params] if any(momenta) else []

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
        own = self._own[index]
        decay, momentum = own.get("weight_decay", self.weight_decay), own.get("momentum", self.momentum)
        direction = gradient + decay * data if decay else gradient
        if momentum:
            velocity = self.momentum_buffers[index]
            velocity *= momentum
            velocity += direction
            direction = direction + momentum * velocity if own.get("nesterov", self.nesterov) else velocity
        data -= self._rate(own) * direction


class AdamStep(NamedTuple):
    """The numbers of one step for one parameter: bias corrections are in `eps` and in the `size` of the step."""

    mean_decay: float
    square_decay: float
    eps: float
    size: float
    decay: float
    shrink: float


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1 with the bias corrections folded into step size and eps, section 2).

    `weight_decay` * parameter is added to the gradient, as in PyTorch; AdamW does better.
    """

    settings = ("betas", "eps", "weight_decay")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = DEFAULT_LEARNING_RATE_ADAM,
        betas: tuple[float, float] = DEFAULT_BETAS,
        eps: float = DEFAULT_EPS,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        self.betas = checked_setting("betas", betas)
        self.eps = checked_setting("eps", eps)
        self.weight_decay = checked_setting("weight_decay", weight_decay)
        self.m_buffers = [np.zeros_like(param.data) for param in self.params]
        self.v_buffers = [np.zeros_like(param.data) for param in self.params]
        self._blocks = [_blocks(param.data) for param in self.params]
        self._steps: dict[int, AdamStep] = {}  # of this step, by group

    def buffers(self) -> dict[str, list[Array]]:
        """Running means of the gradients, and of their squares."""
        return {"m_buffers": self.m_buffers, "v_buffers": self.v_buffers}

    def step(self) -> None:
        """Change every parameter that has a gradient. Raises ShapeError for a gradient of another shape."""
        self._steps = {}
        super().step()

    def _update(self, index: int, data: Array, gradient: Array) -> None:
        own = self._own[index]
        if id(own) not in self._steps:
            self._steps[id(own)] = self._step(own)
        step = self._steps[id(own)]
        mean, square = self.m_buffers[index], self.v_buffers[index]
        scratch = np.empty_like(data[self._blocks[index][0]])
        for block in self._blocks[index]:
            self._update_block(data[block], gradient[block], mean[block], square[block], scratch, step)

    def _step(self, own: dict[str, Any]) -> AdamStep:
        """What all parameters of a group have in common in this step."""
        mean_decay, square_decay = own.get("betas", self.betas)
        decay, rate = own.get("weight_decay", self.weight_decay), self._rate(own)
        correction = np.sqrt(1 - square_decay**self.step_count)
        return AdamStep(
            mean_decay,
            square_decay,
            eps=float(own.get("eps", self.eps) * correction),
            size=float(rate * correction / (1 - mean_decay**self.step_count)),
            decay=decay,
            shrink=1 - rate * decay,
        )

    def _update_block(
        self, data: Array, gradient: Array, mean: Array, square: Array, scratch: Array, step: AdamStep
    ) -> None:
        gradient = self._decayed(data, gradient, step)
        change = scratch[: len(data)] if data.ndim else scratch
        np.multiply(gradient, 1 - step.mean_decay, out=change)
        mean *= step.mean_decay
        mean += change
        np.multiply(gradient, gradient, out=change)
        change *= 1 - step.square_decay
        square *= step.square_decay
        square += change
        np.sqrt(square, out=change)
        change += step.eps
        np.divide(mean, change, out=change)
        change *= step.size
        data -= change

    def _decayed(self, data: Array, gradient: Array, step: AdamStep) -> Array:
        return gradient + step.decay * data if step.decay else gradient


class AdamW(Adam):
    """Adam, and apart from it parameter -= lr * weight_decay * parameter (Loshchilov & Hutter 2019)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = DEFAULT_LEARNING_RATE_ADAM,
        betas: tuple[float, float] = DEFAULT_BETAS,
        eps: float = DEFAULT_EPS,
        weight_decay: float = DEFAULT_WEIGHT_DECAY_ADAMW,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def _decayed(self, data: Array, gradient: Array, step: AdamStep) -> Array:
        data *= step.shrink
        return gradient


def _fitting(given: Any, data: Array) -> Array:
    """A gradient, an array or a tensor, as an array in the type of the data."""
    gradient: Array = np.asarray(given, data.dtype)
    if gradient.shape != data.shape:
        raise ShapeError(f"a parameter needs a gradient of its shape {data.shape}, got {gradient.shape}")
    return gradient


def _check_shapes(name: str, arrays: list[Array], values: Sequence[Array]) -> None:
    shapes, given = [array.shape for array in arrays], [np.shape(value) for value in values]
    if shapes != given:
        raise ShapeError(f"{name} needs the shapes {shapes}, got {given}", mend="build the optimizer that saved it")


def _fill(name: str, arrays: list[Array], values: Sequence[Array]) -> None:
    """Write `values` into `arrays`, all or none."""
    _check_shapes(name, arrays, values)
    for array, value in zip(arrays, values, strict=True):
        array[...] = value


def _blocks(array: Array) -> list[slice | EllipsisType]:
    """Indices that cut `array` along its first axis into blocks of about BLOCK_ELEMENTS."""
    if array.size <= BLOCK_ELEMENTS:
        return [...]
    rows = max(1, BLOCK_ELEMENTS * len(array) // array.size)
    return [slice(start, start + rows) for start in range(0, len(array), rows)]
