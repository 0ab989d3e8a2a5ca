"""Models that run as a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.core.graph import wrapped
from tinytorch.core.model import Layer
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import Completion
from tinytorch.perf.acceleration.backends import Backend, runner
from tinytorch.perf.acceleration.decoder import Decoder
from tinytorch.perf.acceleration.fusion import fuse
from tinytorch.perf.acceleration.layout import lay_out
from tinytorch.perf.acceleration.plan import make_plan
from tinytorch.perf.acceleration.simplify import simplified
from tinytorch.perf.acceleration.trace import trace

Run = Callable[[Array], Array]


class CompiledModel(Layer):
    """`model`, for inference, as a planned sequence of array calls over memory that is there before.

    Inputs of another shape than before are planned for once, and the memory of the shape before is given back. It is
    not thread-safe: calls share that memory. Outputs are nobody's but the caller's. Files carry no plan; a loaded model
    makes its own.
    """

    kind = "Sequential"  # a container: what counts is in it

    def __init__(self, model: Any, example: Array, backend: Backend) -> None:
        self._start(model, backend, example)

    def __call__(self, inputs: Tensor | Array, *others: Any, **options: Any) -> Any:
        """`forward`."""
        array = inputs.data if isinstance(inputs, Tensor) else np.asarray(inputs)
        if array.shape != self._shape:
            self._plan_for(array)
        return wrapped(Tensor, self._run(array))

    def forward(self, inputs: Tensor) -> Tensor:
        """What `model` computes, without gradients."""
        outputs: Tensor = self(inputs)
        return outputs

    def _start(self, model: Any, backend: Backend, example: Array) -> None:
        lay_out(model)
        self.model, self.backend, self.training = model, backend, False
        self._plan_for(example)

    def _plan_for(self, example: Array) -> None:
        self._run = planned(self.model, np.array(example), self.backend)
        self._shape, self._dtype = example.shape, example.dtype

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model, "backend": self.backend, "shape": self._shape, "dtype": self._dtype.str}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._start(state["model"], state["backend"], np.zeros(state["shape"], state["dtype"]))


def planned(model: Any, example: Array, backend: Backend) -> Run:
    """The function that runs `model` on arrays of the example's shape."""
    if isinstance(model, Completion):
        decoder = Decoder(model.gpt, backend)
        return lambda prompts: decoder.complete(prompts[:, : model.prompt_length], model.new_tokens)
    plan = make_plan(simplified(trace(model, example)))
    compute, inputs, output = runner(plan.instructions, backend), plan.inputs, plan.output

    def run(array: Array) -> Array:
        inputs[...] = array
        compute()
        return output.copy()

    return run


def compile_model(model: Any, example: Any, backend: Backend = "numpy") -> CompiledModel:
    """`model`, of any class, as a plan for inputs like `example` (N, ...), which may be of any N afterwards.

    Outputs are the model's within 1e-5. Raises UsageError for models that compute outside of tensors, or depend on the
    values of their inputs otherwise than by operations.
    """
    return CompiledModel(fuse(model), np.asarray(example), backend)
