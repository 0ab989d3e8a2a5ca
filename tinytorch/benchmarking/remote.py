"""Placements in a worker process: both ends of the wire. A new verb is one line in `RemotePlacements`.

A verb is a method of `Placements`: its name travels, its annotations say how arguments and answers are read back from
JSON, and so a reply that is not what the method returns is refused. Arrays travel as .npy files, never pickled.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError, validate_call

from tinytorch.benchmarking.measure import Limits, Samples
from tinytorch.benchmarking.placements import Description, Mode, ModelSource, Placements, Subjects
from tinytorch.benchmarking.schedule import Plan, Probe
from tinytorch.benchmarking.system import thread_environment
from tinytorch.processes.worker import Worker, WorkerFailedError
from tinytorch.progress import Progress

SERVICE = "tinytorch.benchmarking.remote:PlacementsService"
REQUEST_LIMIT_S = 60.0  # for any one request but measuring
MEASURING_LIMIT_S = 600.0  # for all that is measured in one process

Answer = TypeVar("Answer")


class ModelLoadError(WorkerFailedError):
    """A worker could not rebuild the models that it was sent."""


@dataclass(frozen=True)
class Workers:
    """Placements in fresh worker processes with one BLAS thread. `inputs` is an .npy file, `scratch` a folder."""

    sources: tuple[ModelSource, ...]
    inputs: Path
    as_tensor: bool
    scratch: Path
    mode: Mode = "worker processes"

    @property
    def models(self) -> int:
        """How many models there are."""
        return len(self.sources)

    @contextlib.contextmanager
    def open(self, copies: int, seed: int) -> Iterator[RemotePlacements]:
        """Placements in a new process; ModelLoadError when it cannot build the models there."""
        with Worker(SERVICE, thread_environment(1)) as worker:
            try:
                worker.ask(
                    "open", REQUEST_LIMIT_S, search_path=[path for path in sys.path if path], inputs=str(self.inputs),
                    sources=[asdict(source) for source in self.sources], as_tensor=self.as_tensor,
                    copies=copies, seed=seed,
                )  # fmt: skip
            except WorkerFailedError as failure:
                raise ModelLoadError(failure.outcome, failure.detail, failure.frames) from None
            yield RemotePlacements(worker, self.scratch)


class RemotePlacements:
    """The parent's end: the methods of `Placements`, one line each."""

    def __init__(self, worker: Worker, scratch: Path) -> None:
        self._worker = worker
        self._array = scratch / "answer.npy"

    def describe(self, model: int) -> Description:
        return self._ask(Placements.describe, model=model)

    def predict(self, model: int) -> NDArray[Any]:
        return self._ask_array(Placements.predict, model=model)

    def probe(self) -> Probe:
        return self._ask(Placements.probe)

    def limits(self, kept_bytes: int) -> Limits:
        return self._ask(Placements.limits, kept_bytes=kept_bytes)

    def time_passes(self, model: int) -> list[int]:
        return self._ask(Placements.time_passes, model=model)

    def measure(self, plan: Plan, seed: int, progress: Progress) -> Samples:
        return self._ask(Placements.measure, MEASURING_LIMIT_S, progress, plan=asdict(plan), seed=seed)

    def _ask(
        self, verb: Callable[..., Answer], limit_s: float = REQUEST_LIMIT_S, progress: Progress | None = None,
        **arguments: Any,
    ) -> Answer:  # fmt: skip
        reply = self._worker.ask("answer", limit_s, progress, verb=verb.__name__, arguments=arguments)
        try:
            answer: Answer = _answer_type(verb).validate_python(reply)
        except ValidationError:
            raise WorkerFailedError("broke the protocol", f"its answer to {verb.__name__!r} is none") from None
        return answer

    def _ask_array(self, verb: Callable[..., NDArray[Any]], **arguments: Any) -> NDArray[Any]:
        path = str(self._array)
        self._worker.ask("answer_array", REQUEST_LIMIT_S, verb=verb.__name__, arguments=arguments, path=path)
        try:
            array: NDArray[Any] = np.load(path, allow_pickle=False)
        except (OSError, ValueError):
            raise WorkerFailedError("broke the protocol", f"its answer to {verb.__name__!r} is no array") from None
        return array


class PlacementsService:
    """The child's end."""

    def open(
        self,
        search_path: list[str],
        sources: list[dict[str, Any]],
        inputs: str,
        as_tensor: bool,
        copies: int,
        seed: int,
    ) -> None:
        """Build the copies; `search_path` is where the parent's imports come from."""
        sys.path.extend(entry for entry in search_path if entry not in sys.path)
        builders = tuple(ModelSource(**source).build for source in sources)
        self._placements = Subjects(builders, np.load(inputs, allow_pickle=False), as_tensor).placed(copies, seed)

    def answer(self, verb: str, arguments: dict[str, Any], **observed: Progress) -> Any:
        """What the method called `verb` returns, as JSON can carry it."""
        method = validate_call(getattr(self._placements, verb))
        return _answer_type(getattr(Placements, verb)).dump_python(method(**arguments, **observed), mode="json")

    def answer_array(self, verb: str, arguments: dict[str, Any], path: str) -> None:
        """Save the array that the method called `verb` returns."""
        np.save(path, getattr(self._placements, verb)(**arguments), allow_pickle=False)


@cache
def _answer_type(verb: Callable[..., Answer]) -> TypeAdapter[Answer]:
    return TypeAdapter(get_type_hints(verb)["return"])
