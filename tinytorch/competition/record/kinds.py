"""Which of our own documents a file is, told by its first lines: for a wrong file, and before one is replaced.

A JSON document begins with `"document": "run"`, a text with `Torch Olympics: `; see `HEADLINE`.
"""

from __future__ import annotations

import re
from typing import Any, Literal, cast, get_args

Kind = Literal["run", "submission", "report", "schema"]

LOOKED_AT_BYTES = 4096
HEADLINE = "Torch Olympics: "  # the beginning of every text of ours that has no form of its own
SCHEMA_COMMENT = f"{HEADLINE}schema"

_DOCUMENT = re.compile(r'\A\s*\{\s*(?:"extra_data"\s*:\s*\{\s*)?"document"\s*:\s*"(run|submission|report)"')
_FORMER = re.compile(r'\A\s*\{\s*"schema_version"\s*:\s*"[12]\.\d"\s*,\s*"(id|rules)"')  # before 3.0
_FORMER_KINDS: dict[str, Kind] = {"id": "run", "rules": "submission"}
_SCHEMA = re.compile(rf'\A\s*\{{\s*"\$comment"\s*:\s*"{SCHEMA_COMMENT}"')
_REPORT = re.compile(
    rf"""\A(?:\#[ ])?{HEADLINE.replace(" ", "[ ]")}                                  # for people, Markdown, GitHub
    | \Aevent,task,division,rank,athlete_name,                                  # CSV
    | \A<!doctype[ ]html>(?:.|\n)*<meta[ ]name="generator"[ ]content="tito[ ]olympics[ ]report">
    | \A<\?xml.*\n<testsuites[ ]name="tito[ ]olympics[ ]validate">              # JUnit""",
    re.VERBOSE | re.IGNORECASE,
)


def kind_of(content: bytes) -> Kind | None:
    """The kind of document that `content` begins like; None for anything that is not ours."""
    start = _start(content)
    if found := _DOCUMENT.match(start):
        return cast(Kind, found[1])
    if found := _FORMER.match(start):
        return _FORMER_KINDS[found[1]]
    if _SCHEMA.match(start):
        return "schema"
    return "report" if _REPORT.match(start) else None


def kind_of_object(document: dict[str, Any]) -> Kind | None:
    """The kind of a JSON document that was read already."""
    found = document.get("document")
    if "$schema" in document:
        return "schema"
    if found is None and "id" in document and "source" in document:  # before 3.0
        return "run"
    return cast(Kind, found) if found in get_args(Kind) else None


def event_of(content: bytes) -> str | None:
    """The event that a submission names, which it does in its first lines."""
    found = re.search(r'"event"\s*:\s*"([a-z_]{1,40})"', _start(content))
    return found[1] if found else None


def _start(content: bytes) -> str:
    return content[:LOOKED_AT_BYTES].decode("utf-8", "replace")
