"""`tito olympics schema`: the JSON Schema of what the tools write."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from tinytorch.competition import submission
from tinytorch.competition.formats.document import Document
from tinytorch.competition.run import Run
from tito import screen


class Published(StrEnum):
    """A document that has a schema."""

    SUBMISSION = "submission"
    RUN = "run"
    VALIDATION = "validation"


def schema(
    document: Annotated[
        Published, typer.Argument(help="submission.json, a recorded run, or what validate --json prints.")
    ] = Published.SUBMISSION,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Where to write it (default: stdout).")] = None,
) -> None:
    """Print a JSON Schema (draft 2020-12), by default that of submission.json."""
    screen.put_json(json_schema(document), output)


def json_schema(document: Published) -> dict[str, Any]:
    """The schema of one document."""
    if document is Published.SUBMISSION:
        return submission.json_schema()
    model = Run if document is Published.RUN else Document
    return {"$schema": submission.JSON_SCHEMA_DIALECT, **model.model_json_schema()}
