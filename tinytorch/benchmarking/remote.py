"""Placements in a worker process: both ends of the wire. A new verb is one line in `RemotePlacements`.

A verb is a method of `Placements`: its name travels, its annotations say how arguments and answers are read back from
JSON, and so a reply that is not what the method returns is refused, as is one that makes no sense (`answers`). Arrays
travel as the bytes of a parcel, never pickled.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError, validate_call

from tinytorch.benchmarking import integrity
from tinytorch.benchmarking.answers import (
    LARGEST_ARRAY_BYTES,
    ArrayForm,
    are_passes,
    are_samples_of,
    is_inspection_of,
)
from tinytorch.benchmarking.blas import thread_environment
from tinytorch.benchmarking.measure import Samples
from tinytorch.benchmarking.placements import Description, Inspection, Mode, ModelSource, Placements, Raw, Subjects
from tinytorch.benchmarking.records.work import Limits, Work
from tinytorch.benchmarking.schedule import Probe, Schedule
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.processes.parcel import Parcel

if TYPE_CHECKING:
    from tinytorch.processes.box import Box
    from tinytorch.processes.worker import Worker

SERVICE = "tinytorch.benchmarking.remote:PlacementsService"
REQUEST_LIMIT_S = 60.0

Answer = TypeVar("Answer")


class ModelLoadError(WorkerFailedError):
    """A worker could not rebuild the models that it was sent."""


@dataclass(frozen=True)
class Sendable:
    """What is measured, in a form that can be sent: `inputs` is an .npy file.

    `freshen` and `count` are addresses of functions, and so is `before`, which is called before anything of a model's
    is loaded.
    """

    sources: tuple[ModelSource, ...]
    inputs: str
    as_tensor: bool
    freshen: str | None = None
    before: str | None = None
    count: str | None = None

    def only(self, model: int) -> Sendable:
        """The same with one of the models alone."""
        return replace(self, sources=(self.sources[model],))

    def load(self) -> Subjects:
        """The same for this process."""
        if self.before is not None:
            resolve_name(self.before)()
        return Subjects(
            builders=tuple(source.build for source in self.sources),
            inputs=np.load(self.inputs, allow_pickle=False),
            as_tensor=self.as_tensor,
            freshen=resolve_name(self.freshen) if self.freshen else None,
            modules=tuple(source.modules for source in self.sources),
            count=resolve_name(self.count) if self.count else None,
        )


@dataclass(frozen=True)
class Workers:
    """Placements in fresh worker processes, by default with one BLAS thread. No request may take longer than `limit_s`.

    The limits of an answer's bytes and of memory hold for each process. `keep_output` is given what each had printed
    when it ended. With a `box` each process is in one of its own; of a model alone it is that of `solo_boxes`.
    """

    subjects: Sendable
    scratch: Path
    limit_s: float = REQUEST_LIMIT_S
    largest_answer_bytes: int = LARGEST_ARRAY_BYTES
    memory_limit_bytes: int | None = None
    environment: Mapping[str, str] = field(default_factory=partial(thread_environment, 1))
    keep_output: Callable[[str], None] = lambda output: None
    mode: Mode = "worker processes"
    box: Box | None = None
    solo_boxes: tuple[Box | None, ...] = ()

    @property
    def models(self) -> int:
        """How many models there are."""
        return len(self.subjects.sources)

    @contextlib.contextmanager
    def open(self, copies: int, seeds: Sequence[int]) -> Iterator[list[RemotePlacements]]:
        """Placements in a new process for each of the seeds; ModelLoadError when one cannot build the models."""
        with contextlib.ExitStack() as stack:
            hired = [stack.enter_context(self._worker({}, self.box)) for _ in seeds]
            self._build([worker for worker, _ in hired], [(self.subjects, copies, seed) for seed in seeds])
            yield [RemotePlacements(worker, parcel, self.limit_s, self.models) for worker, parcel in hired]

    @contextlib.contextmanager
    def alone(self, seed: int) -> Iterator[list[RemotePlacements]]:
        """Placements in a new process for each of the models, which is told of no other one, and has its own TMPDIR."""
        with contextlib.ExitStack() as stack:
            boxes = self.solo_boxes or (self.box,) * self.models
            hired = [stack.enter_context(self._worker(self._own_folder(), box)) for box in boxes]
            workers = [worker for worker, _ in hired]
            for worker in workers:
                worker.post("ready", self.limit_s)
            for worker in workers:
                worker.result()
                worker.note_own()
            self._build(workers, [(self.subjects.only(model), 1, seed) for model in range(self.models)])
            yield [RemotePlacements(*each, self.limit_s, 1) for each in hired]

    def _own_folder(self) -> dict[str, str]:
        """A folder for temporary files that goes with the scratch folder; a box has one anyway."""
        return {} if self.box else {"TMPDIR": tempfile.mkdtemp(dir=self.scratch)}

    def _build(self, workers: Sequence[Worker], wanted: Sequence[tuple[Sendable, int, int]]) -> None:
        """All load and build side by side, each what is wanted of it: subjects, copies and a seed."""
        search_path = [path or os.getcwd() for path in sys.path]  # noqa: PTH109 - as the import system reads it
        try:
            for worker, (subjects, copies, seed) in zip(workers, wanted, strict=True):
                given = {"search_path": search_path, "subjects": asdict(subjects)}
                worker.post("open", self.limit_s, False, **given, copies=copies, seed=seed)
            for worker in workers:
                worker.result()
        except WorkerFailedError as failure:
            raise ModelLoadError(failure.outcome, failure.detail, failure.frames, failure.output) from None

    @contextlib.contextmanager
    def _worker(self, more: Mapping[str, str], box: Box | None) -> Iterator[tuple[Worker, Parcel]]:
        """A new worker and the parcel that its arrays come in."""
        from tinytorch.processes.worker import Worker  # not in the measuring processes, which load this file, too

        environment = {**self.environment, **more}
        with (
            Parcel(self.largest_answer_bytes) as parcel,
            Worker(SERVICE, environment, self.memory_limit_bytes, parcel.descriptor, box=box) as worker,
        ):
            try:
                yield worker, parcel
            finally:
                worker.close()
                self.keep_output(worker.output)


class RemotePlacements:
    """The parent's end: the methods of `Placements`, one line each."""

    def __init__(self, worker: Worker, parcel: Parcel, limit_s: float, models: int) -> None:
        self._worker, self._parcel, self._limit_s, self._models = worker, parcel, limit_s, models

    def describe(self, model: int) -> Description:
        return self._ask(Placements.describe, model=model)

    def predict(self, model: int, batch: int) -> NDArray[Any]:
        return self._ask_array(Placements.predict, model=model, batch=batch)

    def predict_singly(self, model: int, call_ns: int) -> NDArray[Any]:
        return self._ask_array(Placements.predict_singly, model=model, call_ns=call_ns)

    def probe(self) -> Probe:
        return self._ask(Placements.probe, lambda seen: len(seen.call_ns) == self._models)

    def limits(self, kept_bytes: int, tries: int) -> Limits:
        return self._ask(Placements.limits, kept_bytes=kept_bytes, tries=tries)

    def counted(self, model: int, call_ns: int) -> Work | None:
        return self._ask(Placements.counted, model=model, call_ns=call_ns)

    def time_passes(self, model: int, batch: int) -> list[int]:
        return self._ask(Placements.time_passes, are_passes, model=model, batch=batch)

    def visit(self, plan: Schedule, seed: int) -> Samples:
        return self._ask(Placements.visit, partial(are_samples_of, plan), plan=asdict(plan), seed=seed)

    def timed_outputs(self, model: int, block: int) -> Raw:
        return self._ask_array(Placements.timed_outputs, model=model, block=block)

    def outputs_of_block(self, model: int, plan: Schedule, of_model: int, seed: int, block: int) -> NDArray[Any]:
        which = {"model": model, "plan": asdict(plan), "of_model": of_model, "seed": seed, "block": block}
        return self._ask_array(Placements.outputs_of_block, **which)

    def inspect(self) -> Inspection:
        return self._ask(Placements.inspect, lambda seen: is_inspection_of(self._models, seen))

    def left_behind(self) -> list[str]:
        """Files that the process has made where it may, and processes that it started and that go on."""
        return self._worker.left_behind()

    def _ask(
        self, verb: Callable[..., Answer], is_sense: Callable[[Answer], bool] = lambda answer: True, **arguments: Any
    ) -> Answer:
        """What the worker says to a verb. WorkerFailedError where that is not of its type, or no sense."""
        reply = self._worker.ask("answer", self._limit_s, verb=verb.__name__, arguments=arguments)
        try:
            answer: Answer = _answer_type(verb).validate_python(reply)
        except ValidationError:
            raise _nonsense(verb) from None
        if not is_sense(answer):
            raise _nonsense(verb)
        return answer

    def _ask_array(self, verb: Callable[..., NDArray[Any]], **arguments: Any) -> NDArray[Any]:
        given: dict[str, Any] = {"verb": verb.__name__, "arguments": arguments, "parcel": self._parcel.descriptor}
        reply = self._worker.ask("answer_array", self._limit_s, **given)
        try:
            return _array_form().validate_python(reply).read(self._parcel)
        except (ValidationError, ValueError, TypeError):
            raise _nonsense(verb) from None


