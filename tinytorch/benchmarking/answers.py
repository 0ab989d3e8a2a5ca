"""What a worker may answer: bounded, finite and of the plan's lengths, because foreign code can write it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tinytorch.benchmarking import yardstick
from tinytorch.benchmarking.measure import THROUGHPUT_PASSES, Samples
from tinytorch.benchmarking.placements import Inspection
from tinytorch.benchmarking.records.samples import MOST_DIGITS
from tinytorch.benchmarking.schedule import Schedule
from tinytorch.errors import ModelError
from tinytorch.processes.parcel import Parcel, fill
from tinytorch.units import format_size

LARGEST_ARRAY_BYTES = 2**30
MOST_AXES = 8


@dataclass(frozen=True)
class ArrayForm:
    """The form of an array whose bytes lie in a parcel, row by row; only what is plain can be said in it."""

    shape: Annotated[tuple[Annotated[int, Field(ge=0, le=2**40)], ...], Field(max_length=MOST_AXES)]
    dtype: Annotated[str, Field(pattern=r"^[<>|=][biufc][0-9]{1,2}$")]

    @classmethod
    def write(cls, parcel: int, array: NDArray[Any]) -> ArrayForm:
        """Write the bytes to a parcel's descriptor, and say in what form."""
        fill(parcel, array.tobytes())
        return cls(array.shape, array.dtype.str)

    def read(self, parcel: Parcel) -> NDArray[Any]:
        """The array. ModelError for one that is larger than the parcel; TypeError or ValueError for no such array."""
        dtype = np.dtype(self.dtype)
        size_bytes = math.prod(self.shape) * dtype.itemsize
        if size_bytes > parcel.most_bytes:
            room = format_size(parcel.most_bytes)
            message = f"the model's outputs take {format_size(size_bytes)}, at most {room} fit"
            raise ModelError(message, mend="return one row of outputs for each sample")
        return np.frombuffer(parcel.read(size_bytes), dtype).reshape(self.shape)


def are_times(times: Sequence[int]) -> bool:
    """Whether all could have been measured: above nothing, and below what a record can hold."""
    return all(0 < time_ns < 10**MOST_DIGITS for time_ns in times)


def are_passes(times: Sequence[int]) -> bool:
    """Whether a model was timed over the full batch, no more often than is asked for."""
    return 0 < len(times) <= THROUGHPUT_PASSES and are_times(times)


def is_inspection_of(models: int, seen: Inspection) -> bool:
    """Whether it says something of each model, and of a copy of each."""
    return len(seen.kept_bytes) == len(seen.weights_sha256) == models and all(seen.weights_sha256)


def are_samples_of(plan: Schedule, samples: Samples) -> bool:
    """Whether one visit has what it was asked for: [model][copy][block][sample], and last a block of the yardstick."""
    models, beside = samples[: plan.models], samples[plan.models :]
    shape = (plan.models, plan.copies, plan.block.block_pairs, plan.block.timed)
    return _is_of(shape, models) and _is_of((1, plan.copies, 1, yardstick.TIMED), beside)


def _is_of(shape: Sequence[int], times: Any) -> bool:
    """Whether nested lists have these lengths, and times in them."""
    level: list[Any] = [times]
    for length in shape:
        if any(len(part) != length for part in level):
            return False
        level = [each for part in level for each in part]
    return are_times(level)
