"""Activations: layers without weights."""

from __future__ import annotations

from tinytorch.core.model import Layer
from tinytorch.core.tensor import Tensor, apply


class ReLU(Layer):
    """max(x, 0), element by element."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Any shape, kept."""
        return apply("relu", inputs)


class Sigmoid(Layer):
    """1 / (1 + e^-x), element by element."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Any shape, kept."""
        return apply("sigmoid", inputs)


class Tanh(Layer):
    """Hyperbolic tangent, element by element."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Any shape, kept."""
        return apply("tanh", inputs)


class GELU(Layer):
    """x times the normal distribution function of x, in its tanh form (Hendrycks & Gimpel 2016, section 2)."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Any shape, kept."""
        return apply("gelu", inputs)


class Softmax(Layer):
    """e^x / sum(e^x) along the axis `dim`: positive, and adding up to 1."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, inputs: Tensor, dim: int | None = None) -> Tensor:
        """Any shape, kept; `dim` is for this call."""
        return apply("softmax", inputs, axis=self.dim if dim is None else dim)
