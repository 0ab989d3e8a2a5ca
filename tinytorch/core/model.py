"""What every layer and model is, and what can be asked of a model."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, Self

import numpy as np

from tinytorch.core import state
from tinytorch.core.compact import CompactWeight
from tinytorch.core.graph import leaves
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError

Call = Callable[[Any], Any]  # a model as a function of one batch of inputs
Backend = Literal["numpy", "numba"]  # what runs a layer: calls of numpy, or kernels that numba compiles


class Layer:
    """Base of all layers and models: write `forward`, and keep tensors and layers as attributes.

    Weights and inner layers are found in attributes, also inside lists, tuples and dicts. `kind` names what a layer is
    to the rules of a competition; it is the class name unless a class says that it stands in for another kind.
    """

    kind: ClassVar[str] = "Layer"
    backend: Backend = "numpy"
    training: bool = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" not in vars(cls):
            cls.kind = cls.__name__

    def __call__(self, inputs: Any, *others: Any, **options: Any) -> Any:
        """`forward`; an array as the first argument becomes a tensor, and what else there is stays as it is."""
        is_array = type(inputs) is not Tensor and isinstance(inputs, np.ndarray)  # the first saves 0.1 us
        first = Tensor(inputs) if is_array else inputs
        try:
            if others or options:
                return self.forward(first, *others, **options)
            return self.forward(first)  # without * and ** a small network takes 5 % less time
        except AttributeError as error:
            if error.obj is not inputs or isinstance(inputs, Tensor):
                raise
            name = type(self).__qualname__
            reason = f"{name} needs a tensor, and got a {type(inputs).__qualname__}"
            raise UsageError(reason, mend="write Tensor(...) around it") from error

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """The layer's output for a batch of inputs."""
        raise NotImplementedError(f"{type(self).__qualname__} has no forward()")

    def children(self) -> Iterator[Layer]:
        """Layers that this one holds directly, in the order of its attributes."""
        return (item for item in _items(vars(self)) if isinstance(item, Layer))

    def walk(self) -> Iterator[Layer]:
        """This layer, then every layer inside it, depth first; one that is used twice comes twice.

        A layer that holds one which it is inside of, its parent, does not lead back there.
        """
        return self._walk(())

    def _walk(self, above: tuple[Layer, ...]) -> Iterator[Layer]:
        yield self
        for child in self.children():
            if child is not self and all(child is not layer for layer in above):
                yield from child._walk((*above, self))

    def parameters(self) -> list[Tensor]:
        """Every parameter, each once: those of this layer, and what each layer inside says are its own.

        A parameter was made with requires_grad=True, or told so later; it stays one when it is frozen. What a layer
        remembers of a pass is none, and neither is the result of an operation on a tensor that nobody holds: then a
        RuntimeWarning says so.
        """
        held = {id(tensor): tensor for layer in self.walk() for tensor in self._parameters_of(layer)}
        found = [tensor for tensor in held.values() if tensor.is_parameter]
        for tensor in held.values():
            if tensor.requires_grad and not tensor.is_parameter:
                _warn_of_lost(tensor, found)
        return found

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Every parameter with its name, "layers.0.weight" for example, as `state_dict` calls it."""
        own = {id(parameter) for parameter in self.parameters()}
        return ((name, item) for name, item in state.held(self) if id(item) in own)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def _parameters_of(self, layer: Layer) -> list[Tensor]:
        if layer is self or type(layer).parameters is Layer.parameters:
            return [item for item in _items(vars(layer)) if isinstance(item, Tensor)]
        return layer.parameters()

    def own_weights(self) -> list[Any]:
        """Arrays and compact weights of this layer alone: their `size` counts its logical weights, trainable or not."""
        items = (item for item in _items(vars(self)) if isinstance(item, (Tensor, CompactWeight)))
        return [item.data if isinstance(item, Tensor) else item for item in items]

    def weights(self) -> list[Any]:
        """Logical weights of this layer and all inside it, each array once."""
        found = (array for layer in self.walk() for array in layer.own_weights())
        return list({id(array): array for array in found}.values())

    def train(self, mode: bool = True) -> Self:
        """Switch this layer and all inside it to training."""
        set_training_mode(self, mode)
        return self

    def eval(self) -> Self:
        """Switch this layer and all inside it to inference."""
        return self.train(False)

    def state_dict(self) -> dict[str, Array]:
        """Copies of all weights and other arrays of numbers, by name: running statistics, codes."""
        return state.state_dict(self)

    def load_state_dict(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave. Raises UsageError or ShapeError when it is that of another model."""
        state.load_state_dict(self, arrays)

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}()"


