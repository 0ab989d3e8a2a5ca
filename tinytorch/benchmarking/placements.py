"""Placements: live copies of the models in one process, ready to be measured, here or in a worker (`remote`)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking import measure, system
from tinytorch.benchmarking.footprint import footprint
from tinytorch.benchmarking.schedule import Plan, Probe
from tinytorch.core.layers import Layer, layer_kinds, parameter_count
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.errors import UsageError
from tinytorch.progress import Progress, part_of

Builder = Callable[[], object]
Mode = Literal["worker processes", "this process"]


@dataclass(frozen=True)
class ModelSource:
    """How any process gets the model: an importable function, `package.module:function`, and its arguments."""

    builder: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def build(self) -> object:
        """A new model in memory of its own."""
        return resolve_name(self.builder)(**self.arguments)


@dataclass(frozen=True)
class Description:
    """What a model is and keeps, after one warm-up inference. None where the model cannot be asked."""

    parameters: int | None
    layer_kinds: list[str] | None
    kept_bytes: int
    peak_working_bytes: int
    unseen: list[str]
    blas_threads: int | None


def as_call(model: object) -> measure.Call:
    """The model as a function of one input; a Layer is first switched to inference.

    Raises UsageError for something that has neither `__call__` nor `forward`.
    """
    if isinstance(model, Layer):
        model.eval()
    if callable(model):
        return model
    forward = getattr(model, "forward", None)
    if not callable(forward):
        raise UsageError(
            f"{type(model).__qualname__!r} is not a model: it has neither `__call__` nor `forward`",
            mend="give an object that can be called with one batch of inputs",
        )
    checked: measure.Call = forward
    return checked


@dataclass(frozen=True)
class Subjects:
    """What is measured: how to build each model, and the inputs (N, ...), which models get as Tensors or as arrays."""

    builders: tuple[Builder, ...]
    inputs: NDArray[Any]
    as_tensor: bool

    def placed(self, copies: int, seed: int) -> Placements:
        """`copies` of every model, alive in this process."""
        return Placements(self, copies, seed)


class AnyPlacements(Protocol):
    """What placements in this process and in a worker have in common."""

    def describe(self, model: int) -> Description: ...
    def predict(self, model: int) -> NDArray[Any]: ...
    def probe(self) -> Probe: ...
    def limits(self, kept_bytes: int) -> measure.Limits: ...
    def time_passes(self, model: int) -> list[int]: ...
    def measure(self, plan: Plan, seed: int, progress: Progress) -> measure.Samples: ...


class Venue(Protocol):
    """Where placements are made: how many models there are, and in what kind of process they will be."""

    @property
    def models(self) -> int: ...
    @property
    def mode(self) -> Mode: ...
    def open(self, copies: int, seed: int) -> AbstractContextManager[AnyPlacements]: ...


@dataclass(frozen=True)
class ThisProcess:
    """Placements beside the caller's own objects; placement in memory then hardly varies."""

    subjects: Subjects
    mode: Mode = "this process"

    @property
    def models(self) -> int:
        """How many models there are."""
        return len(self.subjects.builders)

    def open(self, copies: int, seed: int) -> nullcontext[AnyPlacements]:
        """New placements."""
        return nullcontext(self.subjects.placed(copies, seed))


class Placements:
    """`copies[k][m]` is copy k of model m; where they lie is what varies, so all stay alive until built anew."""

    def __init__(self, subjects: Subjects, copies: int, seed: int):
        wrap: Callable[[NDArray[Any]], object] = Tensor if subjects.as_tensor else np.asarray
        self._batch = wrap(subjects.inputs)
        self._inputs = [wrap(subjects.inputs[index : index + 1]) for index in range(len(subjects.inputs))]
        self._builders, self._copies = subjects.builders, copies
        self._generator = random.Random(seed)
        self._build()

    def _build(self) -> None:
        """Copies in new places; the old ones are given back only afterwards, so that the places differ."""
        self._models = [_build_in_random_order(self._builders, self._generator) for _ in range(self._copies)]
        self._calls = [[as_call(model) for model in models] for models in self._models]

    def describe(self, model: int) -> Description:
        """Warm model number `model` up with one inference, then count what it keeps."""
        subject, call = self._models[0][model], self._calls[0][model]
        with no_grad():
            call(self._inputs[0])
        peak = measure.peak_working_bytes(call, self._inputs[0])
        kept = footprint(subject)
        layer = subject if isinstance(subject, Layer) else None
        return Description(
            parameters=parameter_count(layer) if layer is not None else None,
            layer_kinds=layer_kinds(layer) if layer is not None else None,
            kept_bytes=kept.kept_bytes,
            peak_working_bytes=peak,
            unseen=list(kept.unseen),
            blas_threads=system.verified_blas_threads(),
        )

    def predict(self, model: int) -> NDArray[Any]:
        """Outputs for the full batch of inputs, as an array of its own."""
        with no_grad():
            return np.array(self._calls[0][model](self._batch))  # a copy: a model may write into its own array again

    def probe(self) -> Probe:
        """Roughly what measuring will cost, for planning."""
        timer = measure.examine_timer()
        build_ns = measure.time_calls(lambda _: self._build(), [None])
        calls = tuple(measure.probe_call_ns(call, self._inputs) for call in self._calls[0])
        return Probe(calls, build_ns // self._copies, timer.overhead_ns, timer.step_ns)

    def limits(self, kept_bytes: int) -> measure.Limits:
        """What one thread can do at its best here."""
        return measure.examine_limits(kept_bytes)

    def time_passes(self, model: int) -> list[int]:
        """Nanoseconds of single passes over the full batch."""
        return measure.time_passes(self._calls[0][model], self._batch)

    def measure(self, plan: Plan, seed: int, progress: Progress) -> measure.Samples:
        """Interleaved samples of every model in every placement of every generation."""
        generator = random.Random(seed)
        samples: measure.Samples = [[] for _ in self._builders]
        for generation in range(plan.generations):
            if generation:
                self._build()
            order = generator.randrange(2**32)
            told = part_of(progress, "measure", generation, plan.generations)
            found = measure.measure_placements(self._calls, self._inputs, plan, order, progress=told)
            for whole, part in zip(samples, found, strict=True):
                whole.extend(part)
        return samples


def _build_in_random_order(builders: Sequence[Builder], generator: random.Random) -> list[object]:
    """One model of each builder, built in random order: who comes first lies elsewhere in memory."""
    models: dict[int, object] = {}
    for index in generator.sample(range(len(builders)), len(builders)):
        models[index] = builders[index]()
    return [models[index] for index in range(len(builders))]
