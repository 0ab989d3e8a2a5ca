"""What is known about one submission after every check: small, so that hundreds can wait for each other."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain
from typing import Any

from pydantic import ConfigDict

from tinytorch.competition.checks.findings import Finding, is_valid, report
from tinytorch.competition.record.submission import Submission

FEWEST_TELLING_SAMPLES, FEWEST_TELLING_VALUES = 8, 4  # a placement with less could be another's by chance
FINGERPRINT_BYTES = 8


@dataclass(frozen=True)
class Entry:
    """Who entered for what, with which scores; `fingerprints` are digests of the placements' latency samples."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="hex", val_json_bytes="hex")  # where it stands in a record

    athlete_name: str
    event: str
    division: str
    task: str | None
    trust: str
    scores: dict[str, float | None]
    fingerprints: tuple[bytes, ...] = field(repr=False)
    machine: bytes = b""  # a digest of what is known of it; empty when nothing is
    started_s: float = 0.0  # of the run, since 1970
    ended_s: float = 0.0

    @classmethod
    def of(cls, submission: Submission) -> Entry:
        """The entry of a submission that could be read."""
        return cls(
            athlete_name=submission.athlete_name,
            event=submission.event.value,
            division=submission.division,
            task=submission.task.name if submission.task else None,
            trust=submission.trust.value,
            scores=submission.normalized_scores.model_dump(),
            fingerprints=tuple(_fingerprints(submission)),
            **_when_and_where(submission),
        )


@dataclass(frozen=True)
class Report:
    """Everything found about one submission; `source` is the file's name as it was given."""

    source: str
    findings: tuple[Finding, ...]
    entry: Entry | None = None  # None when reading did not come that far

    @property
    def file(self) -> str:
        """The file's name as Unicode that can be written; bytes of a name that are none come as escapes."""
        return self.source.encode("utf-8", "backslashreplace").decode()

    @property
    def valid(self) -> bool:
        """Whether something was checked and no error was found."""
        return is_valid(self.findings)

    @property
    def trust(self) -> str | None:
        """How far a valid submission's numbers can be believed."""
        return self.entry.trust if self.entry and self.valid else None

    def strict(self) -> Report:
        """The same with every warning an error."""
        findings = (replace(each, severity="error") if each.severity == "warning" else each for each in self.findings)
        return replace(self, findings=tuple(findings))

    def as_dict(self) -> dict[str, Any]:
        """As `validate_submission` gives it, under the name of its file."""
        return {"file": self.file, "trust": self.trust, **report(self.findings)}


def _when_and_where(submission: Submission) -> dict[str, Any]:
    """The run's machine and its span of time, where the submission says both."""
    protocol, machine = submission.protocol, submission.system_info
    if protocol is None or machine is None:
        return {}
    digest = blake2b(machine.model_dump_json().encode(), digest_size=FINGERPRINT_BYTES).digest()
    return {
        "machine": digest, "started_s": protocol.started_at.timestamp(), "ended_s": protocol.ended_at.timestamp()
    }  # fmt: skip


def _fingerprints(submission: Submission) -> Iterator[bytes]:
    for model in (submission.baseline, submission.optimized):
        latency = model.metrics.latency
        for blocks in (latency.samples_ns if latency else None) or []:
            samples = list(chain.from_iterable(blocks))
            if len(samples) >= FEWEST_TELLING_SAMPLES and _is_telling(samples):
                yield blake2b(array("Q", samples).tobytes(), digest_size=FINGERPRINT_BYTES).digest()


def _is_telling(samples: list[int]) -> bool:
    """Whether there are enough different values; nearly always the first few are."""
    few = samples[:FEWEST_TELLING_SAMPLES]
    return len(set(few)) >= FEWEST_TELLING_VALUES or len(set(samples)) >= FEWEST_TELLING_VALUES
