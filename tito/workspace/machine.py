"""The record of this machine: for each baseline the least times that it has shown here, one pair for each clock hour.

An hour gives one pair, because a record that fills with one busy evening forgets what the machine can do. It lies in
the user's cache and not in a workspace: one that came along with somebody's runs would be believed.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError

from tinytorch.benchmarking.records.record import MOST_HOURS, CallTime, Moment, Record, Sha256
from tinytorch.benchmarking.records.session import MachineCard, ReferenceTimes
from tinytorch.competition.record.run import Run
from tinytorch.competition.scoring.disturbance import QuietTimes, quiet_times
from tinytorch.files import atomic_write, read_regular, reason
from tinytorch.lock import HeldError, Lock
from tinytorch.workloads.place import users_folder
from tito.terminal import screen
from tito.workspace.folder import CACHE_VARIABLE, LOCK_LIMIT_S, folder_of

FILE = "machine.json"
LARGEST_BYTES = 2**20
MOST_BASELINES = 64  # the oldest make room: a new version of anything that runs them is a new one, too
SPOILING = {"blas_threads", "swap"}  # doubts with which times are other ones, and not only larger


class Hour(Record):
    """The least quiet times of one clock hour, nanoseconds a call."""

    began_at: Moment
    baseline_ns: CallTime
    yardstick_ns: CallTime


class Known(Record):
    """What is known of one baseline on this machine as it is; `key` changes with all that makes times comparable."""

    key: Sha256
    task: str
    hours: Annotated[list[Hour], Field(max_length=MOST_HOURS)]
    card: MachineCard | None = None

    def with_hour(self, new: Hour) -> Self:
        """The same with the times of a session: in an hour that is known the lesser ones stay."""
        hours = {hour.began_at: hour for hour in self.hours}
        old = hours.get(new.began_at, new)
        hours[new.began_at] = Hour(
            began_at=new.began_at, baseline_ns=min(old.baseline_ns, new.baseline_ns),
            yardstick_ns=min(old.yardstick_ns, new.yardstick_ns),
        )  # fmt: skip
        return self.model_copy(update={"hours": [hours[each] for each in sorted(hours)][-MOST_HOURS:]})

    def reference(self, now: datetime) -> ReferenceTimes | None:
        """The least of all hours until now; None without any. A clock that was set back has seen later ones."""
        hours = [hour for hour in self.hours if hour.began_at <= now]
        if not hours:
            return None
        return ReferenceTimes(
            key=self.key, hours=len(hours), since=hours[0].began_at, until=hours[-1].began_at,
            baseline_ns=min(hour.baseline_ns for hour in hours),
            yardstick_ns=min(hour.yardstick_ns for hour in hours),
        )  # fmt: skip


class Machine(Record):
    """The whole file: what is known of every baseline, the latest last."""

    document: Literal["machine"] = "machine"
    version: Literal[1] = 1
    known: Annotated[list[Known], Field(max_length=MOST_BASELINES)] = Field(default_factory=list)

    def of(self, key: str) -> Known | None:
        """What is known of a baseline by its key."""
        return next((each for each in self.known if each.key == key), None)

    def replacing(self, new: Known) -> Self:
        """The same with this instead of what had its key."""
        others = [each for each in self.known if each.key != new.key]
        return self.model_copy(update={"known": [*others, new][-MOST_BASELINES:]})


class MachineFile:
    """The record in its file. What cannot be read or written is said in a warning, and costs no run."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or folder_of(CACHE_VARIABLE) or users_folder()) / FILE

    def read(self) -> Machine:
        """What is known; nothing where there is no file, or one that is damaged or cannot be read."""
        try:
            return self._read()
        except OSError as error:
            screen.say(f"warning: cannot read {self.path}: {reason(error)}; this machine's best times are not known")
            return Machine()

    def _read(self) -> Machine:
        """OSError for a file that is there and cannot be read: it stays as it is."""
        try:
            return Machine.model_validate_json(read_regular(self.path, LARGEST_BYTES))
        except FileNotFoundError:
            return Machine()
        except ValidationError:
            self._put_aside()
            return Machine()

    def _put_aside(self) -> None:
        """Keep what is damaged, where somebody may look at it. OSError where that cannot be done."""
        aside = self.path.with_name(f"machine.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.json")
        screen.say(f"warning: {self.path} is damaged; this machine's best times are learnt anew")
        with contextlib.suppress(FileNotFoundError):  # another tito has just done it
            self.path.rename(aside)

    def add(self, run: Run) -> None:
        """Learn from a run that was measured here, where its times tell something."""
        found = quiet_times(run)
        if found and not {doubt.code for doubt in run.protocol.doubts or []} & SPOILING:
            self.learn(found)

    def learn(self, found: QuietTimes) -> None:
        """Keep the least times of a session, if they are the least of their hour."""
        hour = Hour(
            began_at=found.hour, baseline_ns=math.exp(min(found.baseline)),
            yardstick_ns=math.exp(min(found.yardstick)),
        )  # fmt: skip

        def learnt(machine: Machine) -> Machine:
            known = machine.of(found.key) or Known(key=found.key, task=found.task or "", hours=[])
            return machine.replacing(known.with_hour(hour))

        self._change(learnt)

    def put_card(self, key: str, card: MachineCard) -> None:
        """Keep what was found last of how well this machine repeats."""

        def carded(machine: Machine) -> Machine:
            known = machine.of(key)
            return machine.replacing(known.model_copy(update={"card": card})) if known else machine

        self._change(carded)

    def forget(self) -> int | None:
        """Drop all that is known; of how many baselines something was, None where that could not be done."""
        count = len(self.read().known)
        return count if self._change(lambda machine: Machine()) else None

    def _change(self, change: Callable[[Machine], Machine]) -> bool:
        """Write what becomes of what is known, while nobody else does; whether that could be done."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with Lock(self.path.with_suffix(".lock"), LOCK_LIMIT_S):
                content = json.dumps(change(self._read()).model_dump(mode="json"), indent=1)
                atomic_write(self.path, content.encode() + b"\n")
            return True
        except (HeldError, OSError) as error:
            why = reason(error) if isinstance(error, OSError) else f"somebody holds it ({error.words or 'unknown'})"
            screen.say(f"warning: cannot write {self.path}: {why}; what is known of this machine stays as it was")
            return False


def with_what_is_known(run: Run, machine: Machine) -> Run:
    """The run with what this machine had shown before it was measured."""
    found = quiet_times(run)
    known = machine.of(found.key) if found else None
    if found is None or known is None:
        return run
    told = {"reference": known.reference(found.hour), "card": known.card}
    return run.model_copy(update={"protocol": run.protocol.model_copy(update=told)})
