"""`tito olympics schema`: the JSON Schema of what the tools write."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from tito.options import Force, Json, Output
from tito.terminal import screen
from tito.workspace.documents import Destination


class Published(StrEnum):
    """A document that has a schema."""

    SUBMISSION = "submission"
    RUN = "run"
    VALIDATION = "validation"
    RANKING = "ranking"
    GRADES = "grades"
    VERIFICATION = "verification"


def schema(
    document: Annotated[
        Published,
        typer.Argument(help="submission.json, a run, a record of verify, or what another command prints with --json."),
    ] = Published.SUBMISSION,
    output: Output = None,
    force: Force = False,
    json_: Json = False,
) -> None:
    """Print a JSON Schema (draft 2020-12), by default that of submission.json; it is JSON with and without --json."""
    Destination(output, "schema", force).write(screen.as_json(schema_of(document)))


def schema_of(document: Published) -> dict[str, Any]:
    """The schema of one document."""
    from pydantic import BaseModel

    from tinytorch.competition.checks.verified import Verification
    from tinytorch.competition.formats.document import Document
    from tinytorch.competition.formats.grades import GradesDocument
    from tinytorch.competition.formats.leaderboard import RankingsDocument
    from tinytorch.competition.record.document import json_schema
    from tinytorch.competition.record.run import RunFile
    from tinytorch.competition.record.submission import Submission

    models: dict[Published, type[BaseModel]] = {
        Published.SUBMISSION: Submission,
        Published.RUN: RunFile,
        Published.VALIDATION: Document,
        Published.RANKING: RankingsDocument,
        Published.GRADES: GradesDocument,
        Published.VERIFICATION: Verification,
    }
    return json_schema(models[document])
