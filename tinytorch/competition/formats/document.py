"""JSON for scripts: one document, published as `Document`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tinytorch.competition.checks.findings import Evidence, Severity
from tinytorch.competition.formats.published import Published, PublishedReport
from tinytorch.competition.ranking.judged import Judged

HEAD = '{\n  "document": "report",\n  "results": '


class CheckResult(Published):
    """One check of one file; `passed` is null where it could not be made. `id` is stable: `TO-S03`."""

    id: str
    name: str
    passed: bool | None
    severity: Severity
    message: str
    mend: str
    evidence: Evidence


class FileResult(Published):
    """One file: valid or not, the trust level of a valid one, every check, and the messages of the failed ones.

    `points` of `most_points` are what it earned by a class's assignment, `earned` says why; null without one.
    """

    file: str
    valid: bool
    trust: str | None
    checks: list[CheckResult]
    issues: list[str]
    points: float | None
    most_points: float | None
    earned: str | None


class Document(PublishedReport):
    """What `tito olympics validate --json` prints: results in the order of the files."""

    results: list[FileResult]
    files: int
    valid: int


def as_json(reports: Iterable[Judged]) -> Iterator[str]:
    """The reports as one `Document`, a line for each file."""
    files = valid = 0
    for report in reports:
        yield ",\n" if files else f"{HEAD}[\n"
        yield json.dumps(report.as_dict())
        files, valid = files + 1, valid + report.valid
    yield "\n  ]" if files else f"{HEAD}[]"
    yield f',\n  "files": {files},\n  "valid": {valid}\n}}\n'
