"""The submission: what is declared, what was measured, everything that follows from both, and a digest of it all."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field

from tinytorch.benchmarking.comparison import Statistics
from tinytorch.benchmarking.records.metrics import Metrics
from tinytorch.benchmarking.records.record import Record, Sha256
from tinytorch.competition.record.declaration import Declaration
from tinytorch.competition.record.document import SchemaVersion, Tool
from tinytorch.competition.record.run import Measurement
from tinytorch.competition.rules.events import ConstraintResult
from tinytorch.files import sha256

MOST_CONSTRAINTS = 32


class Trust(StrEnum):
    """How far the numbers can be believed; higher levels need a re-run."""

    T0 = "T0"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"

    @property
    def word(self) -> str:
        """The level in a word."""
        return {"T0": "claimed", "T1": "consistent", "T2": "repeats here", "T3": "refereed"}[self.value]

    @property
    def is_rerun(self) -> bool:
        """Whether somebody else measured it again, which no file says of itself."""
        return self >= Trust.T2


def _of_itself(trust: Trust) -> Trust:
    if trust.is_rerun:
        raise ValueError(f"{trust} is given by a re-run, and no file has it by itself")
    return trust


class Scores(Record):
    """How far the optimized model moved from the baseline; None where a metric it needs is missing."""

    speedup: float | None = None
    compression_ratio: float | None = None
    accuracy_delta: float | None = None
    accuracy_factor: float | None = None
    all_around: float | None = None
    extreme_push: float | None = None


class Derived(Record):
    """What follows from the declaration and the measurement, by the rules."""

    scores: Scores
    statistics: Statistics
    constraints: Annotated[list[ConstraintResult], Field(max_length=MOST_CONSTRAINTS)]
    trust: Annotated[Trust, Field(strict=False), AfterValidator(_of_itself)]


class Submission(Record):
    """A submission as it stands in `submission.json`; everything under `derived` follows from the rest."""

    document: Literal["submission"]
    schema_version: SchemaVersion
    tool: Tool
    declaration: Declaration
    run: Measurement
    derived: Derived
    digest: Sha256

    def sealed(self) -> Self:
        """The same submission with the digest that belongs to it."""
        return self.model_copy(update={"digest": content_digest(self.model_dump(mode="json"))})


def content_digest(document: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON (sorted keys, no spaces) of everything in a document but its digest."""
    content = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False)
    return sha256(text.encode())


def trust_of(baseline: Metrics, optimized: Metrics) -> Trust:
    """T1 when every metric of both models has its raw samples, else T0: claimed."""
    raw = [record.has_raw_samples for metrics in (baseline, optimized) for record in metrics.measured().values()]
    return Trust.T1 if raw and all(raw) else Trust.T0
