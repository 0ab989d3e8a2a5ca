"""Checks that packages add (`tinytorch.doors`): they look after ours have, and add findings, never take one away."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import cache
from math import isfinite
from typing import get_args

from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Outcome, Page, Severity, failed
from tinytorch.competition.rules.events import Rules
from tinytorch.doors import advertised, broken, opened, provider, told
from tinytorch.errors import UsageError
from tinytorch.showing import nearest, safe_text

ID = re.compile(r"[A-Z][A-Z0-9]{1,7}-[A-Z]?[0-9]{2}")
OURS = "TO-"
LARGEST = 2**63  # a number that every reader of JSON can take
NO_ANSWER = "the check could not deal with the file"
TEXTS = ("what", "why", "mend", "example")


@cache
def added_checks() -> tuple[Check[Case], ...]:
    """Those of installed packages, in the order of their names. UsageError for one that is not what a check must be."""
    found: dict[str, Check[Case]] = {}
    for name in sorted(advertised("checks")):
        check = opened("checks", name)
        if why := "; ".join(_faults(check, name, {each.id for each in found.values()})):
            raise broken("checks", name, why)
        found[name] = check
    return tuple(found.values())


def check_limits(rules: Rules) -> None:
    """UsageError for limits in the rules of a check, or of a name, that no package here has: nobody would keep them."""
    limits = {check.name: check.limits for check in added_checks()} if rules.checks else {}
    for name, own in rules.checks.items():
        if name not in limits:
            message = f"the rules have limits of the check {safe_text(name)}, which no package here adds"
            raise UsageError(message, mend="install the package that has it: docs/extend.md")
        for key in own:
            if key not in limits[name]:
                raise UsageError(f"rules: checks.{name} has no {safe_text(key)}", mend=nearest(key, limits[name]))


def looked(check: Check[Case], case: Case) -> Outcome:
    """What a check saw. One that fails itself has failed: else a file could be made to get past it."""
    tell = f"tell the makers of {provider(advertised('checks')[check.name])}"
    try:
        outcome = check.look(copy.deepcopy(case))  # what it does to that reaches nobody else
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the code of a package does
        return failed(f"{NO_ANSWER}: {told(error)}", tell)
    if not _is_plain(outcome):
        return failed(f"{NO_ANSWER}: it gave no plain Outcome", tell)
    evidence = {
        safe_text(name): safe_text(each) if isinstance(each, str) else each for name, each in outcome.evidence.items()
    }
    return replace(outcome, mend=safe_text(outcome.mend), evidence=evidence)


def _is_plain(outcome: object) -> bool:
    """Whether it can be told and kept; a truth of numpy's, for one, is neither True nor False."""
    if not isinstance(outcome, Outcome) or not (outcome.passed is None or isinstance(outcome.passed, bool)):
        return False
    are_texts = all(isinstance(each, str) for each in (outcome.message, outcome.mend, *outcome.evidence))
    return are_texts and all(map(_is_evidence, outcome.evidence.values()))


def _is_evidence(value: object) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    return value is None or isinstance(value, str) or (isinstance(value, int) and abs(value) < LARGEST)


def _faults(check: object, name: str, ids: set[str]) -> Iterable[str]:
    """Why something is no check of that name."""
    if not isinstance(check, Check):
        yield f"it is of type {type(check).__name__}, and no Check"
        return
    if check.name != name:
        yield f"the check calls itself {safe_text(check.name)}"
    if check.id.startswith(OURS) or not ID.fullmatch(check.id) or check.id in ids:
        yield f"its id {safe_text(check.id)} must be like CS249-A01, its own, and not begin with {OURS}"
    if check.severity not in get_args(Severity):
        yield f"its severity is none of {', '.join(get_args(Severity))}"
    if empty := [each.name for each in fields(Page) if each.name in TEXTS and not getattr(check, each.name)]:
        yield f"its page has no {', '.join(empty)}"
    values = check.limits.values() if isinstance(check.limits, Mapping) else [None]
    if not all(isinstance(each, int | float) and isfinite(each) for each in values):
        yield "its limits are no finite numbers by their names"
