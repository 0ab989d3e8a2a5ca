"""What a referee found of an entry that was timed from outside and asked what nobody had seen (T3)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from tinytorch.benchmarking.records.outside import OutsideTimes
from tinytorch.benchmarking.records.record import (
    Count,
    NotNegative,
    Positive,
    PositiveFloat,
    Record,
    Sha256,
    SomeNames,
)

MOST_REDRAWS = 10


class Right(Record):
    """Of so many answers so many were right. The `tokens` of one answer are right or wrong together, more or less."""

    correct: Count
    total: Positive
    tokens: Positive = 1

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        if self.correct > self.total:
            raise ValueError("more answers are right than there are")
        return self

    @property
    def independent(self) -> tuple[int, int]:
        """Right ones and all, as far as chance goes: whole answers, however many tokens they have."""
        return self.correct // self.tokens, max(1, self.total // self.tokens)

    @property
    def share(self) -> float:
        """As a fraction."""
        return self.correct / self.total


class Both(Record):
    """How both models answered the same inputs."""

    baseline: Right
    optimized: Right

    @property
    def drop(self) -> float:
        """By how much less the optimized model knows than the baseline."""
        return self.baseline.share - self.optimized.share


class Redraw(Record):
    """A baseline that was trained again from a seed that nobody knew, and what `optimize` made of it.

    `fault` says why nothing came of it; empty where something did. `speedup` is by the clock outside.
    """

    seed: Count
    baseline: Right
    optimized: Right | None = None
    speedup: PositiveFloat | None = None
    fault: str = ""


class Refereed(Record):
    """Everything that T3 asks beyond T2; None where it could not be asked.

    `untimed` answers are to new inputs of the kind that is timed. `private_sha256` is the file of the private data; of
    a task whose prompts are drawn there is none. `idle_share` is of a processor's time while nobody asked anything,
    `left_behind` what had been started or written by then, and `grown_bytes` by how much the process had grown.
    """

    outside: OutsideTimes | None = None
    untimed: Right | None = None
    private: Both | None = None
    private_sha256: Sha256 | None = None
    distorted: Both | None = None
    redraws: Annotated[list[Redraw], Field(max_length=MOST_REDRAWS)] = Field(default_factory=list)
    idle_share: NotNegative | None = None
    left_behind: SomeNames = Field(default_factory=list)
    grown_bytes: Count | None = None