def _warn_of_lost(result: Tensor, parameters: list[Tensor]) -> None:
    """Say where a layer holds the result of an operation on a parameter that it does not hold: 0.1 * Tensor(...)."""
    known = {id(parameter) for parameter in parameters}
    if any(leaf.is_parameter and id(leaf) not in known for leaf in leaves(result)):
        reason = (
            f"a layer holds the result of an operation, of shape {result.shape}, in the place of a parameter: it is "
            "not trained. Compute with arrays first: Tensor(0.1 * array, requires_grad=True)"
        )
        warnings.warn(reason, RuntimeWarning, stacklevel=3)


def as_call(model: object) -> Call:
    """The model as a function of one input. UsageError for something that has neither `__call__` nor `forward`."""
    if callable(model):
        return model
    forward = getattr(model, "forward", None)
    if not callable(forward):
        raise UsageError(
            f"{type(model).__qualname__!r} is not a model: it has neither `__call__` nor `forward`",
            mend="give an object that can be called with one batch of inputs",
        )
    checked: Call = forward
    return checked


def parameters_of(model: object) -> list[Tensor]:
    """Every parameter in a model of any class, frozen or not, in the order of its attributes."""
    return [tensor for tensor in tensors_of(model) if tensor.is_parameter]


def tensors_of(model: object) -> list[Tensor]:
    """Every tensor in a model of any class, each once, in the order of its attributes."""
    return [item for _, item in state.held(model) if isinstance(item, Tensor)]


def trainable_tensors(model: object) -> list[Tensor]:
    """Every tensor in a model of any class that gradients are computed for, each once."""
    return [tensor for tensor in tensors_of(model) if tensor.requires_grad]


class Planned(Layer):
    """A model that runs as one plan: it tells what that does, which its layers' operations would not."""

    def plan_work(self, inputs: Any) -> tuple[int, int, int]:
        """Operations, bytes of weights that are read, and all bytes that are moved, at least."""
        raise NotImplementedError(f"{type(self).__qualname__} has no plan_work()")


def backend_of(model: object) -> Backend | None:
    """What runs a model: numba where any layer of it is compiled; None of a model that is none of our layers."""
    found = {layer.backend for layer in find_layers(model)}
    return "numba" if "numba" in found else "numpy" if found else None


def find_layers(model: object) -> list[Layer]:
    """Every layer that a model holds, each once: in attributes of objects of any class, and in containers."""
    return [item for _, item in state.held(model) if isinstance(item, Layer)]


def replace_layers(model: Any, match: Callable[[Layer], bool], make: Callable[[Any], Layer]) -> Any:
    """A deep copy of `model` in which `make(layer)` stands in place of every layer that matches.

    It is replaced wherever it is held, in objects of any class, which keep their own `forward`; a layer that is used
    twice is made once, and used twice.
    """
    made: dict[int, Any] = {id(layer): make(layer) for layer in find_layers(model) if match(layer)}
    return copy.deepcopy(model, made)  # to `deepcopy` these are copied already


def set_training_mode(model: object, training: bool) -> None:
    """Switch everything in a model of any class that has a mode, an attribute `training`, to training or inference."""
    for item in _with_mode(model):
        item.training = training


@contextmanager
def inference(model: object) -> Iterator[None]:
    """Switches everything in the model that has a mode to inference, and back to what it was."""
    before = [(item, item.training) for item in _with_mode(model)]
    for item, _ in before:
        item.training = False
    try:
        yield
    finally:
        for item, training in before:
            item.training = training


@contextmanager
def replaced(layer: Layer, name: str, method: Any) -> Iterator[None]:
    """For a while a layer has a method of its own."""
    own = vars(layer).get(name)
    setattr(layer, name, method)
    try:
        yield
    finally:
        if own is None:
            delattr(layer, name)
        else:
            setattr(layer, name, own)


def _with_mode(model: object) -> list[Any]:
    """Objects with a truth value called `training`, layers or not; a property of that name is left alone."""
    items = (item for _, item in state.held(model) if hasattr(item, "__dict__"))
    return [item for item in items if isinstance(inspect.getattr_static(item, "training", None), bool)]


def parameter_count(model: Layer) -> int:
    """Number of logical weights, in whatever type they are stored; shared ones count once."""
    return sum(array.size for array in model.weights())


def _items(container: Any) -> Iterator[Any]:
    """What a container of containers holds, in order."""
    for item in container.values() if isinstance(container, dict) else container:
        if isinstance(item, (dict, list, tuple)):
            yield from _items(item)
        else:
            yield item
