"""From bytes or a Python object that nobody vouches for to a Submission, or to the reason why not.

Reading goes in stages; the first refusal ends it, because nothing behind it can be trusted to be there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from tinytorch.competition.record import migrations
from tinytorch.competition.record.bundle import submission_in
from tinytorch.competition.record.document import schema_words
from tinytorch.competition.record.kinds import Kind, kind_of_object
from tinytorch.competition.record.plain import check_plain, decoded, read_json
from tinytorch.competition.record.reading import JSON, LARGEST_FILE_BYTES, PLAIN, RefusedError
from tinytorch.competition.record.submission import Submission, content_digest

MOST_SCHEMA_ERRORS = 20
MENDS: dict[Kind | None, str] = {
    "run": "package it first: tito olympics submit --event EVENT --run FILE",
    "verification": "name the folder of such records with --verified DIR, and keep it outside of that of the class",
    "report": "give the submissions that it reports on",
    "schema": "give a file that follows it",
}


@dataclass(frozen=True)
class Parsed:
    """What reading gave: the stages passed, each with what is to be said of it, and the submission or the refusal."""

    passed: dict[str, str]
    refusal: RefusedError | None = None
    submission: Submission | None = None
    document: dict[str, Any] = field(default_factory=dict)  # migrated to this version's schema
    content_sha256: str = ""  # of the document as it was written
    written_version: str = ""  # of the schema


def parse_bytes(content: bytes) -> Parsed:
    """The submission in a file's content."""
    passed = {"file": ""}
    try:
        content = submission_in(content)
        passed["bundle"] = ""
        _check_size(content)
        passed["size"] = ""
        text = decoded(content)
        passed["encoding"] = ""
        document = read_json(text)
        passed |= dict.fromkeys(JSON, "")
        return _parse(document, passed)
    except RefusedError as refusal:
        return Parsed(passed, refusal)


def parse_object(document: object) -> Parsed:
    """The submission in a plain Python object, such as `json.load` gives."""
    passed: dict[str, str] = {}
    try:
        check_plain(document)
        passed |= dict.fromkeys(PLAIN, "")
        return _parse(document, passed)
    except RefusedError as refusal:
        return Parsed(passed, refusal)


def _parse(document: object, passed: dict[str, str]) -> Parsed:
    """From a document of plain values to the record; the digest is taken of what was written, before it migrates."""
    if not isinstance(document, dict):
        kind = type(document).__name__
        raise RefusedError("schema", f"the document: a submission is an object, this is {kind}", found=kind)
    other = kind_of_object(document)
    if other in MENDS:
        raise RefusedError("schema", f"this is a {other}, not a submission", MENDS[other], found=other)
    current, passed["schema_version"] = migrations.migrate(document)
    submission = _read_record(current)
    passed["schema"] = ""
    return Parsed(passed, None, submission, current, content_digest(document), document["schema_version"])


def _check_size(content: bytes) -> None:
    size = len(content)
    if size > LARGEST_FILE_BYTES:
        raise RefusedError(
            "size", f"the file has at least {size:,} bytes; at most {LARGEST_FILE_BYTES:,} are allowed",
            size_bytes=size, limit_bytes=LARGEST_FILE_BYTES,
        )  # fmt: skip


def _read_record(document: dict[str, Any]) -> Submission:
    try:
        return Submission.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        shown = list(map(schema_words, details[:MOST_SCHEMA_ERRORS]))
        more = [f"and {len(details) - len(shown)} more"] if len(details) > len(shown) else []
        raise RefusedError("schema", "; ".join([*shown, *more]), errors=len(details)) from None
