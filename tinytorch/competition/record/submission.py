"""The submission: one record of who entered what, both models' measurements, and everything that follows from them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints

from tinytorch.benchmarking import records
from tinytorch.benchmarking.comparison import Statistics
from tinytorch.benchmarking.records import Metrics, ModelRecord, Record, Sha256, SystemInfo, Text
from tinytorch.competition.names import DIVISIONS, MOST_TECHNIQUES, Division, OlympicEvent, parse_event
from tinytorch.competition.record.run import Run, SourceRecord, TaskRecord
from tinytorch.competition.rules.events import ConstraintResult, Rules, check_constraints, load_rules
from tinytorch.competition.scoring.scores import (
    MeasuredResults,
    Results,
    Scores,
    compared,
    compute_scores,
    metric_values,
    paired_models,
)
from tinytorch.errors import UsageError
from tinytorch.files import sha256
from tinytorch.text import is_blank, is_safe, nearest, safe_text

SchemaVersion = Literal["2.2"]  # what each version added: tinytorch/competition/record/migrations.py
SCHEMA_VERSION: SchemaVersion = "2.2"
ATHLETE_LIMIT = TECHNIQUE_LIMIT = 100
REPOSITORY_LIMIT = 200
MOST_CONSTRAINTS = 32
JSON_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REPOSITORY = re.compile(r"https?://[^\s/]+\.[^\s/]+(/\S*)?")

Athlete = Annotated[str, StringConstraints(pattern=r"\S", max_length=ATHLETE_LIMIT)]
Technique = Annotated[str, StringConstraints(pattern=r"\S", max_length=TECHNIQUE_LIMIT)]


class Trust(StrEnum):
    """How far the numbers can be believed; higher levels need a re-run."""

    T0 = "T0"
    T1 = "T1"

    @property
    def word(self) -> str:
        """The level in a word."""
        return {"T0": "claimed", "T1": "consistent"}[self.value]


class Provenance(Record):
    """The repository that a submission was packaged in: its commit, and whether anything was not committed."""

    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")]
    is_dirty: bool


class RulesId(Record):
    """Which rules a submission was made under."""

    version: Text
    sha256: Sha256


class Submission(Record):
    """A submission as it stands in `submission.json`; every derived number follows from `baseline` and `optimized`."""

    schema_version: SchemaVersion
    rules: RulesId
    event: OlympicEvent
    division: Division
    task: TaskRecord | None
    athlete_name: Athlete
    github_repo: Annotated[str, StringConstraints(max_length=REPOSITORY_LIMIT)] | None
    techniques: Annotated[list[Technique], Field(max_length=MOST_TECHNIQUES)]
    created_at: AwareDatetime
    system_info: SystemInfo | None
    protocol: records.Protocol | None
    source: SourceRecord | None
    provenance: Provenance | None = None
    baseline: ModelRecord
    optimized: ModelRecord
    normalized_scores: Scores
    statistics: Statistics
    constraints: Annotated[list[ConstraintResult], Field(max_length=MOST_CONSTRAINTS)]
    trust: Trust
    digest: Sha256

    def sealed(self) -> Self:
        """The same submission with the digest that belongs to it."""
        return self.model_copy(update={"digest": self.expected_digest()})

    def expected_digest(self) -> str:
        """The digest that belongs to this content."""
        return content_digest(self.model_dump(mode="json"))


def content_digest(document: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON (sorted keys, no spaces) of everything in a document but its digest."""
    content = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False)
    return sha256(text.encode())


class Declaration(Record):
    """What an athlete declares: who enters, for which event, and with what."""

    event: OlympicEvent
    division: Division
    athlete_name: str
    github_repo: str | None
    techniques: list[str]


class Evidence(Record):
    """What was measured, and where."""

    baseline: ModelRecord
    optimized: ModelRecord
    task: TaskRecord | None = None
    source: SourceRecord | None = None
    provenance: Provenance | None = None
    system_info: SystemInfo | None = None
    protocol: records.Protocol | None = None


def generate_submission(
    *,
    baseline_results: Results,
    optimized_results: Results,
    event: OlympicEvent | str,
    athlete_name: str,
    github_repo: str | None = None,
    techniques: Sequence[str] = (),
    division: str = "closed",
    task: TaskRecord | None = None,
    created_at: datetime | None = None,
    rules: Rules | None = None,
) -> dict[str, Any]:
    """A submission, as a plain dict, from two models' results or from numbers given by hand (ms, MB, fraction)."""
    declaration = make_declaration(event, division, athlete_name, github_repo, techniques)
    baseline, optimized = paired_models(baseline_results, optimized_results)
    measured = optimized_results if isinstance(optimized_results, MeasuredResults) else None
    evidence = Evidence(
        baseline=baseline,
        optimized=optimized,
        task=task,
        system_info=measured.system_info if measured else None,
        protocol=measured.protocol if measured else None,
    )
    return assemble(declaration, evidence, created_at or datetime.now(UTC), rules or load_rules())


