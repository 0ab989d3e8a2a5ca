"""What tells whether two files come from one measuring: digests of their times, the machine, and when it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, StringConstraints

from tinytorch.benchmarking.records.record import STRICTLY
from tinytorch.competition.record.people import Athlete
from tinytorch.competition.record.run import Measurement
from tinytorch.competition.record.submission import Submission

FEWEST_TELLING_SAMPLES, FEWEST_TELLING_VALUES = 8, 4  # a placement with less could be another's by chance
FINGERPRINT_BYTES = 8
Fingerprint = Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{2 * FINGERPRINT_BYTES}}}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Whose a measuring was, when it was handed in, and what it left; hexadecimal digests.

    Without a machine or times nothing is known.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICTLY

    athlete: Athlete
    submitted_s: float  # since 1970, as the file says
    fingerprints: list[Fingerprint]  # of the latency samples of each placement
    machine: str = ""
    started_s: float = 0.0  # of the run, since 1970
    ended_s: float = 0.0

    @classmethod
    def of(cls, submission: Submission) -> Self:
        """Those of a submission."""
        run = submission.run
        return cls(
            athlete=submission.declaration.athlete, submitted_s=submission.declaration.created_at.timestamp(),
            fingerprints=list(_fingerprints(run)), **_when_and_where(run),
        )  # fmt: skip


def _when_and_where(run: Measurement) -> dict[str, Any]:
    """The run's machine and its span of time, where both are known."""
    protocol, machine = run.protocol, run.system_info
    if protocol is None or machine is None:
        return {}
    digest = blake2b(machine.model_dump_json().encode(), digest_size=FINGERPRINT_BYTES).hexdigest()
    return {
        "machine": digest, "started_s": protocol.started_at.timestamp(), "ended_s": protocol.ended_at.timestamp()
    }  # fmt: skip


def _fingerprints(run: Measurement) -> Iterator[str]:
    for model in (run.baseline, run.optimized):
        latency = model.metrics.latency
        for placement in () if latency is None or latency.times_ns is None else latency.times_ns:
            if placement.size >= FEWEST_TELLING_SAMPLES and _is_telling(placement.ravel()):
                yield blake2b(placement.tobytes(), digest_size=FINGERPRINT_BYTES).hexdigest()


def _is_telling(samples: NDArray[np.int64]) -> bool:
    """Whether there are enough different values; nearly always the first few are."""
    few = {*samples[:FEWEST_TELLING_SAMPLES].tolist()}
    return len(few) >= FEWEST_TELLING_VALUES or np.unique(samples).size >= FEWEST_TELLING_VALUES
