"""Validate submissions: read each strictly, then make every check of one table. Never raises, whatever it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.competition.checks import (
    batch,
    consistency,
    declarations,
    eligibility,
    machine_limits,
    memory,
    plausibility,
)
from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Finding, Page, failed, passed, report
from tinytorch.competition.checks.reports import Entry, Report
from tinytorch.competition.record import parsing, reading
from tinytorch.competition.record.parsing import Parsed
from tinytorch.competition.record.reading import RefusedError
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.rules.events import Rules, load_rules
from tinytorch.errors import UsageError
from tinytorch.text import nearest

CHECKS: tuple[Check[Case], ...] = (
    *declarations.CHECKS,
    *consistency.CHECKS,
    *eligibility.CHECKS,
    *plausibility.CHECKS,
    *machine_limits.CHECKS,
    *memory.CHECKS,
)
SUBMIT_AGAIN = "package the measured run again with tito olympics submit; edit no numbers"
Read = Callable[[str], bytes]

PAGES: dict[str, Page] = {each.name: each for each in (*reading.PAGES, *CHECKS, *batch.PAGES)}


def validate_submission(submission: object, rules: Rules | None = None) -> dict[str, Any]:
    """`{'valid', 'checks': [{'name', 'id', 'passed', 'severity', 'message', 'mend', 'evidence'}], 'issues'}` of a dict.

    `passed` is None where a check could not be made; `issues` are the messages of the failed ones.
    """
    return report(_judged(parsing.parse_object(submission), rules or load_rules()))


def validate_bytes(content: bytes) -> dict[str, Any]:
    """The same for the content of a file."""
    return report(_judged(parsing.parse_bytes(content), load_rules()))


def validate_files(names: Iterable[str], *, read: Read | None = None, rules: Rules | None = None) -> Iterator[Report]:
    """One report per name, in the order of the names, once all were read: then copies between athletes are known.

    `read` gives a name's content, or raises RefusedError; by default the name is the path of a regular file. What
    waits for the last file is kept on disk, so that memory does not grow with the number of files.
    """
    return batch.with_duplicates(judge_file(name, read=read, rules=rules) for name in names)


def judge_file(name: str, *, read: Read | None = None, rules: Rules | None = None) -> Report:
    """Everything found about one file, apart from what only the others of a batch can tell."""
    try:
        content = (read or _read_path)(name)
    except RefusedError as refusal:
        return Report(name, (refusal.finding(),))
    return judge_content(name, content, rules or load_rules())[0]


def judge_content(name: str, content: bytes, rules: Rules) -> tuple[Report, Submission | None]:
    """Everything found about the content of a file, and the submission in it where there is one, valid or not."""
    parsed = parsing.parse_bytes(content)
    entry = None if parsed.submission is None else Entry.of(parsed.submission)
    findings = (reading.FILE.finding(passed(reading.FILE.what)), *_judged(parsed, rules))
    return Report(name, findings, entry), parsed.submission


def explain(check_id: str) -> Page:
    """The page of the manual of a check, by name or id; UsageError with the nearest when there is none."""
    known = PAGES | {each.id: each for each in PAGES.values()}
    wanted = check_id if check_id in known else check_id.upper()
    if wanted not in known:
        raise UsageError(f"there is no check {check_id!r}", mend=nearest(check_id, known))
    return known[wanted]


def _read_path(name: str) -> bytes:
    return reading.read_regular(Path(name))


def _judged(parsed: Parsed, rules: Rules) -> tuple[Finding, ...]:
    """The findings of reading, and of every check of the table when reading came to a submission."""
    if parsed.submission is None:
        return parsed.findings
    case = Case(parsed.submission, rules, parsed.document, parsed.content_sha256)
    return (*parsed.findings, *(_made(check, case) for check in CHECKS))


def _made(check: Check[Case], case: Case) -> Finding:
    """The check's finding; numbers that no formula can take are a finding too."""
    try:
        with np.errstate(all="raise"):
            outcome = check.look(case)
    except (ArithmeticError, ValueError):
        outcome = failed("the numbers in the file cannot be computed with", SUBMIT_AGAIN)
    return check.finding(outcome)
