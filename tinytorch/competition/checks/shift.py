"""One machine's shift in verifying a class: what it was given and did, and how a known pair did there meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from tinytorch.benchmarking.comparison import Comparison
from tinytorch.benchmarking.records.record import Moment, Positive, Record, Sha256, Text
from tinytorch.competition.checks.verified import How, VerificationId
from tinytorch.competition.record.document import Tool, this_tool
from tinytorch.competition.record.kept import parse_kept
from tinytorch.errors import UsageError

LARGEST_BYTES = 64 * 2**20
DIGITS = 9
FEWEST_UNITS, LARGEST_LOG = 2, 50.0
MOST_WORKS, MOST_CANARIES, MOST_SHARDS = 1_000_000, 10_000, 10_000


@dataclass(frozen=True)
class Part:
    """The shard `number` of `count`; the number 0 is that of the last."""

    number: int
    count: int

    @classmethod
    def parsed(cls, text: str) -> Part:
        """`3/10`, counted from 0 or from 1: the last is the shard 0. UsageError for anything else."""
        first, slash, second = text.partition("/")
        if not (slash and first.isdecimal() and second.isdecimal() and first.isascii() and second.isascii()):
            raise UsageError(f"--shard {text}: two numbers are wanted", mend="--shard 3/10: the third of ten")
        number, count = int(first[-DIGITS:]), int(second[-DIGITS:])
        if max(len(first), len(second)) > DIGITS or not 1 <= count <= MOST_SHARDS or number > count:
            mend = f"the first number is at most the second, which is from 1 to {MOST_SHARDS:,}"
            raise UsageError(f"--shard {text}: there is no such shard", mend=mend)
        return cls(number % count, count)

    @property
    def words(self) -> str:
        """Counted from 1."""
        return f"{self.number or self.count}/{self.count}"

    def of(self, ids: Sequence[str]) -> list[str]:
        """Every `count`-th of all pieces of work, by their ids: no machine needs to know what the others do."""
        return sorted(set(ids))[self.number :: self.count]


PartWords = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}/[0-9]{1,5}$")]


class Canary(Record):
    """What a pair of models that is known showed on this machine at some time."""

    measured_at: Moment
    speedup: Comparison

    @model_validator(mode="after")
    def _has_units(self) -> Self:
        logs = self.speedup.log_ratios or []
        if len(logs) < FEWEST_UNITS or any(abs(each) > LARGEST_LOG for each in logs):
            raise ValueError("it has no log ratios of a speedup")
        return self


class Machine(Record):
    """What tells one class of machines from another."""

    cpu_model: Text | None
    logical_cores: Positive | None
    memory_bytes: Positive

    @property
    def kind(self) -> tuple[str, int, int]:
        """Equal for machines of one make: memory in whole GiB, because firmware takes a little of it."""
        return self.cpu_model or "?", self.logical_cores or 0, round(self.memory_bytes / 2**30)


class Shift(Record):
    """What one machine did of a class.

    `host` tells machines apart without naming them. `works` are the ids of all pieces of the class, of which it was
    given `part` (None: whatever it was handed). `records` are those that it did, with the digests of their files.
    `canaries` are of its beginnings and its end, in the order of time.
    """

    document: Literal["shift"] = "shift"
    schema_version: Literal["1.0"] = "1.0"
    tool: Tool = Field(default_factory=this_tool)
    id: VerificationId
    host: Sha256
    machine: Machine
    code_sha256: Sha256
    how: How
    part: PartWords | None
    works: Annotated[list[VerificationId], Field(max_length=MOST_WORKS)]
    records: Annotated[dict[VerificationId, Sha256], Field(max_length=MOST_WORKS)] = Field(default_factory=dict)
    canaries: Annotated[list[Canary], Field(max_length=MOST_CANARIES)] = Field(default_factory=list)

    @field_validator("part")
    @classmethod
    def _is_a_shard(cls, value: str | None) -> str | None:
        return None if value is None else Part.parsed(value).words

    def text(self) -> str:
        """The file that holds it."""
        return json.dumps(self.model_dump(mode="json"), indent=1) + "\n"


def parse_shift(name: str, content: bytes) -> Shift:
    """The shift in a file's content; UsageError that names the first thing wrong with it."""
    return parse_kept(Shift, "the record of a shift", name, content, "remove it, and verify that shard again")
