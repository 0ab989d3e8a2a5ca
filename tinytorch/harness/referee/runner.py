"""The untrusted side of the clock outside: one model in a process of its own, which answers requests on a pipe.

Whatever it does to its clock, its imports or this file, it does to itself. Light to import: each box waits for it.
"""

from __future__ import annotations

import gc
import mmap
import os
import struct
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.core.layers import find_layers
from tinytorch.core.model import as_call
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.datasets.withheld import withhold_test_splits
from tinytorch.harness.referee.chain import follow_by
from tinytorch.harness.settling import KernelService

REQUEST = struct.Struct("<cxxxIIIQxxxxxxxx")  # what, inputs, of a pool of how many, the first one, the state
CHAINED, SERIES, NOTHING = b"C", b"S", b"N"
READY, DONE, FAILED = b"R", b"D", b"F"


class Runner:
    """The child's end."""

    def __init__(self) -> None:
        withhold_test_splits()

    def ready(self) -> None:
        """The process has all that is ours, compiled kernels, too, and nothing foreign yet."""
        if find_spec("numba"):
            KernelService().compile()

    def load(self, builder: str | None, arguments: dict[str, Any]) -> None:
        """The model; without a builder one that does nothing, which shows what the asking takes."""
        model = resolve_name(builder)(**arguments) if builder else None
        for layer in find_layers(model):
            layer.training = False
        self._call = as_call(model) if builder else None

    def serve(
        self, requests: int, replies: int, pool: tuple[int, list[int], str], answers: tuple[int, list[int], str],
        tokens: bool,
    ) -> None:  # fmt: skip
        """Answer requests until there are no more; `pool` and `answers` are memory, shape and type of arrays."""
        inputs, kept, follow = shared(*pool), shared(*answers), follow_by(tokens)
        nothing, one = Tensor(np.zeros((1, *kept.shape[1:]), kept.dtype)), Tensor(np.zeros_like(inputs[:1]))
        call, take, seen = self._call or (lambda one: nothing), np.copyto, one.data[0]

        def answer(number: int, at: int) -> Any:
            take(seen, inputs[at])
            out, row = call(one), kept[number]
            row[...] = (out.data if type(out) is Tensor else np.asarray(out))[0]  # here, whatever was put off
            return row

        gc.collect()
        gc.freeze()
        gc.disable()
        with no_grad():
            os.write(replies, READY)
            while len(request := os.read(requests, REQUEST.size)) == REQUEST.size:
                what, count, size, at, state = REQUEST.unpack(request)
                try:
                    if what == CHAINED:
                        for number in range(count):
                            state = follow(answer(number, at), state)
                            at = state % size
                    elif what == SERIES:
                        for number in range(count):
                            answer(number, number)
                except BaseException:  # which the worker tells
                    os.write(replies, FAILED)
                    raise
                os.write(replies, DONE)


def shared(descriptor: int, shape: list[int], dtype: str) -> NDArray[Any]:
    """An array in memory that two processes have."""
    size_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(descriptor, size_bytes), dtype).reshape(shape)


def as_bytes(arrays: NDArray[Any]) -> NDArray[np.uint8]:
    """The bytes of each of them (N, ...), in the same memory."""
    return arrays.reshape(len(arrays), -1).view(np.uint8)
