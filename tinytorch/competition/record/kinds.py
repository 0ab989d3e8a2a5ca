"""Which of our own documents a file is, told by its first lines: for a wrong file, and before one is replaced.

A JSON document begins with `"document": "run"`, a text with `Torch Olympics: `; see `HEADLINE`.
"""

from __future__ import annotations

import re
from typing import Any, Literal, cast, get_args

Kind = Literal["run", "submission", "verification", "report", "schema"]

LOOKED_AT_BYTES = 4096
HEADLINE = "Torch Olympics: "  # the beginning of every text of ours that has no form of its own
SCHEMA_COMMENT = f"{HEADLINE}schema"

_DOCUMENT = re.compile(  # with what stands behind it, so that nobody's own file is taken for ours
    r'\A\{\s*"document":\s*"(run|submission|verification)",\s*"schema_version":\s*"\d+\.\d+",\s*"tool":\s*\{'
)
_FORMER = re.compile(  # before 3.0
    r'\A\{\s*"schema_version":\s*"[12]\.\d",\s*(?:"(id)":\s*"\d{8}T\d{6}Z-[0-9a-f]{8}"|"(rules)":\s*\{\s*"version":)'
)
_BUNDLE = re.compile(rb"PK\x03\x04.{26}submission\.json", re.DOTALL)  # its first file: 30 bytes from the beginning
_SCHEMA = re.compile(rf'\A\{{\s*"\$comment":\s*"{SCHEMA_COMMENT}",\s*"\$schema":')
_CSV_HEADER = "\ufeff?event,task,division,rank,(?:[a-z_0-9]+,)*athlete_name,ranked_by,(?:[a-z_0-9]+,)*reason"
_GRADES_HEADER = "\ufeff?id,name,points,most_points(?:,[a-z_0-9]+)*,[a-z_]+_reason"
_REPORT = re.compile(
    rf"""\A(?:\#[ ])?{HEADLINE.replace(" ", "[ ]")}(?:submissions[ ]checked|checks[ ]explained|leaderboard|grades)$
    | \A\{{\s*(?:"extra_data":\s*\{{\s*)?"document":\s*"report"
      \s*(?:,\s*"(?:results|checks|rules|grades|verifications|tier|shifts)"|\}},\s*"score")
    | \A(?:{_CSV_HEADER}|{_GRADES_HEADER})$
    | \A<!doctype[ ]html>(?:.|\n)*<meta[ ]name="generator"[ ]content="tito[ ]olympics[ ](?:report|sweep)">
    | \A<\?xml.*\n<testsuites[ ]name="tito[ ]olympics[ ]validate">$""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)


def kind_of(content: bytes) -> Kind | None:
    """The kind of document that `content` begins like; None for anything that is not ours."""
    if _BUNDLE.match(content):
        return "submission"
    start = _start(content)
    if found := _DOCUMENT.match(start):
        return cast(Kind, found[1])
    if found := _FORMER.match(start):
        return "run" if found[1] else "submission"
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
