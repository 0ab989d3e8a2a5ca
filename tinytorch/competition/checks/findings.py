"""What a check is and what it can say, as values: passed, failed, or could not check."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from tinytorch.showing import safe_text

TEXTS_FILE = Path(__file__).with_name("checks.toml")
LONGEST_MESSAGE = 10_000  # characters: room for every schema error that is shown

Severity = Literal["error", "warning", "info"]
Evidence = dict[str, int | float | str | None]
Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Outcome:
    """What one check saw. `passed` is None when it could not be made; the message then gives the reason."""

    passed: bool | None
    message: str
    mend: str = ""
    evidence: Evidence = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A check's page of the manual: what is looked at, why that matters, how to mend what is found, an example.

    `name` is what the source calls it, `id` stays for ever: `TO-S03`. `rules` are the rules that it looks by, if any.
    """

    name: str
    id: str
    severity: Severity
    what: str
    why: str
    mend: str
    example: str
    rules: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The page for programs, without what a check looks with."""
        return {field.name: getattr(self, field.name) for field in fields(Page)}

    def finding(self, outcome: Outcome) -> Finding:
        """The outcome under the name of this check; a failure that names no mend of its own gets the page's."""
        mend = (outcome.mend or self.mend) if outcome.passed is False else ""
        message = safe_text(outcome.message, LONGEST_MESSAGE)
        return Finding(self.name, self.id, outcome.passed, self.severity, message, mend, outcome.evidence)


@dataclass(frozen=True)
class Check(Page, Generic[Subject]):
    """A page with the function that looks; `limits` are numbers of a package's check, which rules may change."""

    look: Callable[[Subject], Outcome] = field(kw_only=True)
    limits: Mapping[str, float] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, slots=True)
class Finding:
    """An outcome under the name and stable id of its check, with the numbers behind it and the way to mend it."""

    name: str
    id: str
    passed: bool | None
    severity: Severity
    message: str
    mend: str
    evidence: Evidence

    @property
    def is_error(self) -> bool:
        """Whether this finding alone makes a submission invalid."""
        return self.passed is False and self.severity == "error"

    @property
    def is_issue(self) -> bool:
        """Whether somebody should do something about it."""
        return self.passed is False and self.severity != "info"

    @property
    def word(self) -> str:
        """What a list says of one that did not pass: its severity, or that the check could not be made."""
        return "could not check" if self.passed is None else self.severity

    def as_dict(self) -> dict[str, Any]:
        """As the public result lists it."""
        return asdict(self)


@cache
def texts() -> dict[str, dict[str, Any]]:
    """Every page's texts by the name of its check, from `checks.toml`."""
    found = tomllib.loads(TEXTS_FILE.read_text("utf-8"))
    return {name: {**page, "rules": tuple(page.get("rules", ()))} for name, page in found.items()}


def page(name: str) -> Page:
    """The page of that name, for what is looked at elsewhere than in a function of its own."""
    return Page(name, **texts()[name])


def check(look: Callable[[Subject], Outcome]) -> Check[Subject]:
    """Make a function a check, with the page that has its name."""
    return Check(look.__name__, **texts()[look.__name__], look=look)


def passed(message: str, /, **evidence: int | float | str | None) -> Outcome:
    """The check was made and holds."""
    return Outcome(True, message, evidence=evidence)


def failed(message: str, mend: str = "", /, **evidence: int | float | str | None) -> Outcome:
    """The check was made and does not hold."""
    return Outcome(False, message, mend, evidence)


def unknown(reason: str) -> Outcome:
    """The check could not be made; the reason names what is missing."""
    return Outcome(None, reason)


def is_valid(findings: Sequence[Finding]) -> bool:
    """Valid: something was checked, and no error was found."""
    checked = any(finding.passed is not None for finding in findings)
    return checked and not any(finding.is_error for finding in findings)


def report(findings: Sequence[Finding]) -> dict[str, Any]:
    """Findings as the dict of `validate_submission`."""
    return {
        "valid": is_valid(findings),
        "checks": [finding.as_dict() for finding in findings],
        "issues": [finding.message for finding in findings if finding.is_issue],
    }
