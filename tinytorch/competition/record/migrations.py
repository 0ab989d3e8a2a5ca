"""Older versions of `submission.json` made into today's, one step per version; newer ones are refused by name.

1.0   the first
2.0   latency is the quiet time, compared by processes or sessions; adds the typical time, what a run measured of its
      machine, and the accuracy that its task expects of the baseline. Times taken before cannot be compared with it.
2.1   adds what the count of memory could not see, and the digests of an entry's helpers; a model may keep 0 bytes
2.2   adds the commit that a submission was packaged at
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tinytorch.competition.checks.findings import Outcome, passed
from tinytorch.competition.record.reading import RefusedError
from tinytorch.competition.record.submission import SCHEMA_VERSION
from tinytorch.text import safe_text

Document = dict[str, Any]


def _from_1_0(document: Document) -> Document:
    """Numbers given by hand stay what they were; measured times are refused, because the recipe is another one."""
    if '"samples_ns": [' in json.dumps(document):
        message = "its times were taken by the recipe of schema version 1.0, whose intervals were too narrow"
        raise RefusedError("schema_version", f"{message}: measure again with tito olympics benchmark", found="1.0")
    return {**document, "schema_version": "2.0"}


def _from_2_0(document: Document) -> Document:
    """What 2.1 adds may be missing."""
    return {**document, "schema_version": "2.1"}


def _from_2_1(document: Document) -> Document:
    """What 2.2 adds may be missing."""
    return {**document, "schema_version": "2.2"}


STEPS: dict[str, Callable[[Document], Document]] = {"1.0": _from_1_0, "2.0": _from_2_0, "2.1": _from_2_1}


def migrate(document: Document) -> tuple[Document, Outcome]:
    """The document in today's version and what was done; RefusedError names a version that is not known here."""
    found = document.get("schema_version")
    current = document
    while isinstance(version := current.get("schema_version"), str) and version in STEPS:
        current = STEPS[version](current)
    if version != SCHEMA_VERSION:
        raise _refusal(found)
    if found == SCHEMA_VERSION:
        return current, passed(f"schema version {SCHEMA_VERSION}", version=SCHEMA_VERSION)
    return current, passed(f"schema version {found}, read as {SCHEMA_VERSION}", version=str(found))


def _refusal(version: object) -> RefusedError:
    known = ", ".join([*STEPS, SCHEMA_VERSION])
    if version is None:
        return RefusedError("schema_version", f"no schema_version is named; known are {known}", known=known)
    shown = safe_text(str(version), 40)
    newer = isinstance(version, str) and _numbers(version) > _numbers(SCHEMA_VERSION)
    word = "is newer than this program" if newer else "is not known"
    return RefusedError(
        "schema_version", f"schema version {shown!r} {word}; known are {known}", found=shown, known=known
    )


def _numbers(version: str) -> list[int]:
    """`1.10` as [1, 10]; a text that is no version comes before every version."""
    return (
        [int(part) for part in version.split(".")]
        if re.fullmatch(r"\d{1,6}(\.\d{1,6}){1,3}", version, re.ASCII)
        else []
    )
