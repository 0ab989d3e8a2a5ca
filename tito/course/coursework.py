"""What a student has done in the course: modules started and complete, milestones reached; kept in `.tito/course/`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason
from tito.course.course import MODULES, Module, missing_needs
from tito.terminal import interrupts, screen
from tito.workspace.folder import ELSEWHERE, Folder, workspace_root

LARGEST_BYTES = 1_000_000


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)  # a field of a newer version is passed over


class Started(_Record):
    """A module whose starter file was written."""

    file: str
    started_at: AwareDatetime


class Completed(_Record):
    """A module whose tests have passed on a student's file, `tested`."""

    tested: str
    passed: Annotated[int, Field(gt=0)]
    completed_at: AwareDatetime
    version: str


class Reached(_Record):
    """The figure that a milestone ended with."""

    metric: str
    value: float
    reached_at: AwareDatetime
    version: str


class Progress(_Record):
    """All of it, by the names of modules and milestones."""

    format: Literal[1] = 1
    started: dict[str, Started] = {}
    completed: dict[str, Completed] = {}
    milestones: dict[str, Reached] = {}


class Coursework:
    """The progress of one student, in the workspace."""

    def __init__(self, root: Path | None = None, beside: Path = Path()) -> None:
        self._folder = Folder(workspace_root(root, beside) / "course")
        self.file = self._folder.root / "progress.json"

    def progress(self) -> Progress:
        """What is recorded, nothing in a new workspace; a damaged file is kept aside, and said."""
        try:
            return Progress.model_validate_json(read_regular(self.file, LARGEST_BYTES))
        except FileNotFoundError:
            return Progress()
        except ValidationError:
            return self._put_aside()
        except OSError as error:
            raise UsageError(f"cannot read {self.file}: {reason(error)}", mend=ELSEWHERE) from error

    def start(self, module: Module, file: str) -> None:
        """Remember that a starter file was written: what was complete is to be shown anew."""
        entry = Started(file=file, started_at=_now())
        self._change(lambda old: old.model_copy(update={
            "started": {**old.started, module.name: entry}, "completed": _without(old.completed, module.name),
        }))  # fmt: skip

    def complete(self, module: Module, tested: str, passed: int) -> None:
        """Remember that a module's tests have passed."""
        entry = Completed(tested=tested, passed=passed, completed_at=_now(), version=installed_version())
        self._change(lambda old: old.model_copy(update={"completed": {**old.completed, module.name: entry}}))

    def reach(self, milestone: str, metric: str, value: float) -> None:
        """Remember the figure of a milestone."""
        entry = Reached(metric=metric, value=value, reached_at=_now(), version=installed_version())
        self._change(lambda old: old.model_copy(update={"milestones": {**old.milestones, milestone: entry}}))

    def _change(self, change: Callable[[Progress], Progress]) -> None:
        with interrupts.held(), self._folder.locked(self._folder.lock("progress.lock")):
            self._folder.write(self.file, change(self.progress()).model_dump_json(indent=1).encode() + b"\n")

    def _put_aside(self) -> Progress:
        aside = self.file.with_name(f"progress.damaged-{_now():%Y%m%dT%H%M%S%fZ}.json")
        try:
            self.file.replace(aside)
        except OSError as error:
            raise self._folder.refusal(error) from error
        screen.say(f"warning: {self.file} was damaged; it is kept as {aside.name}, and progress begins anew")
        return Progress()


def installed_version() -> str:
    """The version of tito."""
    return version("tinytorch-olympics")


def next_module(complete: Iterable[str]) -> Module | None:
    """The first module that is not complete while all that it builds on is."""
    done = set(complete)
    return next((each for each in MODULES if each.name not in done and not missing_needs(each, done)), None)


def _now() -> datetime:
    return datetime.now(UTC)


def _without(entries: dict[str, Completed], name: str) -> dict[str, Completed]:
    return {each: entry for each, entry in entries.items() if each != name}
