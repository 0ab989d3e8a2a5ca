"""Tracing: running a model once and writing down every operation that it computes, in order.

All operations go through one table (`core.ops`), so that models of any class are seen, with `forward`s of their own.
What is computed outside of it, with numpy or by looking at values, is taken for constant: the plan that is made of a
trace is held against the model on other inputs before anybody gets it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinytorch.core.embeddings import Embedding
from tinytorch.core.model import Layer, as_call, inference, replaced
from tinytorch.core.ops import Array, Operation, watched
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.weights import all_weighted_layers
from tinytorch.errors import UsageError

LAYER = "layer"  # the name of a step that calls a whole layer


@dataclass(eq=False)
class Value:
    """An array that depends on the inputs, as one run saw it: of this shape, type and order of axes in memory."""

    example: Array = field(repr=False)


@dataclass(eq=False)
class TracedCall:
    """One operation: its name in the table, values or constant arrays that go in, options, and what comes out.

    A step called LAYER has a `layer` instead, which is called with one value.
    """

    name: str
    inputs: tuple[Value | Array, ...]
    output: Value
    options: dict[str, Any] = field(default_factory=dict)
    layer: Any = None


@dataclass
class Trace:
    """What a model did with `inputs`: `steps`, the last of which need not be the one that made `output`."""

    inputs: Value
    steps: list[TracedCall]
    output: Value


Methods = Callable[["Recorder"], Mapping[Layer, Callable[..., Any]]]


def trace(model: Any, example: Array, methods: Methods = lambda _: {}) -> Trace:
    """Run `model` on `example` (N, ...) in inference, and see how it comes to its one output.

    Layers run the `methods` that they are given in place of their `forward`, and may add steps of their own.
    Raises UsageError when that is no tensor, or does not depend on the inputs.
    """
    inputs = Tensor(example)
    recorder = Recorder(inputs.data)
    with inference(model), no_grad(), watched(recorder.watch), ExitStack() as stack:
        for layer, method in [*recorder.single_steps(model), *methods(recorder).items()]:
            stack.enter_context(replaced(layer, "forward", method))
        output = as_call(model)(inputs)
    found = recorder.values.get(id(output.data)) if isinstance(output, Tensor) else None
    if found is None:
        is_tensor = isinstance(output, Tensor)
        shown = "one that does not come from them" if is_tensor else f"a {type(output).__qualname__}"
        raise UsageError(
            f"compile_model needs a model that makes one tensor of its inputs by operations on tensors, not {shown}",
            mend="compute with tensors, not with their arrays, and return the last one",
        )
    return Trace(recorder.inputs, recorder.steps, found)


class Recorder:
    """Writes down what happens to the inputs, and to what comes of them."""

    def __init__(self, example: Array) -> None:
        self.inputs = Value(example)
        self.values = {id(example): self.inputs}  # of arrays that live as long as their values
        self.steps: list[TracedCall] = []
        self._is_inside = False  # a layer that is one step

    def watch(self, name: str, row: Operation) -> Operation:
        """The row of an operation that is written down."""

        def forward(*arrays: Array, **options: Any) -> Array:
            output = np.asarray(row.forward(*arrays, **options))
            if not self._is_inside:
                self.add(name, arrays, output, options)
            return output

        return Operation(forward, row.vjps)

    def single_steps(self, model: Any) -> list[tuple[Layer, Callable[..., Any]]]:
        """Layers that are one step each, those with compact weights and embeddings, with the methods that say so."""
        layers = {id(layer): layer for _, layer, _ in all_weighted_layers(model)}.values()
        whole = [layer for layer in layers if isinstance(layer, Embedding) or not isinstance(layer.weight, Tensor)]
        return [(layer, self._as_one_step(layer)) for layer in whole]

    def _as_one_step(self, layer: Layer) -> Callable[..., Any]:
        """A layer's `forward`, which writes down that it was called, and none of the operations in it."""
        forward = layer.forward

        def recorded(*given: Any, **named: Any) -> Any:
            before, self._is_inside = self._is_inside, True
            try:
                output = forward(*given, **named)
            finally:
                self._is_inside = before
            if not before:
                (_, inputs), *options = inspect.signature(forward).bind(*given, **named).arguments.items()
                self.add(LAYER, (inputs.data,), output.data, dict(options), layer)
            return output

        return recorded

    def add(
        self, name: str, arrays: tuple[Array, ...], output: Array, options: dict[str, Any], layer: Any = None
    ) -> None:
        """A step that made an output of arrays; none of what does not come from the inputs."""
        inputs = tuple(self.values.get(id(array), array) for array in arrays)
        if any(isinstance(each, Value) for each in inputs):
            value = self.values[id(output)] = Value(output)
            self.steps.append(TracedCall(name, inputs, value, options, layer))
