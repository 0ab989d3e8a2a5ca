"""The root of the command line: the commands, the one try/except, and the exit codes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated

import typer
from typer.main import get_command

from tinytorch.errors import MEND, TinyTorchError, UsageError
from tinytorch.showing import from_argument
from tito.commands import GROUPS, TEST, every_command
from tito.exit_codes import ExitCode, exit_code_of
from tito.lazy import NAMES, help_alone, lazy_group
from tito.options import USUAL_VALUES
from tito.terminal import interrupts, screen, streams

ROOM = "make room there, or choose another place: --workspace DIR, -o FILE, TITO_CACHE or TMPDIR"
SYSTEM_MENDS = {
    errno.ENOSPC: ROOM, errno.EDQUOT: ROOM, errno.EROFS: ROOM, errno.EACCES: ROOM, errno.EPERM: ROOM,
    errno.ENOENT: "look whether the folder that you are in is still there",
    errno.EMFILE: "close files, or raise the limit: ulimit -n 1024",
}  # fmt: skip
COMPLETION_VARIABLE = "_TITO_COMPLETE"  # set by the shell when somebody presses the tab key
SEE_DEBUG = "--debug shows where"

app = typer.Typer(
    name="tito", invoke_without_command=True, context_settings=NAMES, pretty_exceptions_enable=False,
    cls=lazy_group({**GROUPS, "test": TEST}), rich_markup_mode=None,  # plain: readable at any width
)  # fmt: skip


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version as version_of  # takes as long as all else of a light command

        typer.echo(f"tito {version_of('tinytorch-olympics')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; goes anywhere on the line.")] = False,
) -> None:
    """TinyTorch's command line."""
    help_alone(context)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; every error ends here, as words."""
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        _refuse_empty(arguments)
        return _invoked(list(_with_usual_values(arguments)))
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - the one place: every error becomes words and a code
        if debug:
            import traceback

            traceback.print_exception(error)
        return _report(arguments, *_in_words(error, arguments))


def _refuse_empty(arguments: Sequence[str]) -> None:
    """An empty argument is hardly ever meant: as a path it would be this folder."""
    for before, argument in pairwise(["", *arguments]):
        option, is_assigned, value = argument.partition("=")
        if not argument or (option.startswith("--") and is_assigned and not value):
            named = option or (before if before.startswith("-") else "an argument")
            mend = f"give it a value (is a shell variable not set?): {_own_help(arguments)}"
            raise UsageError(f"{named} is empty", mend=mend)


def _with_usual_values(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments, with the usual value after an option that stands there without one."""
    for argument, following in pairwise([*arguments, "-"]):
        yield argument
        if argument in USUAL_VALUES and following.startswith("-"):
            yield USUAL_VALUES[argument]


def _invoked(arguments: list[str]) -> int:
    """The exit code of a command. Typer's own way of calling it would make 1 of a closed pipe."""
    if COMPLETION_VARIABLE in os.environ:
        app(args=arguments, prog_name="tito")
    command = get_command(app)
    try:
        with command.make_context("tito", [*arguments]) as context:  # what it is given is used up
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return ExitCode.GOOD


def _in_words(error: BaseException, arguments: Sequence[str]) -> tuple[str, str, ExitCode]:
    """What went wrong and what was done all the same, how to mend it, and the exit code."""
    message, mend, code = _told(error, arguments)
    notes = [note for each in (error, error.__cause__) for note in getattr(each, "__notes__", [])]
    done = [note for note in notes if not note.startswith(MEND)]
    if code is ExitCode.INTERRUPTED:
        message = f"interrupted: {'; '.join(done) or 'nothing was recorded'}"
    elif done:
        message = f"{message}; {'; '.join(done)}"
    return message, mend, code


def _told(error: BaseException, arguments: Sequence[str]) -> tuple[str, str, ExitCode]:
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return "interrupted", "", ExitCode.INTERRUPTED
    if isinstance(error, typer.TyperException):
        message = error.format_message().replace("Value error, ", "")  # pydantic's words, which Typer shows
        return message, _own_help(arguments), ExitCode.USAGE
    if isinstance(error, TinyTorchError):
        return error.message, error.mend, exit_code_of(error)
    if isinstance(error, OSError):
        place = f" {error.filename}" if error.filename else ""
        mend = SYSTEM_MENDS.get(error.errno or 0, SEE_DEBUG)
        return f"the system refused{place}: {error.strerror or error}", mend, ExitCode.USAGE
    return f"{type(error).__name__}: {error}", f"a fault in tito itself; {SEE_DEBUG}", ExitCode.RUN_FAILED


def _own_help(arguments: Sequence[str]) -> str:
    """The help of the command or group that was called."""
    known = {words[:length] for words in every_command() for length in range(1, len(words) + 1)}
    called = next((tuple(arguments[:length]) for length in (3, 2, 1) if tuple(arguments[:length]) in known), ())
    return " ".join(["tito", *called, "--help"])


def _report(arguments: list[str], message: str, mend: str, code: ExitCode) -> ExitCode:
    """Say what went wrong: in words on stderr, and with --json as one document on stdout."""
    message = from_argument(message)  # file names as they were typed
    if "--json" in arguments:
        document = {"error": {"message": message, "mend": mend, "code": code.name.lower()}, "exit_code": int(code)}
        screen.put_json(document)
    screen.say(f"error: {message}")
    if mend:
        screen.say(f"mend:  {mend}")
    return code


def main() -> None:
    """The console script."""
    interrupts.install()
    streams.prepare()
    code = run(sys.argv[1:])
    interrupts.over()
    sys.exit(code)
