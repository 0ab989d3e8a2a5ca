"""What an athlete declares: who enters, for which event, with what, and under which rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from tinytorch.benchmarking.records.record import Moment, Record, Sha256, Text
from tinytorch.competition.names import DIVISIONS, MOST_TECHNIQUES, Division, Track, parse_event, parse_track
from tinytorch.competition.record.people import Athlete, checked_text
from tinytorch.competition.record.run import FileRecord
from tinytorch.competition.rules.events import EventName, Rules
from tinytorch.errors import UsageError
from tinytorch.showing import nearest

TECHNIQUE_LIMIT = 100
REPOSITORY_LIMIT = 200
MOST_BUNDLED = 1_100
_REPOSITORY = re.compile(r"https?://[^\s/]+\.[^\s/]+(/\S*)?")

Technique = Annotated[str, StringConstraints(pattern=r"\S", max_length=TECHNIQUE_LIMIT)]


class RulesId(Record):
    """Which rules a submission was made under."""

    version: Text
    sha256: Sha256

    @classmethod
    def of(cls, rules: Rules) -> RulesId:
        """Those of these rules."""
        return cls(version=rules.version, sha256=rules.sha256)


class Provenance(Record):
    """The repository that a submission was packaged in: its commit, and whether anything was not committed."""

    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")]
    is_dirty: bool


class Declaration(Record):
    """Who enters what for which event, made when and under which rules; of a bundle also what `files` come along.

    The `track` is the athlete's word for who wrote the entry.
    """

    event: EventName
    division: Division
    athlete: Athlete
    repository: Annotated[str, StringConstraints(max_length=REPOSITORY_LIMIT)] | None
    techniques: Annotated[list[Technique], Field(max_length=MOST_TECHNIQUES)]
    created_at: Moment
    rules: RulesId
    provenance: Provenance | None = None
    files: Annotated[list[FileRecord], Field(max_length=MOST_BUNDLED)] | None = None
    track: Track | None = None


def make_declaration(
    *, event: str, division: str, athlete: Athlete, github_repo: str | None, techniques: Sequence[str],
    created_at: datetime, rules: Rules, provenance: Provenance | None = None, files: list[FileRecord] | None = None,
    track: str | None = None,
) -> Declaration:  # fmt: skip
    """The declaration, every text checked; UsageError says which one is wrong."""
    if division not in DIVISIONS:
        raise UsageError(f"unknown division {division!r}", mend=nearest(str(division), DIVISIONS))
    if isinstance(techniques, str) or len(techniques) > MOST_TECHNIQUES:
        raise UsageError(f"techniques must be a list of at most {MOST_TECHNIQUES} names")
    if created_at.tzinfo is None:
        raise UsageError("created_at has no time zone", mend="use datetime.now(timezone.utc)")
    return Declaration(
        event=parse_event(event, rules.events),
        division="closed" if division == "closed" else "open",
        athlete=athlete,
        repository=None if github_repo is None else _checked_repository(github_repo),
        techniques=[checked_text("technique", technique, TECHNIQUE_LIMIT) for technique in techniques],
        created_at=created_at,
        rules=RulesId.of(rules),
        provenance=provenance,
        files=files,
        track=parse_track(track),
    )


def is_repository(address: str) -> bool:
    """Whether `address` is a web address (http or https)."""
    return _REPOSITORY.fullmatch(address) is not None


def _checked_repository(address: str) -> str:
    text = checked_text("github_repo", address, REPOSITORY_LIMIT)
    if not is_repository(text):
        raise UsageError("github_repo is not a web address", mend="write it as https://github.com/NAME/REPOSITORY")
    return text
