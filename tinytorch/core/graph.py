"""The graph: what was computed from what, and gradients handed back along that way."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

import numpy as np

from tinytorch.core.arrays import broadcasts_to, in_one_type, unbroadcast
from tinytorch.core.ops import OPERATIONS, Array
from tinytorch.core.recording import RELEASED, Applied, recording
from tinytorch.errors import GraphError, RangeError, ShapeError, UsageError

AnyNode = TypeVar("AnyNode", bound="Node")


_new = object.__new__


class Node:
    """An array `data`, its gradient `grad`, and what it was computed from. `Tensor` adds what one computes with."""

    __slots__ = ("__weakref__", "_grad", "_is_to_train", "_origin", "_requires_grad", "data")

    data: Array
    _grad: Any  # an array, None, or a tuple around an array that others look into
    _is_to_train: bool  # frozen or not; not there in the result of an operation
    _origin: Any
    _requires_grad: bool

    @property
    def grad(self) -> Array | None:
        """The gradient, an array that nobody else holds; None before `backward`."""
        if type(self._grad) is tuple:
            self._grad = self._grad[0].copy()
        found: Array | None = self._grad
        return found

    @grad.setter
    def grad(self, gradient: Array | None) -> None:
        self._grad = gradient

    @property
    def requires_grad(self) -> bool:
        """Whether `backward` is to find the gradient. False freezes a parameter, which stays one."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, is_required: bool) -> None:
        self._requires_grad = bool(is_required)
        if is_required and self._origin is None:
            self._is_to_train = True

    @property
    def is_parameter(self) -> bool:
        """Whether this was made to be trained, frozen or not: by requires_grad=True, and not by an operation."""
        return self._origin is None and getattr(self, "_is_to_train", False)

    @property
    def _grad_fn(self) -> Any:
        """What this was computed by: a row of the table, an operation that a student wrote (`autograd`), or None."""
        return self._origin

    @_grad_fn.setter
    def _grad_fn(self, origin: Any) -> None:
        has_inputs = hasattr(origin, "inputs") or hasattr(origin, "saved_tensors")
        if origin is not None and not (has_inputs and (hasattr(origin, "apply") or hasattr(origin, "backward"))):
            raise UsageError(
                f"{type(origin).__name__} is no operation: it has no inputs, or no rule for their gradients",
                mend="derive it from tinytorch.core.autograd.Function",
            )
        self._origin = origin

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    def retain_grad(self) -> None:
        """Nothing to ask for: what is computed on the way to a loss keeps its gradient, too."""

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add d(self)/d(tensor) to `.grad` of every tensor behind this one that requires it, then release the graph.

        `gradient` has the shape of this tensor; it may be left out for a tensor of one element. With `retain_graph`
        the graph stays, for another call. Where there is no graph nothing happens, and a RuntimeWarning says so.
        Raises UsageError when a gradient is needed, ShapeError when it does not fit, GraphError when the graph was
        released before or arrays in it were changed in place.
        """
        if not self._requires_grad:
            reason = (
                "backward() changes nothing: this was computed from no tensor with requires_grad=True, or in no_grad()"
            )
            warnings.warn(reason, RuntimeWarning, stacklevel=2)
            return
        seed = self._seed(gradient)
        if self._origin is None:
            _accumulate(self, seed, shared=True)
            return
        gradients, waiting = {id(self): seed}, _in_order(self)
        for tensor in waiting:
            if type(tensor._origin) is Applied:
                tensor._origin.check()
        while waiting:  # what is done is let go of, unless somebody else holds it
            tensor = waiting.pop()
            handed = gradients.pop(id(tensor), None)
            if handed is not None:
                tensor._grad = (handed,) if tensor._grad is None else tensor.grad + handed
                _hand_back(tensor, handed, gradients)
            if not retain_graph:
                tensor._origin = RELEASED

    def _seed(self, gradient: Any) -> Array:
        shape = self.data.shape
        if gradient is None and self.data.size != 1:
            raise UsageError(f"backward() of a tensor of shape {shape} needs a gradient of that shape")
        dtype = _gradient_dtype(self)
        seed = np.ones(shape, dtype) if gradient is None else np.array(gradient, dtype)
        if seed.shape != shape:
            raise ShapeError(f"backward() needs a gradient of shape {shape} and got one of {seed.shape}")
        return seed


def wrapped(kind: type[AnyNode], array: Array) -> AnyNode:
    """A node of that kind around an array, without gradient and history."""
    node = _new(kind)
    node.data = array
    node._grad = node._origin = None
    node._requires_grad = False
    return node


def apply(name: str, *inputs: AnyNode, **options: Any) -> AnyNode:
    """Compute the operation `name` of the table and, unless inside `no_grad`, remember how.

    Integers beside floating numbers are computed in the type of those; float64 comes out only where it went in.
    Raises ShapeError for inputs that do not fit together, UsageError for what are no tensors, or of no use here.
    """
    try:
        arrays = [tensor.data for tensor in inputs]
        dtype = arrays[0].dtype
        for array in arrays:
            if array.dtype is not dtype:
                arrays = in_one_type(arrays)
                break
    except AttributeError as error:
        raise _no_tensor(name, inputs) from error
    try:
        data = OPERATIONS[name].forward(*arrays, **options)
    except (ValueError, IndexError, TypeError) as error:
        raise _refused(name, arrays, error) from error
    if data.dtype.char == "d" and all(array.dtype.char != "d" for array in arrays):
        data = data.astype(np.float32)
    result = wrapped(type(inputs[0]), data if isinstance(data, np.ndarray) else np.asarray(data))
    if recording.enabled:
        for tensor in inputs:
            if tensor._requires_grad:
                result._requires_grad = True
                result._origin = Applied(name, inputs, arrays, result.data, options)
                break
    return result


def _no_tensor(name: str, inputs: tuple[Any, ...]) -> UsageError:
    found = next(item for item in inputs if not isinstance(getattr(item, "data", None), np.ndarray))
    return UsageError(f"{name} needs tensors, and got a {type(found).__qualname__}", mend="write Tensor(...) around it")


def _refused(name: str, arrays: list[Array], error: Exception) -> UsageError:
    """What to tell of an operation that numpy would not do."""
    if isinstance(error, TypeError):
        types = ", ".join(str(array.dtype) for array in arrays)
        mend = "make floating tensors of what goes in: Tensor(data, dtype=np.float32)"
        return UsageError(f"{name} cannot compute with {types}: {error}", mend=mend)
    shapes = ", ".join(str(array.shape) for array in arrays)
    kind = RangeError if isinstance(error, IndexError) else ShapeError
    return kind(f"{name} of shapes {shapes}: {error}", mend="look at the shapes of what goes in")


def _in_order(root: Node) -> list[Node]:
    """Every computed tensor behind `root`, itself included, each after those that it was computed from."""
    order: list[Node] = []
    seen: set[int] = set()
    waiting = [(root, False)]
    while waiting:
        tensor, is_finished = waiting.pop()
        if is_finished:
            order.append(tensor)
        elif tensor._origin is not None and id(tensor) not in seen:
            if tensor._origin is RELEASED:
                raise GraphError(
                    "backward() went through this graph before and released it",
                    mend="compute the loss again, or call backward(retain_graph=True) first",
                )
            seen.add(id(tensor))
            waiting.append((tensor, True))
            waiting.extend((parent, False) for parent in _inputs(tensor._origin) if _is_wanted(parent))
    return order


def leaves(result: Node) -> list[Node]:
    """The tensors that require a gradient, and that `result` was computed from in the end, while its graph is there."""
    found: dict[int, Node] = {}
    waiting, seen = [result], set[int]()
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen or not _is_wanted(tensor):
            continue
        seen.add(id(tensor))
        if tensor._origin is None:
            found[id(tensor)] = tensor
        else:
            waiting.extend(_inputs(tensor._origin))
    return list(found.values())


def _is_wanted(parent: Any) -> bool:
    return isinstance(parent, Node) and parent._requires_grad


def _hand_back(result: Node, gradient: Array, gradients: dict[int, Array]) -> None:
    """Pass the gradient of `result` on to what it was computed from: into `.grad` of leaves, else `gradients`."""
    origin = result._origin
    is_row = type(origin) is Applied
    parts = origin.apply(gradient) if is_row else _parts(origin, gradient)
    for tensor, part in zip(_inputs(origin), parts, strict=True):
        if part is None or not _is_wanted(tensor):
            continue
        if type(part) is not np.ndarray or part.dtype is not tensor.data.dtype or part.shape != tensor.data.shape:
            part = _fitted(part, tensor, origin)
        if tensor._origin is None:
            _accumulate(tensor, part, shared=not is_row or part is gradient or part.base is not None)
        else:
            key = id(tensor)
            gradients[key] = gradients[key] + part if key in gradients else part


def _inputs(origin: Any) -> tuple[Any, ...]:
    """What an operation was given: `inputs`, or as older editions of the curriculum say, `saved_tensors`."""
    found: tuple[Any, ...] = origin.inputs if hasattr(origin, "inputs") else origin.saved_tensors
    return found


def _parts(origin: Any, gradient: Array) -> tuple[Any, ...]:
    """What a student's operation hands back to its inputs: by `apply`, as older editions say, or `backward`."""
    handed = origin.apply(gradient) if hasattr(origin, "apply") else origin.backward(gradient)
    parts = tuple(handed) if isinstance(handed, (tuple, list)) else (handed,)
    if len(parts) != len(_inputs(origin)):
        raise GraphError(
            f"{type(origin).__name__} has {len(_inputs(origin))} inputs, and handed back {len(parts)} gradients",
            mend="return one gradient for each input, in order, and None for an input that has none",
        )
    return parts


def _fitted(part: Any, tensor: Node, origin: object) -> Array:
    """A gradient in the type and shape of its tensor, summed up where that one was stretched."""
    array: Array = np.asarray(part, _gradient_dtype(tensor))
    shape = tensor.data.shape
    if not broadcasts_to(shape, array.shape):
        name = repr(origin) if isinstance(origin, Applied) else type(origin).__name__
        raise ShapeError(
            f"{name} gave a gradient of shape {array.shape} for a tensor of shape {shape}",
            mend="hand back gradients in the shapes of the inputs",
        )
    return unbroadcast(array, shape)


def _gradient_dtype(tensor: Node) -> np.dtype[Any]:
    """The type of a tensor's gradient: its own, float32 for integers that were told later to require one."""
    return tensor.data.dtype if tensor.data.dtype.kind == "f" else np.dtype(np.float32)


def _accumulate(leaf: Node, gradient: Array, shared: bool) -> None:
    """Add to `leaf.grad`. Each leaf owns its array, so what others may look into (`shared`) is copied."""
    if leaf._grad is None:
        leaf._grad = gradient.copy() if shared else gradient
    else:
        leaf.grad += gradient
