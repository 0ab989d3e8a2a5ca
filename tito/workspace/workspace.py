"""The workspace (`.tito/`): recorded runs, and the history of what was done."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tinytorch.competition.names import RUN_ID
from tinytorch.errors import SetupMissingError, UsageError
from tinytorch.files import UnreadableError, holds, read_regular, reason, sha256
from tinytorch.lock import Lock
from tinytorch.workloads.registry import known_name
from tito.terminal import interrupts, screen
from tito.terminal.screen import STANDARD
from tito.workspace import documents, history
from tito.workspace.documents import LARGEST_RUN_BYTES
from tito.workspace.folder import ELSEWHERE, Folder, workspace_root
from tito.workspace.history import Blocks, FailureLine, FileState, Line, RunLine, SubmissionLine

if TYPE_CHECKING:
    from tinytorch.competition.record.run import Run

LARGEST_HISTORY_BYTES = 64 * 2**20  # tens of thousands of runs
BENCHMARK_COMMAND = "tito olympics benchmark"
ANOTHER = f"measure again with: {BENCHMARK_COMMAND}, or take another run: tito olympics status --all"

Kind = TypeVar("Kind", bound=Line)


class Workspace:
    """Files under `<root>/olympics`: `runs/<id>.json` with `runs/<id>.log`, and `history.json`."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = workspace_root(root) / "olympics"
        self._folder = Folder(self.root)
        self.runs_folder = self.root / "runs"
        self._history_file = self.root / "history.json"
        self._recorded = ""  # the run of the attempt that is being made

    @contextlib.contextmanager
    def measuring(self) -> Iterator[None]:
        """One run at a time. UsageError when another process is measuring, or nothing can be written."""
        message = f"another run is being measured in {self.root}; two at once would disturb each other"
        with self._folder.locked(self._folder.lock("measuring.lock", 0), message):
            yield

    @contextlib.contextmanager
    def noting_failure(self, source: str, task: str) -> Iterator[None]:
        """An attempt at a task that does not end with a run is remembered, so that no older run is taken for it."""
        self._recorded = ""
        try:
            yield
        except BaseException as error:
            if self._recorded:
                error.add_note(f"run {self._recorded} is recorded")
            else:
                self._note_failure(source, task, error)
            raise

    def record_run(self, run: Run, printed: str = "") -> Path | None:
        """Write the run, what its processes `printed`, then its line of history: all or nothing.

        Returns the path of what was printed.
        """
        from tinytorch.competition.record.run import RunFile

        path = self._run_file(run.id)
        log = path.with_suffix(".log") if printed else None
        content = RunFile.text(run).encode() + b"\n"
        with interrupts.held():
            self._folder.make(self.runs_folder)
            try:
                self._folder.write(path, content)
                if log:
                    self._folder.write(log, printed.encode("utf-8", "replace") + b"\n")
                self._append(_run_entry(run, content))
                self._recorded = run.id
            except BaseException:
                for made in filter(None, (path, log)):
                    made.unlink(missing_ok=True)
                raise
        return log

    def record_submission(self, entry: SubmissionLine) -> None:
        """Remember a submission that was written."""
        self._append(entry)

    def history_of(self, kind: type[Kind]) -> list[Kind]:
        """The recorded entries of one kind, oldest first."""
        return [entry for entry in self.history() if isinstance(entry, kind)]

    def history(self) -> list[Line]:
        """Everything that was recorded, oldest first; empty in a new workspace.

        A damaged history is kept aside and said, and made again from the runs that lie in the workspace.
        """
        try:
            return history.parse(read_regular(self._history_file, LARGEST_HISTORY_BYTES))
        except FileNotFoundError:
            return []
        except (ValueError, RecursionError, UnreadableError):
            with self._history_locked():
                return self._made_again()
        except OSError as error:
            raise UsageError(f"cannot read {self._history_file}: {reason(error)}", mend=ELSEWHERE) from error

    def last_failure(self, task: str | None = None) -> FailureLine | None:
        """The last attempt to measure, of all or of one task, where it failed."""
        attempts = [entry for entry in self.history() if isinstance(entry, RunLine | FailureLine)]
        attempts = [entry for entry in attempts if task in (None, entry.task)]
        last = attempts[-1] if attempts else None
        return last if isinstance(last, FailureLine) else None

    def runs(self, task: str | None = None) -> list[RunLine]:
        """The recorded runs, of all or of one task; UsageError where none is of it, and there is no such task."""
        found = [run for run in self.history_of(RunLine) if task in (None, run.task)]
        return found if found or task is None or known_name(task) else []

    def run(self, reference: str | None = None, task: str | None = None) -> Run:
        """A run by id, by file, from standard input (`-`) or the latest (of a task).

        SetupMissingError when there is none yet; UsageError for one that is not what was recorded, or contradicts
        itself.
        """
        from tinytorch.competition.checks.consistency import contradiction
        from tinytorch.competition.record.run import MEASURE_AGAIN, parse_run

        if reference and task:
            raise UsageError(f"the run {reference} has its own task", mend="give either a run or --task")
        name = reference or self._latest(task)
        recorded = self._run_file(name) if RUN_ID.fullmatch(name) else None
        is_recorded = recorded is not None and os.path.lexists(recorded)
        try:
            content = documents.read(str(recorded if is_recorded else name))
        except UsageError as error:
            raise UsageError(error.message, mend=ANOTHER if is_recorded else error.mend) from error
        run = parse_run(name, content)
        self._refuse_changed(run, content)
        if found := contradiction(run):
            raise UsageError(f"{name} contradicts itself: {found}", mend=MEASURE_AGAIN)
        return run

    def run_state(self, run: RunLine) -> FileState:
        """Whether a run's file is still what was recorded."""
        return file_state(str(self._run_file(run.id)), run.sha256)

    def _latest(self, task: str | None) -> str:
        recorded = self.runs(task)
        if not recorded:
            named = f"no run of {task}" if task else "no run"
            raise SetupMissingError(f"{named} is recorded in {self.root}", mend=benchmark_command(task))
        return recorded[-1].id

    def _refuse_changed(self, run: Run, content: bytes) -> None:
        """UsageError for a run of this workspace, or a copy, that is not what was recorded; an entry can do that."""
        from tinytorch.competition.record.run import parse_run

        known = {line.id: line.sha256 for line in self.runs()}
        digest, file = known.get(run.id), self._run_file(run.id)
        if digest in (None, sha256(content)):
            return
        if holds(file, digest) and parse_run(file.name, read_regular(file, LARGEST_RUN_BYTES)) == run:
            return  # a copy in which only the spaces between are others
        raise UsageError(f"run {run.id} has changed since it was recorded in {self.root}", mend=ANOTHER)

    def _run_file(self, run_id: str) -> Path:
        return self.runs_folder / f"{run_id}.json"

    @cached_property
    def _history_lock(self) -> Lock:
        return self._folder.lock("history.lock")

    def _note_failure(self, source: str, task: str, error: BaseException) -> None:
        try:
            now, kind = datetime.now(UTC).isoformat(), type(error).__name__
            self._append(FailureLine(source=source, created_at=now, error=kind, task=task))
        except UsageError as second:  # the first error is the one to tell
            error.add_note(f"nor could it be noted: {second.message}")

    def _append(self, entry: Line) -> None:
        with interrupts.held(), self._history_locked():
            before = [each for each in self.history() if each != entry]  # one made again knows a run that is written
            self._folder.write(self._history_file, history.unparse([*before, entry]))

    def _history_locked(self) -> contextlib.AbstractContextManager[None]:
        return self._folder.locked(self._history_lock)

    def _made_again(self) -> list[Line]:
        """The history of a workspace whose own is damaged, from the runs themselves."""
        aside = self._history_file.with_name(f"history.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.json")
        try:
            self._history_file.replace(aside)
        except FileNotFoundError:  # another tito has just done it
            return self.history()
        except OSError as error:
            raise self._folder.refusal(error) from error
        found: list[Line] = list(self._found_runs())
        self._folder.write(self._history_file, history.unparse(found))
        screen.say(f"warning: {self._history_file} was damaged; it is kept as {aside.name}")
        screen.say(f"         {len(found)} run(s) were found again; submissions are where you wrote them")
        return found

    def _found_runs(self) -> Iterator[RunLine]:
        from tinytorch.competition.record.run import parse_run

        for path in sorted(self.runs_folder.glob("*.json")):
            try:
                content = read_regular(path, LARGEST_RUN_BYTES)
                yield _run_entry(parse_run(path.name, content), content)
            except UsageError as error:
                screen.say(f"warning: {error}")
            except OSError as error:
                screen.say(f"warning: cannot read {path.name}: {reason(error)}")


