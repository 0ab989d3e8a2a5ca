"""What an inference does at least, and what the machine can do at best: how near a model is to its machine's limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from tinytorch.benchmarking.records.record import Record, Size

SensibleRate = Annotated[float, Field(ge=1, le=1e18)]
COUNTED_SAMPLES = 32  # zeros, and so what need not be read, are others in each


class Work(Record):
    """What one inference of a sample does at least: floating-point operations, and bytes that it reads and writes.

    `weight_bytes` are those of weights, each time that they are read. The process that has the model counts, of all
    that goes through the framework and through plans. It explains a time; a class's rules may limit it and rank by it
    where every layer is the framework's.
    """

    flops: Size
    weight_bytes: Size
    moved_bytes: Size

    def reads(self, kept_bytes: int) -> int:
        """So much a cache has to hold for the weights of a model that keeps so much: what is read, but each once."""
        return min(self.weight_bytes, kept_bytes)

    @classmethod
    def mean(cls, counted: Sequence[tuple[int, int, int] | None]) -> Self | None:
        """Of what was counted of several samples; None where one of them could not be, or nothing was seen."""
        known = [each for each in counted if each is not None]
        if not known or len(known) < len(counted):
            return None
        means = [sum(each) // len(known) for each in zip(*known, strict=True)]
        return cls(**dict(zip(cls.model_fields, means, strict=True))) if any(means) else None


class Limits(Record):
    """What one thread of a machine can do at its best: operations and bytes a second.

    Bytes come from the nearest cache, and from memory: the nearest cache that holds as much as is asked for.
    """

    memory_bandwidth_bytes_per_s: SensibleRate
    near_bandwidth_bytes_per_s: SensibleRate
    flops_per_s: SensibleRate

    @classmethod
    def best(cls, seen: Sequence[Limits]) -> Self:
        """The best of what was seen, each for itself."""
        return cls(**{name: max(getattr(each, name) for each in seen) for name in cls.model_fields})
