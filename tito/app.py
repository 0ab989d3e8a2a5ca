"""The root of the command line: the commands, the one try/except, and the exit codes."""

from __future__ import annotations

import io
import json
import signal
import sys
import traceback
from enum import IntEnum
from importlib.metadata import version as version_of
from typing import Annotated, NoReturn

import typer

from tinytorch.errors import RunError, SetupMissingError, TinyTorchError, UsageError
from tinytorch.text import safe_lines
from tito.lazy import lazy_group

COMMANDS = {
    "benchmark": "Measure a model against the baseline and record the run.",
    "score": "Score a run for every event: eligible or not, and why.",
    "submit": "Package a run as a valid submission.json.",
    "validate": "Check submissions, each check by its name.",
    "status": "Show the five stages, the last run, and the next command.",
    "schema": "Print the JSON Schema of what the tools write.",
}


class ExitCode(IntEnum):
    """What a command's exit status means: a contract with scripts."""

    GOOD = 0
    FINDINGS = 1  # an invalid submission, a missed constraint
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

app = typer.Typer(name="tito", no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False)
olympics = typer.Typer(
    name="olympics", no_args_is_help=True, cls=lazy_group("tito.olympics", COMMANDS),
    help="The Torch Olympics: measure, score, submit, check.",
)  # fmt: skip
app.add_typer(olympics)


@olympics.callback()
def _olympics() -> None:
    """The Torch Olympics: measure, score, submit, check."""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tito {version_of('tinytorch-olympics')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; goes anywhere on the line.")] = False,
) -> None:
    """TinyTorch's command line."""


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; every error ends here, as words."""
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        code = int(app(args=arguments, prog_name="tito", standalone_mode=False) or 0)
    except (KeyboardInterrupt, typer.Abort):
        code = ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place: every error becomes words and an exit code
        if debug:
            traceback.print_exception(error)
        return _report(arguments, *_in_words(error))
    if code == ExitCode.INTERRUPTED:
        return _report(arguments, "interrupted: nothing was recorded", "", ExitCode.INTERRUPTED)
    return code


def _in_words(error: Exception) -> tuple[str, str, ExitCode]:
    """What went wrong, how to mend it, and the exit code."""
    if isinstance(error, typer.TyperException):
        return error.format_message(), "tito olympics COMMAND --help", ExitCode.USAGE
    if isinstance(error, TinyTorchError):
        return error.message, error.mend, exit_code_of(error)
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename or ''}", "", ExitCode.USAGE
    return f"{type(error).__name__}: {error}", "a fault in tito itself; --debug shows where", ExitCode.RUN_FAILED


def exit_code_of(error: TinyTorchError) -> ExitCode:
    """The exit code of the error's branch of the tree."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), ExitCode.RUN_FAILED)


def _report(arguments: list[str], message: str, mend: str, code: ExitCode) -> ExitCode:
    """Say what went wrong: in words on stderr, and with --json as one document on stdout."""
    if "--json" in arguments:
        document = {"error": {"message": message, "mend": mend, "code": code.name.lower()}, "exit_code": int(code)}
        typer.echo(json.dumps(document, indent=2))
    typer.echo(f"error: {safe_lines(message)}", err=True)
    if mend:
        typer.echo(f"mend:  {safe_lines(mend)}", err=True)
    return code


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _interrupt)  # so that workers are ended on the way out
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an ASCII or cp1252 terminal shows escapes, not a traceback
    sys.exit(run(sys.argv[1:]))
