"""Every check of one submission: the stages of reading it, then the table of checks. Never raises, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from tinytorch.competition.checks import (
    added,
    batch,
    consistency,
    declarations,
    eligibility,
    known_machine,
    machine_limits,
    memory,
    plausibility,
    refereed,
    scaling,
    verification,
)
from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Finding, Page, failed, page, passed, report
from tinytorch.competition.record import parsing, reading
from tinytorch.competition.record.parsing import Parsed
from tinytorch.competition.record.reading import RefusedError
from tinytorch.competition.rules.events import Rules, load_rules
from tinytorch.doors import broken
from tinytorch.errors import UsageError
from tinytorch.showing import nearest

CHECKS: tuple[Check[Case], ...] = (
    *declarations.CHECKS,
    *consistency.CHECKS,
    *known_machine.CHECKS,
    *eligibility.CHECKS,
    *plausibility.CHECKS,
    *scaling.CHECKS,
    *machine_limits.CHECKS,
    *memory.CHECKS,
)
STAGES: dict[str, Page] = {stage: page(stage) for stage in reading.STAGES}
PAGES: dict[str, Page] = {
    each.name: each for each in (*STAGES.values(), *CHECKS, *batch.PAGES, *verification.CHECKS, *refereed.REFEREED)
}
SUBMIT_AGAIN = "package the measured run again with tito olympics submit; edit no numbers"


def validate_submission(submission: object, rules: Rules | None = None) -> dict[str, Any]:
    """`{'valid', 'checks': [{'name', 'id', 'passed', 'severity', 'message', 'mend', 'evidence'}], 'issues'}` of a dict.

    `passed` is None where a check could not be made; `issues` are the messages of the failed ones.
    """
    return report(findings_of(parsing.parse_object(submission), rules or load_rules()))


def validate_bytes(content: bytes) -> dict[str, Any]:
    """The same for the content of a file."""
    return report(findings_of(parsing.parse_bytes(content), load_rules()))


def findings_of(parsed: Parsed, rules: Rules) -> tuple[Finding, ...]:
    """The findings of reading, and of every check of the table when reading came to a submission."""
    return findings_and_case(parsed, rules)[0]


def findings_and_case(parsed: Parsed, rules: Rules) -> tuple[tuple[Finding, ...], Case | None]:
    """The same, and what the checks looked at; None where reading did not come to a submission."""
    read = [STAGES[stage].finding(passed(words or STAGES[stage].what)) for stage, words in parsed.passed.items()]
    if parsed.refusal is not None:
        read.append(refused(parsed.refusal))
    if parsed.submission is None:
        return tuple(read), None
    case = Case(parsed.submission, rules, parsed.document, parsed.content_sha256, parsed.written_version)
    event, *others = CHECKS
    first = _made(event, case)
    if first.is_error:  # nothing else can be judged of an event that the rules do not have
        return (*read, first), None
    return (*read, first, *(_made(check, case) for check in others), *_more(case)), case


def refused(refusal: RefusedError) -> Finding:
    """The finding of the stage that could not be passed."""
    outcome = failed(refusal.message, **refusal.numbers)
    return STAGES[refusal.stage].finding(replace(outcome, mend=refusal.mend))  # without one, the page's


@cache
def pages() -> Mapping[str, Page]:
    """The manual: every page by the name of its check, those that packages add last."""
    return PAGES | {check.name: check for check in _added()}


def explain(check_id: str) -> Page:
    """The page of the manual of a check, by name or id; UsageError with the nearest when there is none."""
    found = find_page(check_id)
    if found is None:
        mend = nearest(check_id, _by_name_and_id(), "--explain all shows every check")
        raise UsageError(f"there is no check {check_id!r}", mend=mend)
    return found


def find_page(check_id: str) -> Page | None:
    """The page of a check, by name or id; None when there is none."""
    known = _by_name_and_id()
    return known.get(check_id, known.get(check_id.upper()))


def _by_name_and_id() -> dict[str, Page]:
    return {**pages(), **{each.id: each for each in pages().values()}}


def _made(check: Check[Case], case: Case) -> Finding:
    """The check's finding; numbers that no formula can take are a finding too."""
    try:
        with np.errstate(all="raise"):
            outcome = check.look(case)
    except (ArithmeticError, ValueError):
        outcome = failed("the numbers in the file cannot be computed with", SUBMIT_AGAIN)
    return check.finding(outcome)


@cache
def _added() -> tuple[Check[Case], ...]:
    """The checks of packages, none of which has a name of ours."""
    for check in added.added_checks():
        if check.name in PAGES:
            raise broken("checks", check.name, "a check of ours has this name")
    return added.added_checks()


def _more(case: Case) -> Iterator[Finding]:
    """What checks of packages find."""
    added.check_limits(case.rules)
    return (check.finding(added.looked(check, case)) for check in _added())
