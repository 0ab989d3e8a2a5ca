"""Layers: parts of a model that hold weights or change behaviour between training and inference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self

import numpy as np

from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.arguments import Rng, checked, generator_of, whole
from tinytorch.core.compact import CompactWeight
from tinytorch.core.kinds import layer_kinds
from tinytorch.core.model import (
    Layer,
    find_layers,
    inference,
    parameter_count,
    replace_layers,
    set_training_mode,
)
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor, apply
from tinytorch.errors import ShapeError, UsageError

__all__ = [
    "GELU",
    "Dropout",
    "Layer",
    "Linear",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "find_layers",
    "inference",
    "layer_kinds",
    "parameter_count",
    "replace_layers",
    "set_training_mode",
]


class Linear(Layer):
    """`inputs @ weight + bias`.

    inputs (..., in_features) -> (..., out_features); weight (in_features, out_features), the transpose of PyTorch's,
    drawn from a normal distribution of variance 2 / in_features (He et al. 2015, for ReLU networks); bias
    (out_features,), zero, or None. Without `rng` the draw differs from run to run. Raises UsageError for sizes that are
    no integers from 1 on.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, rng: Rng = None) -> None:
        in_features = whole("Linear needs in_features", in_features, 1)
        out_features = whole("Linear needs out_features", out_features, 1)
        draw = generator_of(rng).standard_normal((in_features, out_features), dtype=np.float32)
        draw *= np.float32(np.sqrt(2 / in_features))
        self.weight = Tensor(draw, requires_grad=True)
        self.bias = Tensor(np.zeros(out_features, np.float32), requires_grad=True) if bias else None

    @classmethod
    def from_arrays(cls, weight: Array, bias: Array | None = None) -> Self:
        """A layer over given weights (in_features, out_features) and bias (out_features,), not copied.

        Raises ShapeError when they do not fit together.
        """
        if weight.ndim != 2 or (bias is not None and bias.shape != weight.shape[1:]):
            shapes = f"{weight.shape} and {None if bias is None else bias.shape}"
            mend = "give weight.T: PyTorch keeps weights as (out, in)"
            raise ShapeError(f"Linear needs a weight (in, out) and a bias (out,), got {shapes}", mend=mend)
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
        weight, bias = self.weight, self.bias
        try:
            if type(weight) is not Tensor and isinstance(weight, CompactWeight):  # the first is quicker, of 3 us a call
                outputs = weight.multiply(inputs)
                return outputs if bias is None else outputs + bias
            return apply("matmul", inputs, weight) if bias is None else apply("linear", inputs, weight, bias)
        except ShapeError as error:
            raise ShapeError(f"{self!r} needs inputs (..., {self.in_features}), got {inputs.shape}") from error

    def __repr__(self) -> str:
        return f"Linear({self.in_features}, {self.out_features}{', bias=False' if self.bias is None else ''})"


class Affine(Layer):
    """Base of normalizations: the gain `gamma` and the shift `beta` are called `weight` and `bias`, too."""

    gamma: Tensor
    beta: Tensor

    @property
    def weight(self) -> Tensor:
        """`gamma`."""
        return self.gamma

    @weight.setter
    def weight(self, gain: Tensor) -> None:
        self.gamma = gain

    @property
    def bias(self) -> Tensor:
        """`beta`."""
        return self.beta

    @bias.setter
    def bias(self, shift: Tensor) -> None:
        self.beta = shift


class Dropout(Layer):
    """In training, zeroes each element with probability `p` and divides the rest by 1 - p; else hands inputs on.

    Raises UsageError unless 0 <= p <= 1.
    """

    def __init__(self, p: float = 0.5, rng: Rng = None) -> None:
        self.p = checked("Dropout needs a probability p", p, from_=0, to=1)
        self._rng = generator_of(rng)

    def forward(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Any shape, kept; `training` says for this call what else the layer's mode says."""
        is_training = self.training if training is None else training
        if not is_training or not self.p:
            return inputs
        is_kept = self._rng.random(inputs.shape, dtype=np.float32) >= self.p
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        return inputs * Tensor(is_kept * scale, dtype=inputs.dtype if inputs.dtype.kind == "f" else np.float32)

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