def _nonsense(verb: Callable[..., object]) -> WorkerFailedError:
    return WorkerFailedError("broke the protocol", f"its answer to {verb.__name__!r} makes no sense")


class PlacementsService:
    """The child's end."""

    def ready(self) -> None:
        """The process has all that is ours, and nothing foreign yet."""

    def open(self, search_path: list[str], subjects: dict[str, Any], copies: int, seed: int) -> None:
        """Build the copies; `search_path` is where the parent's imports come from."""
        sys.path.extend(entry for entry in search_path if entry not in sys.path)
        before = integrity.snapshot()  # nothing of the models' own has been imported yet
        self._placements = Placements(TypeAdapter(Sendable).validate_python(subjects).load(), copies, seed, before)
        gc.freeze()  # collecting before every visit looked at each object of every import: 60 of 90 ms of a visit

    def answer(self, verb: str, arguments: dict[str, Any]) -> Any:
        """What the method called `verb` returns, as JSON can carry it."""
        method = getattr(Placements, verb)
        return _answer_type(method).dump_python(_checked(method)(self._placements, **arguments), mode="json")

    def answer_array(self, verb: str, arguments: dict[str, Any], parcel: int) -> dict[str, Any]:
        """Put the array that the method called `verb` returns into the parcel, and say in what form."""
        array = _checked(getattr(Placements, verb))(self._placements, **arguments)
        return asdict(ArrayForm.write(parcel, array))


@cache
def _checked(verb: Callable[..., Answer]) -> Callable[..., Answer]:
    """The method, which makes its arguments of what JSON carries. Kept: building it takes longer than a visit."""
    checked: Callable[..., Answer] = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(verb)
    return checked


@cache
def _array_form() -> TypeAdapter[ArrayForm]:
    return TypeAdapter(ArrayForm)


@cache
def _answer_type(verb: Callable[..., Answer]) -> TypeAdapter[Answer]:
    return TypeAdapter(get_type_hints(verb)["return"])
