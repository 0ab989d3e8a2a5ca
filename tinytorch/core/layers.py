"""Layers: parts of a model that hold weights or change behaviour between training and inference."""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np

from tinytorch.core import state
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor, apply
from tinytorch.errors import ShapeError, UsageError


class Layer:
    """Base of all layers and models: write `forward`, and keep tensors and layers as attributes.

    Weights and inner layers are found in attributes, also inside lists, tuples and dicts. `kind` names what a layer is
    to the rules of a competition; it is the class name unless a class says that it stands in for another kind.
    """

    kind: ClassVar[str] = "Layer"
    training: bool = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" not in vars(cls):
            cls.kind = cls.__name__

    def __call__(self, inputs: Tensor | Array, *others: Any, **options: Any) -> Any:
        """`forward`; an array as the first argument becomes a tensor."""
        return self.forward(inputs if isinstance(inputs, Tensor) else Tensor(inputs), *others, **options)

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
        """Every trainable tensor, each once."""
        found = (item for layer in self.walk() for item in _items(vars(layer)) if isinstance(item, Tensor))
        return list({id(tensor): tensor for tensor in found if tensor.requires_grad}.values())

    def own_weights(self) -> list[Array]:
        """Arrays of this layer alone, whose elements are its logical weights, trainable or not."""
        return [item.data for item in _items(vars(self)) if isinstance(item, Tensor)]

    def weights(self) -> list[Array]:
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
        """Copies of all weights and running statistics, by name."""
        return state.state_dict(self)

    def load_state_dict(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave. Raises UsageError or ShapeError when it is that of another model."""
        state.load_state_dict(self, arrays)

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}()"


class Linear(Layer):
    """`inputs @ weight + bias`.

    inputs (..., in_features) -> (..., out_features); weight (in_features, out_features), drawn from a normal
    distribution of variance 2 / in_features (He et al. 2015, for ReLU networks); bias (out_features,), zero, or None.
    Without `rng` the draw differs from run to run. Raises UsageError for sizes below 1.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, rng: np.random.Generator | None = None
    ) -> None:
        if min(in_features, out_features) < 1:
            raise UsageError(f"Linear needs sizes of at least 1, got {in_features} and {out_features}")
        draw = (rng or np.random.default_rng()).standard_normal((in_features, out_features), dtype=np.float32)
        draw *= np.float32(np.sqrt(2 / in_features))
        self.weight = Tensor(draw, requires_grad=True)
        self.bias = Tensor(np.zeros(out_features, np.float32), requires_grad=True) if bias else None

    @classmethod
    def from_arrays(cls, weight: Array, bias: Array | None = None) -> Self:
        """A layer over given weights (in_features, out_features) and bias (out_features,), not copied."""
        layer = cls.__new__(cls)
        layer.weight = Tensor(weight, requires_grad=True)
        layer.bias = None if bias is None else Tensor(bias, requires_grad=True)
        return layer

    @property
    def in_features(self) -> int:
        """Size of the last axis of the inputs."""
        return self.weight.shape[0]

    @property
    def out_features(self) -> int:
        """Size of the last axis of the outputs."""
        return self.weight.shape[1]

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., in_features) -> (..., out_features); ShapeError for another last axis."""
        try:
            if self.bias is None:
                return apply("matmul", inputs, self.weight)
            return apply("linear", inputs, self.weight, self.bias)
        except ShapeError as error:
            raise ShapeError(f"{self!r} needs inputs (..., {self.in_features}), got {inputs.shape}") from error

    def __repr__(self) -> str:
        return f"Linear({self.in_features}, {self.out_features}{', bias=False' if self.bias is None else ''})"


class Dropout(Layer):
    """In training, zeroes each element with probability `p` and divides the rest by 1 - p; else hands inputs on.

    Raises UsageError unless 0 <= p < 1.
    """

    def __init__(self, p: float = 0.5, rng: np.random.Generator | None = None) -> None:
        if not 0 <= p < 1:
            raise UsageError(f"Dropout needs a probability 0 <= p < 1, got {p}")
        self.p = p
        self._rng = rng or np.random.default_rng()

    def forward(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Any shape, kept; `training` says for this call what else the layer's mode says."""
        is_training = self.training if training is None else training
        if not is_training or not self.p:
            return inputs
        is_kept = self._rng.random(inputs.shape, dtype=np.float32) >= self.p
        return inputs * Tensor(is_kept / (1 - self.p), dtype=inputs.dtype)

    def __repr__(self) -> str:
        return f"Dropout({self.p})"


class Sequential(Layer):
    """Layers one after the other: `Sequential(a, b)`, or any iterable of layers. UsageError for what is no layer."""

    def __init__(self, *layers: Layer | Iterable[Layer]) -> None:
        is_one = len(layers) == 1 and not isinstance(layers[0], Layer) and isinstance(layers[0], Iterable)
        self.layers: list[Layer] = list(layers[0] if is_one else layers)  # type: ignore[arg-type]
        for position, layer in enumerate(self.layers, start=1):
            if not isinstance(layer, Layer):
                is_class = isinstance(layer, type)
                shown = f"the class {layer.__qualname__}" if is_class else f"a {type(layer).__qualname__}"
                mend = f"write {layer.__name__}()" if is_class else "give it a class of its own, derived from Layer"
                raise UsageError(f"Sequential needs layers, and number {position} is {shown}", mend=mend)

    def forward(self, inputs: Tensor) -> Tensor:
        """The last layer's output."""
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, index: int) -> Layer:
        return self.layers[index]

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


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


def _with_mode(model: object) -> list[Any]:
    """Objects with a truth value called `training`, layers or not; a property of that name is left alone."""
    items = (item for _, item in state.held(model) if hasattr(item, "__dict__"))
    return [item for item in items if isinstance(inspect.getattr_static(item, "training", None), bool)]


def layer_kinds(model: Layer) -> list[str]:
    """Kinds of all layers in order; a plain Sequential itself is no kind, only what is in it.

    Only the framework's own classes may stand in for another kind: any other counts under its own name, and so does a
    layer that was given another `forward`.
    """
    kinds = (_kind(layer) for layer in model.walk())
    return [kind for kind in kinds if kind != Sequential.kind]


def is_where_it_says(kind: type) -> bool:
    """Whether a class is found under the module and name that it gives itself."""
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind


def _kind(layer: Layer) -> str:
    found = type(layer)
    if not found.__module__.startswith("tinytorch.") or not is_where_it_says(found):
        return f"{found.__name__} (own)" if found.__name__ == Sequential.kind else found.__name__
    return f"{found.kind} with its own forward" if {"forward", "__call__"} & vars(layer).keys() else found.kind


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