def benchmark_command(task: str | None) -> str:
    """What measures that task, or the default one."""
    return f"{BENCHMARK_COMMAND} --task {task}" if task else BENCHMARK_COMMAND


def file_state(file: str, digest: str | None) -> FileState:
    """Whether a file is still what was written there; `elsewhere` for what went into a pipe."""
    path = Path(file)
    if file == STANDARD or (path.exists() and not path.is_file()):
        return "elsewhere"
    try:
        content = read_regular(path, LARGEST_RUN_BYTES)
    except OSError as error:
        return "changed since" if isinstance(error, UnreadableError) else "gone"
    return "valid" if digest in (None, sha256(content)) else "changed since"


def _run_entry(run: Run, content: bytes) -> RunLine:
    from tinytorch.benchmarking.comparison import block_distribution
    from tinytorch.competition.scoring.busy import machine_word
    from tinytorch.competition.scoring.scores import compute_scores

    first, second = run.baseline.metrics, run.optimized.metrics
    spread = block_distribution(first.latency, second.latency) if first.latency and second.latency else None
    return RunLine(
        id=run.id, created_at=run.protocol.ended_at.isoformat(), task=run.task.name, source=run.source.name,
        scores=compute_scores(run).model_dump(), sha256=sha256(content),
        blocks=Blocks(**spread.model_dump(include={"lower", "upper", "counts"})) if spread else None,
        machine=machine_word(run),
    )  # fmt: skip
