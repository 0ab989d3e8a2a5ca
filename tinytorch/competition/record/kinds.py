"""Which of our own documents a file is, told by its look: for a wrong file, and before one is replaced."""

from __future__ import annotations

import json
import re
from typing import Literal

Kind = Literal["run", "submission", "report", "schema"]

_KEYS: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("submission", frozenset({"schema_version", "event", "baseline"})),
    ("run", frozenset({"schema_version", "source", "baseline"})),
    ("report", frozenset({"results", "files", "valid"})),  # validate --format json
    ("report", frozenset({"score", "tests", "output_format"})),  # gradescope
    ("report", frozenset({"checks"})),  # validate --explain
    ("report", frozenset({"rules", "rankings", "unranked"})),  # leaderboard
    ("schema", frozenset({"$schema", "properties"})),
)
_REPORT = re.compile(
    r"""\A\#[ ]Torch[ ]Olympics:[ ](?:submissions[ ]checked|leaderboard)$        # markdown
    | \Aevent,task,division,rank,athlete_name,                                  # leaderboard as CSV
    | ^.*[ ]by[ ][a-z_]+:[ ].*[ ]division,[ ]\d+[ ]athletes?$                     # ... and for people
    | ^not[ ]ranked:[ ]
    | ^<meta[ ]name="generator"[ ]content="tito[ ]olympics[ ]report">$
    | \A<\?xml.*\n<testsuites[ ]name="tito[ ]olympics[ ]validate"> # junit
    | ^\d+[ ]of[ ]\d+[ ]submissions[ ]are[ ]valid                  # github, and for people of several files
    | \A.*:[ ](?:valid,[ ]trust[ ]T\d|NOT[ ]valid)                 # for people, of one file
    | \ATO-[A-Z]\d\d[ ][a-z_]+[ ]\((?:error|warning|info)\)$                      # --explain""",
    re.MULTILINE | re.VERBOSE,
)


def kind_of(content: bytes) -> Kind | None:
    """The kind of document that `content` looks like; None for anything that is not ours."""
    document = _document(content)
    if document is not None:
        return kind_of_object(document)
    return "report" if _REPORT.search(content.decode("utf-8", "replace")) else None


def kind_of_object(document: object) -> Kind | None:
    """The kind that a JSON document looks like."""
    keys = document.keys() if isinstance(document, dict) else set()
    return next((kind for kind, known in _KEYS if known <= keys), None)


def event_of(content: bytes) -> str | None:
    """The event that a submission names."""
    document = _document(content)
    event = document.get("event") if isinstance(document, dict) else None
    return event if isinstance(event, str) else None


def _document(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):  # no UTF-8 text is a ValueError as well
        return None
