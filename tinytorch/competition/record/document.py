"""What stands at the top of every document of ours: what it is, in which version of its form, and what wrote it."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from tinytorch.benchmarking.records.record import Record, Text
from tinytorch.competition.record.kinds import SCHEMA_COMMENT
from tinytorch.showing import safe_text

SchemaVersion = Literal["3.7"]  # what each version added: tinytorch/competition/record/migrations.py
SCHEMA_VERSION: SchemaVersion = "3.7"
DISTRIBUTION = "tinytorch-olympics"


class Tool(Record):
    """What wrote a document; `version` is None where older forms did not say it."""

    name: Text
    version: Text | None


NOT_BLANK = r"'\S'"  # as pydantic says it
PLAINLY = {"missing": "it is missing", "extra_forbidden": "there is no such key"}  # by pydantic's names of errors
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def this_tool() -> Tool:
    """What is installed here."""
    from importlib.metadata import version  # only where a document is written

    return Tool(name=DISTRIBUTION, version=version(DISTRIBUTION))


def json_schema(document: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a document."""
    return {"$comment": SCHEMA_COMMENT, "$schema": DIALECT, **document.model_json_schema()}


def schema_words(detail: ErrorDetails, whole: str = "the document") -> str:
    """One error of a schema, as `place: what is wrong`; `whole` is the place of what concerns all of it."""
    place = ".".join(safe_text(str(part), 60) for part in detail["loc"]) or whole
    return f"{place}: {safe_text(_plainly(detail))}"


def _plainly(detail: ErrorDetails) -> str:
    """What is wrong, in words that need no knowledge of schemas."""
    said = detail["msg"].removeprefix("Value error, ")
    pattern = said.partition("pattern ")[2]
    if detail["type"] == "string_pattern_mismatch" and pattern:
        return "it is blank" if pattern == NOT_BLANK else f"it is not of the form {pattern}"
    return PLAINLY.get(detail["type"], said)
