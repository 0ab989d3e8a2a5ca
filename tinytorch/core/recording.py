"""What is remembered of a computation, and whether anything is: each use of an operation, for its gradients."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinytorch.core.arrays import fingerprint
from tinytorch.core.ops import OPERATIONS, Array
from tinytorch.errors import GraphError


class Applied:
    """One use of a row of the table, with all that its gradients need."""

    __slots__ = ("_arrays", "_marks", "_name", "_options", "_output", "inputs")

    def __init__(
        self, name: str, inputs: tuple[Any, ...], arrays: list[Array], output: Array, options: dict[str, Any]
    ) -> None:
        self.inputs = inputs
        self._name, self._arrays, self._output, self._options = name, arrays, output, options
        given = [array for tensor, array in zip(inputs, arrays, strict=True) if not _is_output(array, tensor._origin)]
        self._marks = [(array, fingerprint(array)) for array in (output, *given)]  # the others are marked already

    def check(self) -> None:
        """Raise GraphError when an array that gradients are computed from was changed in place."""
        for array, mark in self._marks:
            if fingerprint(array) != mark:
                raise GraphError(
                    f"an array of shape {array.shape} that {self._name} took or gave was changed in place since",
                    mend="change arrays after backward(), or change a copy",
                )

    def apply(self, gradient: Array) -> Iterator[Array | None]:
        """The inputs' gradients, one by one."""
        vjps = OPERATIONS[self._name].vjps
        for position, tensor in enumerate(self.inputs):
            is_wanted = tensor._requires_grad
            yield vjps[position](gradient, self._output, *self._arrays, **self._options) if is_wanted else None

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The inputs."""
        return self.inputs

    def __repr__(self) -> str:
        return f"<{self._name}>"


def _is_output(array: Array, origin: Any) -> bool:
    return type(origin) is Applied and origin._output is array


RELEASED = Applied("released", (), [], np.empty(0), {})


class _Recording(threading.local):
    """Whether this thread keeps the graph that `backward` needs."""

    enabled = True


recording = _Recording()


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without remembering how: for inference and for changing weights. This thread only; may be nested."""
    before = recording.enabled
    recording.enabled = False
    try:
        yield
    finally:
        recording.enabled = before


def is_recording() -> bool:
    """Whether what is computed now is remembered."""
    return recording.enabled
