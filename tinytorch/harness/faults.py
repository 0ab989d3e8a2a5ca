"""What went wrong in a worker, in words that an athlete can act on: the entry's own line first."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinytorch import owners
from tinytorch.errors import EntryError, ModelError, RunError
from tinytorch.harness.contender import Contender
from tinytorch.harness.frozen import ENTRY
from tinytorch.processes.failure import Frame, WorkerFailedError
from tinytorch.showing import safe_text

MOST_LAST_LINES = 5
MEND_THAT_LINE = "mend that line, then run the same command again"
FULL = {errno.ENOSPC, errno.EDQUOT}
_MENDS = {
    "raised": "mend what is said, then run the same command again",
    "timed out": "look for an endless loop there, or allow more with --time-limit SECONDS",
    "broke the protocol": "an entry must leave the worker's own files and pipes alone",
    "ran out of memory": "let it need less at once, or allow more with --memory-limit MB",
    "died": "an entry must not end its process (os._exit) and must fit in memory",
}


@contextmanager
def blaming(contender: Contender, phase: str, is_boxed: bool = False) -> Iterator[None]:
    """A worker's failure is the entry's, where an entry ran in it; `phase` says what it was doing.

    A full disk is the machine's, but for that of a box, which belongs to the entry alone.
    """
    try:
        yield
    except WorkerFailedError as failure:
        is_full = any(f"[Errno {number}]" in failure.detail for number in FULL)  # a worker's error comes as words
        if is_full and not is_boxed:
            raise full_disk(phase) from failure
        if contender.source is None:
            raise
        raise entry_error(failure, contender, phase) from failure
    except ModelError as error:
        if contender.source is None:
            raise
        raise EntryError(f"{contender.name}, {phase}: {error.message}", mend=error.mend) from error


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards; RunError names the disk when there is no room on it."""
    try:
        with owners.scratch() as folder:
            yield folder
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise full_disk("copying what is measured") from error


def full_disk(phase: str) -> RunError:
    """No room for what a run writes while it lasts."""
    mend = "make room there, or name a folder on another disk with TMPDIR"
    return RunError(f"{phase}: the disk of {tempfile.gettempdir()} is full", mend=mend)


def entry_error(failure: WorkerFailedError, contender: Contender, phase: str) -> EntryError:
    """The failure of a worker as the failure of the entry that ran in it; `phase` says what it was doing."""
    detail = safe_text(failure.detail, 400)
    happened = {
        "raised": detail, "timed out": f"did not finish: {detail}", "died": f"ended its process: {detail}",
        "broke the protocol": f"disturbed its worker: {detail}", "ran out of memory": f"ran out of memory: {detail}",
    }  # fmt: skip
    where = _where(failure.frames, contender)
    message = f"{contender.name}, {phase}: {happened[failure.outcome]}{where}{_last_words(failure.output)}"
    return EntryError(message, mend=_mend(failure, bool(where)))


def _mend(failure: WorkerFailedError, shows_line: bool) -> str:
    """What the error itself says that mends it, else what mends failures of this kind."""
    if failure.outcome != "raised":
        return _MENDS[failure.outcome]
    if failure.has_own_mend:
        return safe_text(failure.mend, 400)
    if failure.detail.startswith("ModuleNotFoundError"):
        return "install it, or put it beside the entry and name it in an import statement: only those come along"
    if failure.detail.startswith("FileNotFoundError"):
        return "put it beside the entry, and name it in its source by the path from there: such files come along"
    return MEND_THAT_LINE if shows_line else _MENDS["raised"]


def definition_line(contender: Contender, function: str) -> str:
    """Where an entry defines `function`, as a line to show; empty when it is not found."""
    numbered = enumerate(_lines(contender.source), start=1)
    found = next(((number, text) for number, text in numbered if text.startswith(f"def {function}(")), None)
    return f"\n  line {found[0]}: {safe_text(found[1], 160)}" if found else ""


def _where(frames: tuple[Frame, ...], contender: Contender) -> str:
    """The innermost line of the entry's own files on the stack, with its text."""
    sources = {ENTRY: contender.source, **contender.helpers}
    own = [(frame, name) for frame in frames for name in sources if frame.file.endswith(f"/{name}")]
    if not own:
        return ""
    frame, name = own[-1]
    lines = _lines(sources[name])
    code = frame.code or (lines[frame.line - 1].strip() if 0 < frame.line <= len(lines) else "")
    file = "" if name == ENTRY else f"{safe_text(name, 60)}, "
    return f"\n  {file}line {frame.line}, in {safe_text(frame.function, 60)}: {safe_text(code, 160)}"


def _last_words(output: str) -> str:
    """The last lines that the entry's process printed, fit to show."""
    lines = [safe_text(line, 160) for line in output.splitlines() if line.strip()][-MOST_LAST_LINES:]
    return "".join(["\n  it printed last:", *(f"\n    {line}" for line in lines)]) if lines else ""


def _lines(source: bytes | None) -> list[str]:
    return (source or b"").decode("utf-8", errors="replace").splitlines()
