"""What a check can say, as values: passed, failed, or could not check."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Outcome:
    """What one check saw. `passed` is None when it could not be made; the message then gives the reason."""

    passed: bool | None
    message: str
    mend: str = ""


@dataclass(frozen=True)
class Finding:
    """An outcome under the name of its check."""

    name: str
    passed: bool | None
    severity: Severity
    message: str
    mend: str

    @classmethod
    def of(cls, name: str, severity: Severity, outcome: Outcome) -> Finding:
        """The finding of the check `name`."""
        return cls(name, outcome.passed, severity, outcome.message, outcome.mend)


def passed(message: str) -> Outcome:
    """The check was made and holds."""
    return Outcome(True, message)


def failed(message: str, mend: str = "") -> Outcome:
    """The check was made and does not hold."""
    return Outcome(False, message, mend)


def unknown(reason: str) -> Outcome:
    """The check could not be made."""
    return Outcome(None, reason)


def report(findings: list[Finding]) -> dict[str, Any]:
    """Findings as the dict of `validate_submission`. Valid: something was checked, and no error was found."""
    checked = any(finding.passed is not None for finding in findings)
    errors = [finding for finding in findings if finding.passed is False and finding.severity == "error"]
    return {
        "valid": checked and not errors,
        "checks": [asdict(finding) for finding in findings],
        "issues": [finding.message for finding in findings if finding.passed is False],
    }
