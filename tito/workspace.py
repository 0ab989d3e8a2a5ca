"""The workspace (`.tito/`): recorded runs and submissions. The only writer of files on the command line's side."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from tinytorch.errors import SetupMissingError, UsageError
from tinytorch.files import atomic_write, sha256

if TYPE_CHECKING:
    from tinytorch.competition.run import Run

VARIABLE = "TITO_WORKSPACE"
BENCHMARK_COMMAND = "tito olympics benchmark"
LARGEST_RUN_BYTES = 64 * 1024 * 1024


class Workspace:
    """Files under `<root>/olympics`: `runs/<id>.json` and `history.json`, a list with one summary per event."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or Path(os.environ.get(VARIABLE) or ".tito")) / "olympics"

    @contextlib.contextmanager
    def measuring(self) -> Iterator[None]:
        """One run at a time. UsageError when another process is measuring, or nothing can be written."""
        self._make_folders()
        try:
            with FileLock(self.root / "measuring.lock", timeout=0):
                yield
        except Timeout:
            message = f"another run is being measured in {self.root}; two at once would disturb each other"
            raise UsageError(message, mend="wait for it, or choose another place with --workspace DIR") from None

    @contextlib.contextmanager
    def noting_failure(self, source: str) -> Iterator[None]:
        """An attempt that does not end with a run is remembered, so that no older run is taken for it."""
        try:
            yield
        except BaseException as error:
            now = datetime.now(UTC).isoformat()
            self._append({"kind": "failure", "source": source, "created_at": now, "error": type(error).__name__})
            raise

    def record_run(self, run: Run, summary: dict[str, Any], printed: str = "") -> Path | None:
        """Write the run, what its processes `printed`, then its line of history; the path of what was printed."""
        path = self.root / "runs" / f"{run.id}.json"
        log = path.with_suffix(".log") if printed else None
        write(path, run.model_dump_json(indent=None).encode() + b"\n")
        if log:
            write(log, printed.encode("utf-8", "replace") + b"\n")
        self._append({"kind": "run", "id": run.id, "created_at": run.created_at.isoformat(), **summary})
        return log

    def record_submission(self, summary: dict[str, Any]) -> None:
        """Remember a submission that was written."""
        self._append({"kind": "submission", **summary})

    def history(self) -> list[dict[str, Any]]:
        """Every recorded event, oldest first; empty in a new workspace. UsageError when the file is damaged."""
        path = self.root / "history.json"
        if not path.exists():
            return []
        try:
            entries = json.loads(path.read_bytes())
        except ValueError:
            entries = None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) and "kind" in entry for entry in entries):
            mend = f"move it away; the runs themselves are safe in {self.root / 'runs'}"
            raise UsageError(f"{path} is damaged", mend=mend)
        return entries

    def last_failure(self) -> dict[str, Any] | None:
        """The last attempt to measure, where it failed."""
        attempts = [entry for entry in self.history() if entry["kind"] in ("run", "failure")]
        return attempts[-1] if attempts and attempts[-1]["kind"] == "failure" else None

    def run_content(self, reference: str | None) -> tuple[str, bytes]:
        """A run by id, by file, or the latest, as its name and content; SetupMissingError when there is none yet."""
        if reference is None:
            recorded = [entry["id"] for entry in self.history() if entry["kind"] == "run"]
            if not recorded:
                raise SetupMissingError(f"no run is recorded in {self.root}", mend=BENCHMARK_COMMAND)
            reference = str(recorded[-1])
        path = self.root / "runs" / f"{reference}.json"
        return reference, read(path if path.is_file() else Path(reference), LARGEST_RUN_BYTES)

    def _append(self, entry: dict[str, Any]) -> None:
        self._make_folders()
        with FileLock(self.root / "history.lock", timeout=10):
            content = json.dumps([*self.history(), entry], indent=1)
            write(self.root / "history.json", content.encode() + b"\n")

    def _make_folders(self) -> None:
        try:
            (self.root / "runs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            mend = f"choose another place with --workspace DIR or {VARIABLE}"
            raise UsageError(f"cannot write in {self.root}: {error.strerror}", mend=mend) from error


def read(path: Path, limit_bytes: int) -> bytes:
    """The content of a regular file; UsageError for anything else, or more than `limit_bytes`."""
    if path.is_dir():
        raise UsageError(f"{path} is a directory where a file is expected")
    if not path.exists():
        raise UsageError(f"there is no file or run {path}", mend="tito olympics status lists the recorded runs")
    if not path.is_file():
        raise UsageError(f"{path} is not a regular file")
    if path.stat().st_size > limit_bytes:
        raise UsageError(f"{path} is larger than {limit_bytes:,} bytes")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def write(path: Path, content: bytes) -> str:
    """Write atomically and return the SHA-256; UsageError when that fails, and then nothing is changed."""
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a directory")
    try:
        atomic_write(path, content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", mend="choose another place with -o FILE") from error
    return sha256(content)


def check_writable(path: Path) -> None:
    """Before a long measurement: UsageError when `path` could not be written afterwards."""
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a directory")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        reason = "no such folder" if not path.parent.is_dir() else "permission denied"
        raise UsageError(f"cannot write {path}: {reason}", mend="choose another place with -o FILE")
