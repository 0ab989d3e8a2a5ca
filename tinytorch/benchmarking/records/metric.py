"""What every metric has: a mean in its unit, and whether and how it is derived again."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Self

from tinytorch import units
from tinytorch.benchmarking.records.record import Record


class Metric(Record):
    """A quantity: its `mean` in its `unit`, and where it was measured the raw samples that everything follows from."""

    if TYPE_CHECKING:  # fields of most metrics, derived in `Latency`

        @property
        def unit(self) -> str: ...
        @property
        def mean(self) -> float: ...

    @classmethod
    def given(cls, value: float) -> Self:
        """A number given by hand, in `unit`: nothing but that number is known."""
        return cls.model_validate({"mean": value})

    @property
    @abstractmethod
    def has_raw_samples(self) -> bool:
        """Whether every figure can be derived again."""

    @abstractmethod
    def recomputed(self) -> Self:
        """The record derived again from its raw samples; from a bare number nothing but that number follows."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({units.three_digits(self.mean)} {self.unit})"

    def __str__(self) -> str:
        return repr(self)


class Estimated(Metric):
    """A metric with its spread and the 95 % interval of its mean, None where they are not known."""

    if TYPE_CHECKING:

        @property
        def std(self) -> float | None: ...
        @property
        def ci_lower(self) -> float | None: ...
        @property
        def ci_upper(self) -> float | None: ...

    def __repr__(self) -> str:
        if self.ci_lower is None or self.ci_upper is None:
            return super().__repr__()
        interval = f"[{units.three_digits(self.ci_lower)}, {units.three_digits(self.ci_upper)}]"
        return f"{type(self).__name__}({units.three_digits(self.mean)} {self.unit} {interval})"
