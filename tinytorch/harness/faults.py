"""What went wrong in a worker, in words that an athlete can act on: the entry's own line first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinytorch.errors import EntryError, ModelError
from tinytorch.processes.worker import Frame, WorkerFailedError
from tinytorch.text import safe_text

_TOLD_BY_US = "EntryError: "  # the harness's own findings about an entry need no exception name in front
_MENDS = {
    "raised": "mend that line, then run the same command again",
    "timed out": "look for an endless loop there, or allow more with --time-limit SECONDS",
    "broke the protocol": "an entry must leave the worker's own files and pipes alone",
    "died": "an entry must not end its process (os._exit) and must fit in memory",
}


@contextmanager
def blaming(entry: Path | None, phase: str) -> Iterator[None]:
    """A worker's failure is the entry's, where an entry ran in it; `phase` says what it was doing."""
    try:
        yield
    except WorkerFailedError as failure:
        if entry is None:
            raise
        raise entry_error(failure, entry, phase) from failure
    except ModelError as error:
        if entry is None:
            raise
        mend = error.mend or "leave what both models run on as it is; what is faster belongs into the model"
        raise EntryError(f"{safe_text(entry.name)}, {phase}: {error.message}", mend=mend) from error


def entry_error(failure: WorkerFailedError, entry: Path, phase: str) -> EntryError:
    """The failure of a worker as the failure of the entry that ran in it; `phase` says what it was doing."""
    detail = safe_text(failure.detail.removeprefix(_TOLD_BY_US), 400)
    happened = {
        "raised": detail, "timed out": f"did not finish: {detail}", "died": f"ended its process: {detail}",
        "broke the protocol": f"disturbed its worker: {detail}",
    }  # fmt: skip
    where = _where(failure.frames, entry)
    message = f"{safe_text(entry.name)}, {phase}: {happened[failure.outcome]}{where}"
    return EntryError(message, mend=_MENDS[failure.outcome])


def _where(frames: tuple[Frame, ...], entry: Path) -> str:
    """The innermost line of the entry's own file on the stack, with its text."""
    own = [frame for frame in frames if Path(frame.file).name == entry.name and Path(frame.file) == entry]
    if not own:
        return ""
    line = own[-1].line
    code = own[-1].code or _source_line(entry, line)
    return f"\n  line {line}, in {safe_text(own[-1].function, 60)}: {safe_text(code, 160)}"


def _source_line(path: Path, line: int) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def definition_line(path: Path, function: str) -> str:
    """Where an entry defines `function`, as a line to show; empty when it is not found."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    numbered = enumerate(lines, start=1)
    found = next(((number, text) for number, text in numbered if text.startswith(f"def {function}(")), None)
    return f"\n  line {found[0]}: {safe_text(found[1], 160)}" if found else ""
