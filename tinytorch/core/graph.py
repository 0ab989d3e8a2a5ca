"""The graph: what was computed from what, and gradients handed back along that way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from tinytorch.core.ops import OPERATIONS, Array, Operation
from tinytorch.errors import ShapeError, UsageError

AnyNode = TypeVar("AnyNode", bound="Node")
_Origin = tuple[Operation, tuple["Node", ...], dict[str, Any]]
_RELEASED: _Origin = (Operation(np.positive, ()), (), {})


class _Recording(threading.local):
    """Whether this thread keeps the graph that `backward` needs."""

    enabled = True


_recording = _Recording()
_new = object.__new__


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without remembering how: for inference and for changing weights. This thread only; may be nested."""
    before = _recording.enabled
    _recording.enabled = False
    try:
        yield
    finally:
        _recording.enabled = before


class Node:
    """An array `data`, its gradient `grad`, and what it was computed from. `Tensor` adds what one computes with."""

    __slots__ = ("__weakref__", "_origin", "data", "grad", "requires_grad")

    data: Array
    grad: Array | None
    requires_grad: bool
    _origin: _Origin | None

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    def backward(self, gradient: Any = None) -> None:
        """Add d(self)/d(leaf) to `.grad` of every leaf that requires it, then release the graph.

        `gradient` has the shape of this tensor; it may be left out for a tensor of one element.
        Raises UsageError when there is no graph (any more), ShapeError when `gradient` does not fit.
        """
        if not self.requires_grad:
            raise UsageError("backward() needs a tensor computed from one with requires_grad=True, outside no_grad()")
        gradients = {id(self): self._seed(gradient)}
        if self._origin is None:
            _accumulate(self, gradients[id(self)], shared=True)
        for tensor in _in_reverse(self):
            if tensor._origin is not None:
                tensor._hand_back(tensor._origin, gradients.pop(id(tensor)), gradients)

    def _seed(self, gradient: Any) -> Array:
        shape = self.data.shape
        if gradient is None and self.data.size != 1:
            raise UsageError(f"backward() of a tensor of shape {shape} needs a gradient of that shape")
        seed = np.ones_like(self.data) if gradient is None else np.asarray(gradient, self.data.dtype)
        if seed.shape != shape:
            raise ShapeError(f"backward() needs a gradient of shape {shape} and got one of {seed.shape}")
        return seed

    def _hand_back(self, origin: _Origin, gradient: Array, gradients: dict[int, Array]) -> None:
        """Pass the gradient of this tensor on to what it was computed from, and let go of that."""
        operation, inputs, options = origin
        arrays = [tensor.data for tensor in inputs]
        for position, tensor in enumerate(inputs):
            if not tensor.requires_grad:
                continue
            part = operation.vjps[position](gradient, self.data, *arrays, **options)
            if tensor._origin is None:
                _accumulate(tensor, part, shared=part is gradient or part.base is not None)
            else:
                key = id(tensor)
                gradients[key] = gradients[key] + part if key in gradients else part
        self._origin = _RELEASED


def apply(name: str, *inputs: AnyNode, **options: Any) -> AnyNode:
    """Compute the operation `name` of the table and, unless inside `no_grad`, remember how.

    Raises ShapeError for inputs that do not fit together.
    """
    operation = OPERATIONS[name]
    try:
        data = operation.forward(*[tensor.data for tensor in inputs], **options)
    except (ValueError, IndexError) as error:
        shapes = ", ".join(str(tensor.data.shape) for tensor in inputs)
        raise ShapeError(f"{name} of shapes {shapes}: {error}", mend="look at the shapes of what goes in") from error
    result = _new(type(inputs[0]))
    result.data = data if isinstance(data, np.ndarray) else np.asarray(data)
    result.grad = result._origin = None
    result.requires_grad = False
    if _recording.enabled:
        for tensor in inputs:
            if tensor.requires_grad:
                result.requires_grad = True
                result._origin = (operation, inputs, options)
                break
    return result


def _in_reverse(root: Node) -> list[Node]:
    """Every computed tensor behind `root`, itself included, each before those that it was computed from."""
    order: list[Node] = []
    seen: set[int] = set()
    waiting = [(root, False)]
    while waiting:
        tensor, is_finished = waiting.pop()
        if is_finished:
            order.append(tensor)
        elif tensor._origin is not None and id(tensor) not in seen:
            if tensor._origin is _RELEASED:
                raise UsageError(
                    "backward() went through this graph before and released it", mend="compute the loss again"
                )
            seen.add(id(tensor))
            waiting.append((tensor, True))
            waiting.extend((parent, False) for parent in tensor._origin[1] if parent.requires_grad)
    return order[::-1]


def _accumulate(leaf: Node, gradient: Array, shared: bool) -> None:
    """Add to `leaf.grad`. Each leaf owns its array, so what others may look into (`shared`) is copied."""
    if leaf.grad is None:
        leaf.grad = gradient.copy() if shared else gradient
    else:
        leaf.grad += gradient
