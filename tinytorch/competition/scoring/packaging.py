"""A declaration and a measurement made into a submission, with everything that follows from them by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tinytorch.competition.record.declaration import Declaration, Provenance, make_declaration
from tinytorch.competition.record.document import SCHEMA_VERSION, this_tool
from tinytorch.competition.record.people import athlete_of
from tinytorch.competition.record.run import FileRecord, Measurement, Run, TaskRecord
from tinytorch.competition.record.submission import Derived, Submission, Trust, content_digest, trust_of
from tinytorch.competition.rules.events import Rules, check_constraints, load_rules
from tinytorch.competition.scoring.scores import (
    MeasuredResults,
    Results,
    compared,
    compute_scores,
    limited_values,
    paired_models,
)

UNSEALED = "0" * 64


def generate_submission(
    *,
    baseline_results: Results,
    optimized_results: Results,
    event: str,
    athlete_name: str | Sequence[str],
    athlete_id: str | Sequence[str] | None = None,
    github_repo: str | None = None,
    techniques: Sequence[str] = (),
    division: str = "closed",
    task: TaskRecord | None = None,
    created_at: datetime | None = None,
    rules: Rules | None = None,
    track: str | None = None,
) -> dict[str, Any]:
    """A submission, as a plain dict, from two models' results or from numbers given by hand (ms, MB, fraction).

    Several names are those of a team; ids that a class gives are in the order of the names.
    """
    judged_by = rules or load_rules()
    declaration = make_declaration(
        event=event, division=division, athlete=athlete_of(athlete_name, athlete_id),
        github_repo=github_repo, techniques=techniques,
        created_at=created_at or datetime.now(UTC), rules=judged_by, track=track,
    )  # fmt: skip
    baseline, optimized = paired_models(baseline_results, optimized_results)
    measured = optimized_results if isinstance(optimized_results, MeasuredResults) else None
    measurement = Measurement(
        id=None,
        task=task,
        source=None,
        system_info=measured.system_info if measured else None,
        protocol=measured.protocol if measured else None,
        baseline=baseline,
        optimized=optimized,
    )
    return packaged(declaration, measurement, judged_by)


def submission_from_run(
    run: Run,
    *,
    event: str,
    athlete_name: str | Sequence[str],
    athlete_id: str | Sequence[str] | None = None,
    github_repo: str | None = None,
    techniques: Sequence[str] | None = None,
    division: str | None = None,
    created_at: datetime | None = None,
    rules: Rules | None = None,
    provenance: Provenance | None = None,
    files: list[FileRecord] | None = None,
    track: str | None = None,
) -> dict[str, Any]:
    """A submission, as a plain dict, of a recorded run; techniques and division are the run's unless given.

    `files` are what comes along in a bundle.
    """
    judged_by = rules or load_rules()
    said = run.source.techniques or []
    declaration = make_declaration(
        event=event, division=division or run.source.division or "open", athlete=athlete_of(athlete_name, athlete_id),
        github_repo=github_repo, techniques=said if techniques is None else techniques,
        created_at=created_at or datetime.now(UTC), rules=judged_by, provenance=provenance,
        files=files, track=track or run.source.track,
    )  # fmt: skip
    return packaged(declaration, run, judged_by)


def packaged(declaration: Declaration, measurement: Measurement, rules: Rules) -> dict[str, Any]:
    """Derive everything that follows by the rules, and seal it."""
    baseline, optimized = measurement.baseline.metrics, measurement.optimized.metrics
    trust = trust_of(baseline, optimized)
    if trust is Trust.T0:  # a machine and a protocol would say that all of it was measured
        measurement = measurement.model_copy(update={"system_info": None, "protocol": None})
    submission = Submission(
        document="submission",
        schema_version=SCHEMA_VERSION,
        tool=this_tool(),
        declaration=declaration,
        run=measurement,
        derived=Derived(
            scores=compute_scores(measurement, rules),
            statistics=compared(measurement, rules),
            constraints=check_constraints(declaration.event, limited_values(measurement.optimized), rules),
            trust=trust,
        ),
        digest=UNSEALED,
    )
    document: dict[str, Any] = submission.model_dump(mode="json")
    return {**document, "digest": content_digest(document)}