def submission_from_run(
    run: Run,
    *,
    event: OlympicEvent | str,
    athlete_name: str,
    github_repo: str | None = None,
    techniques: Sequence[str] | None = None,
    division: str | None = None,
    created_at: datetime | None = None,
    rules: Rules | None = None,
    provenance: Provenance | None = None,
) -> dict[str, Any]:
    """A submission, as a plain dict, of a recorded run; techniques and division are the run's unless given."""
    declared = run.techniques if techniques is None else techniques
    declaration = make_declaration(event, division or run.division, athlete_name, github_repo, declared)
    evidence = Evidence(
        baseline=run.baseline, optimized=run.optimized, task=run.task, source=run.source,
        provenance=provenance,
        system_info=run.system_info, protocol=run.protocol,
    )  # fmt: skip
    return assemble(declaration, evidence, created_at or datetime.now(UTC), rules or load_rules())


def assemble(declaration: Declaration, evidence: Evidence, created_at: datetime, rules: Rules) -> dict[str, Any]:
    """Derive everything that follows from the evidence by the rules, and seal it."""
    baseline, optimized = evidence.baseline.metrics, evidence.optimized.metrics
    trust = trust_of(baseline, optimized)
    known = evidence if trust is Trust.T1 else evidence.model_copy(update={"system_info": None, "protocol": None})
    submission = Submission(
        schema_version=SCHEMA_VERSION,
        rules=RulesId(version=rules.version, sha256=rules.sha256),
        **_fields(declaration),
        **_fields(known),
        created_at=_checked_time(created_at),
        normalized_scores=compute_scores(baseline, optimized, rules),
        statistics=compared(baseline, optimized, rules),
        constraints=check_constraints(declaration.event, metric_values(optimized), rules),
        trust=trust,
        digest="0" * 64,
    )
    document: dict[str, Any] = submission.sealed().model_dump(mode="json")
    return document


def trust_of(baseline: Metrics, optimized: Metrics) -> Trust:
    """T1 when every metric of both models has its raw samples, else T0: claimed."""
    raw = [record.has_raw_samples for metrics in (baseline, optimized) for record in metrics.measured().values()]
    return Trust.T1 if raw and all(raw) else Trust.T0


def is_repository(address: str) -> bool:
    """Whether `address` is a web address (http or https)."""
    return _REPOSITORY.fullmatch(address) is not None


def make_declaration(
    event: OlympicEvent | str, division: str, athlete_name: str, github_repo: str | None, techniques: Sequence[str]
) -> Declaration:
    """The declaration, every text checked; UsageError says which one is wrong."""
    if division not in DIVISIONS:
        raise UsageError(f"unknown division {division!r}", mend=nearest(str(division), DIVISIONS))
    if isinstance(techniques, str) or len(techniques) > MOST_TECHNIQUES:
        raise UsageError(f"techniques must be a list of at most {MOST_TECHNIQUES} names")
    return Declaration(
        event=parse_event(event),
        division="closed" if division == "closed" else "open",
        athlete_name=_checked_text("athlete_name", athlete_name, ATHLETE_LIMIT),
        github_repo=None if github_repo is None else _checked_repository(github_repo),
        techniques=[_checked_text("technique", technique, TECHNIQUE_LIMIT) for technique in techniques],
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `submission.json`."""
    return {"$schema": JSON_SCHEMA_DIALECT, **Submission.model_json_schema()}


def _fields(record: Record) -> dict[str, Any]:
    """The fields of a record, themselves still records."""
    return {name: getattr(record, name) for name in type(record).model_fields}


def _checked_text(field: str, text: str, limit: int) -> str:
    if not isinstance(text, str) or is_blank(text):
        raise UsageError(f"{field} must be a text that is not empty", mend="write something that can be seen")
    if len(text) > limit:
        raise UsageError(f"{field} has {len(text)} characters; at most {limit} are allowed", mend="shorten it")
    if not is_safe(text):
        mend = "type it with printable characters, in a terminal that speaks UTF-8"
        raise UsageError(f"{field} has characters that cannot be shown: {safe_text(text, 60)}", mend=mend)
    return text


def _checked_repository(address: str) -> str:
    text = _checked_text("github_repo", address, REPOSITORY_LIMIT)
    if not is_repository(text):
        raise UsageError("github_repo is not a web address", mend="write it as https://github.com/NAME/REPOSITORY")
    return text


def _checked_time(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise UsageError("created_at has no time zone", mend="use datetime.now(timezone.utc)")
    return moment
