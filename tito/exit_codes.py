"""What a command's exit status means: a contract with scripts."""

from __future__ import annotations

from enum import IntEnum

from tinytorch.errors import RunError, SetupMissingError, TinyTorchError, UsageError


class ExitCode(IntEnum):
    """Every exit status that there is."""

    GOOD = 0
    FINDINGS = 1  # an invalid submission, a missed constraint, a failed test, the opposite of what was expected
    USAGE = 2  # the call or the configuration is wrong
    SETUP_MISSING = 3  # no run yet, no data
    RUN_FAILED = 4  # the entry crashed or timed out
    INCONCLUSIVE = 5  # a verdict was demanded and there is none
    INTERRUPTED = 130


EXIT_CODES: dict[type[TinyTorchError], ExitCode] = {
    UsageError: ExitCode.USAGE,
    SetupMissingError: ExitCode.SETUP_MISSING,
    RunError: ExitCode.RUN_FAILED,
}


def exit_code_of(error: TinyTorchError) -> ExitCode:
    """The exit code of the error's branch of the tree."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), ExitCode.RUN_FAILED)
