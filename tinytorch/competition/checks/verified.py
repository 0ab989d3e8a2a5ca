"""The record of a verification: who was judged, in what box, what was claimed, what came out, and what was found."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from tinytorch.benchmarking.records.record import Count, Moment, PositiveFloat, Record, Sha256, Text
from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.record.declaration import Declaration
from tinytorch.competition.record.document import Tool, this_tool
from tinytorch.competition.record.kept import parse_kept
from tinytorch.competition.record.refereed import Refereed
from tinytorch.competition.record.run import Run
from tinytorch.competition.scoring.agreement import Agreement
from tinytorch.files import sha256

Outcome = Literal["ok", "failed", "DNF", "VOID", "inconclusive"]
Level = Literal["T2", "T3"]
Version = Literal["1.0", "1.1"]  # 1.1 adds what a referee found
VERSION: Version = "1.1"
LARGEST_BYTES = 16 * 2**20
MOST_FINDINGS, MOST_PROBES, MOST_FILES = 200, 100, 1_100
MOST_PRIVATE = 100
ID_DIGITS = 16

VerificationId = Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{ID_DIGITS}}}$")]


class ProbeRecord(Record):
    """One forbidden act that was tried in the box: whether it succeeded, and what came of it."""

    name: Text
    is_open: bool
    words: Text


class How(Record):
    """How a verification is made: all that a result depends on besides the entry and the machine.

    `level` is the highest that is asked for, `private` the digests of the referee's own data.
    """

    level: Level = "T2"
    private: Annotated[list[Sha256], Field(max_length=MOST_PRIVATE)] = Field(default_factory=list)
    isolation: Literal["A", "B", "C"]
    tier: Text
    build_limit_s: PositiveFloat
    memory_limit_bytes: Count
    rules_sha256: Sha256


class Verification(Record):
    """One entry, built and measured again, or why not.

    `level` is None where none is given. `outcome` is `DNF` where the entry is at fault, `VOID` where this machine is;
    an `inconclusive` one was measured on a busy machine. `files` are the entry's, by their digests. A submission that
    could not be read has no digest. `run` has the raw samples; None where nothing came to be measured. `refereed` is
    what T3 asks beyond, and `no_t3` says why that level was asked for, and is not given.
    """

    document: Literal["verification"] = "verification"
    schema_version: Version = VERSION
    tool: Tool = Field(default_factory=this_tool)
    id: VerificationId
    source: Text
    submission_sha256: Sha256 | None
    files: Annotated[dict[Text, Sha256], Field(max_length=MOST_FILES)]
    declaration: Declaration | None
    task: Text | None
    how: How
    level: Level | None
    outcome: Outcome
    reason: str
    probes: Annotated[list[ProbeRecord], Field(max_length=MOST_PROBES)]
    agreements: list[Agreement]
    findings: Annotated[list[Finding], Field(max_length=MOST_FINDINGS)]
    verified_at: Moment
    took_s: Annotated[float, Field(ge=0)]
    run: Run | None
    refereed: Refereed | None = None
    no_t3: str = ""

    @model_validator(mode="after")
    def _has_what_its_level_needs(self) -> Self:
        if self.level and (self.outcome != "ok" or self.declaration is None or self.run is None):
            raise ValueError("it has a level without what was measured")
        if self.level == "T3" and (self.how.level != "T3" or self.refereed is None or self.refereed.outside is None):
            raise ValueError("it has level T3 without what a referee found")
        return self

    @property
    def is_finished(self) -> bool:
        """Whether another call need not do it again: what this machine was to blame for is."""
        return self.outcome != "VOID"

    def text(self) -> str:
        """The file that holds it."""
        return json.dumps(self.model_dump(mode="json"), indent=1) + "\n"


def verification_id(submission: str, files: dict[str, str], task: str | None, how: How) -> str:
    """The same for the same work: the submission's and the entry's contents, the task, the rules and the settings."""
    told: dict[str, Any] = {"submission": submission, "files": files, "task": task, "how": _told(how)}
    return sha256(json.dumps(told, sort_keys=True).encode())[:ID_DIGITS]


def _told(how: How) -> dict[str, Any]:
    """Without what is not there, so that a new setting gives old work no other name."""
    return {name: value for name, value in how.model_dump().items() if value != []}


def parse_verification(name: str, content: bytes) -> Verification:
    """The verification in a file's content; UsageError that names the first thing wrong with it."""
    return parse_kept(Verification, "a verification", name, content, "remove it, and verify again")
