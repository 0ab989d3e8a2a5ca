"""Placements: live copies of the models in one process, ready to be measured, here or in a worker (`remote`)."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import chain
from pkgutil import resolve_name
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking import integrity, measure, yardstick
from tinytorch.benchmarking.blas import verified_blas_threads
from tinytorch.benchmarking.footprint import Footprint, footprint
from tinytorch.benchmarking.records.record import Kinds, Size, SomeNames, Threads
from tinytorch.benchmarking.records.work import COUNTED_SAMPLES, Limits, Work
from tinytorch.benchmarking.schedule import Probe, Schedule
from tinytorch.core.layers import Layer, find_layers, layer_kinds, parameter_count
from tinytorch.core.model import Backend, as_call, backend_of
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.weights import weights_digest
from tinytorch.errors import ModelError

Builder = Callable[[], object]
Count = Callable[[Any, object], tuple[int, int, int] | None]  # what an answer to a sample takes (see `Work`)
Freshen = Callable[[NDArray[Any], np.random.Generator], NDArray[Any]]  # new inputs of the given ones' shape and type
Mode = Literal["worker processes", "this process"]
Raw = NDArray[np.uint8]

SINGLE_BUDGET_NS = 5_000_000_000  # for looking at single outputs
FIRST_HELD = 4  # answers that are held while others are asked for, and as many by chance


@dataclass(frozen=True)
class ModelSource:
    """How any process gets the model: an importable function, `package.module:function`, and its arguments.

    The globals of `modules`, which are imported once the model is built, are part of what it keeps.
    """

    builder: str
    arguments: dict[str, Any] = field(default_factory=dict)
    modules: tuple[str, ...] = ()

    def build(self) -> object:
        """A new model in memory of its own."""
        return resolve_name(self.builder)(**self.arguments)


@dataclass(frozen=True)
class Description:
    """What a model is and keeps, after one warm-up inference. None where the model cannot be asked."""

    parameters: Size | None
    layer_kinds: Kinds | None
    kept_bytes: Size
    peak_working_bytes: Size
    unseen: SomeNames
    backend: Backend | None = None


@dataclass(frozen=True)
class Inspection:
    """What a process looks like after its models have run: bytes that each keeps now, threads, patched functions.

    `weights_sha256` has for each model the digests of its copies' layers and weights (see `weights_digest`).
    """

    kept_bytes: list[Size]
    blas_threads: Threads | None
    patched: SomeNames
    weights_sha256: list[SomeNames]


@dataclass(frozen=True)
class Subjects:
    """What is measured: how to build each model, and the inputs (N, ...), which models get as Tensors or as arrays.

    `freshen` makes new inputs like the given ones, so that nothing timed repeats; without it they are taken in turn.
    `modules` names, for each model, the modules whose globals it keeps. `count` counts what an answer takes.
    """

    builders: tuple[Builder, ...]
    inputs: NDArray[Any]
    as_tensor: bool
    freshen: Freshen | None = None
    modules: tuple[tuple[str, ...], ...] = ()
    count: Count | None = None

    def only(self, model: int) -> Subjects:
        """The same with one of the models alone."""
        return replace(self, builders=(self.builders[model],), modules=self.modules[model : model + 1])


class AnyPlacements(Protocol):
    """What placements in this process and in a worker have in common."""

    def describe(self, model: int) -> Description: ...
    def predict(self, model: int, batch: int) -> NDArray[Any]: ...
    def predict_singly(self, model: int, call_ns: int) -> NDArray[Any]: ...
    def probe(self) -> Probe: ...
    def limits(self, kept_bytes: int, tries: int) -> Limits: ...
    def counted(self, model: int, call_ns: int) -> Work | None: ...
    def time_passes(self, model: int, batch: int) -> list[int]: ...
    def visit(self, plan: Schedule, seed: int) -> measure.Samples: ...
    def timed_outputs(self, model: int, block: int) -> Raw: ...
    def outputs_of_block(self, model: int, plan: Schedule, of_model: int, seed: int, block: int) -> NDArray[Any]: ...
    def inspect(self) -> Inspection: ...
    def left_behind(self) -> list[str]: ...


Alone = Sequence[AnyPlacements]  # each model, in a process that has nothing of the others


class Venue(Protocol):
    """Where placements are made: how many models there are, and in what kind of process they will be.

    `open` makes copies of all models in each process, to be timed; `alone` one of each, in a process of its own.
    """

    @property
    def models(self) -> int: ...
    @property
    def mode(self) -> Mode: ...
    def open(self, copies: int, seeds: Sequence[int]) -> AbstractContextManager[Sequence[AnyPlacements]]: ...
    def alone(self, seed: int) -> AbstractContextManager[Alone]: ...


@dataclass(frozen=True)
class ThisProcess:
    """Placements beside the caller's own objects: one process, and so one unit, whatever it holds."""

    subjects: Subjects
    mode: Mode = "this process"

    @property
    def models(self) -> int:
        """How many models there are."""
        return len(self.subjects.builders)

    def open(self, copies: int, seeds: Sequence[int]) -> nullcontext[Sequence[AnyPlacements]]:
        """New placements, for each of the seeds."""
        before = integrity.snapshot()
        return nullcontext([Placements(self.subjects, copies, seed, before) for seed in seeds])

    def alone(self, seed: int) -> nullcontext[Alone]:
        """New placements for each of the models."""
        before = integrity.snapshot()
        subjects = [self.subjects.only(model) for model in range(self.models)]
        return nullcontext([Placements(only, 1, seed, before) for only in subjects])


class Placements:
    """`copies` live copies of every model, alive until the session ends, because where they lie is what varies."""

    def __init__(self, subjects: Subjects, copies: int, seed: int, before: integrity.Snapshot):
        self._wrap: Callable[[NDArray[Any]], object] = Tensor if subjects.as_tensor else np.asarray
        self._subjects, self._before = subjects, before
        self._noise = np.random.default_rng(seed)
        order = random.Random(seed)
        self._models = [_build_in_random_order(subjects.builders, order) for _ in range(copies)]
        for layer in find_layers(self._models):
            layer.training = False
        self._calls = [[as_call(model) for model in models] for models in self._models]
        self._timed = [[measure.answers(call) for call in calls] for calls in self._calls]
        self._outputs: list[measure.Outputs] = []

    def describe(self, model: int) -> Description:
        """Warm model number `model` up with one inference, then count what it keeps."""
        subject, call = self._models[0][model], self._calls[0][model]
        sample = self._take(1, self._noise)[0]
        measure.warm_up(call, sample)
        peak = measure.peak_working_bytes(call, sample)
        kept = self._footprint(model)
        layer = subject if isinstance(subject, Layer) else None
        return Description(
            parameters=parameter_count(layer) if layer is not None else None,
            layer_kinds=layer_kinds(layer) if layer is not None else None,
            kept_bytes=kept.kept_bytes,
            peak_working_bytes=peak,
            unseen=list(kept.unseen),
            backend=backend_of(subject),
        )

    def predict(self, model: int, batch: int) -> NDArray[Any]:
        """Outputs of all inputs, at most `batch` of them at a time, as an array of its own."""
        inputs = self._subjects.inputs
        with no_grad():
            return self._answered(model, [inputs[start : start + batch] for start in range(0, len(inputs), batch)])

    def predict_singly(self, model: int, call_ns: int) -> NDArray[Any]:
        """Outputs of the inputs one by one, as many from the first on as take about `SINGLE_BUDGET_NS`.

        ModelError where one of them is another one afterwards: whoever still held it would be wrong.
        """
        inputs = self._subjects.inputs
        count = min(len(inputs), _affordable(call_ns))
        with no_grad():
            return self._answered(model, [inputs[index : index + 1] for index in range(count)])

    def _answered(self, model: int, parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Answers to some inputs after one another, of which a few are held until the end."""
        call, held, answers = self._calls[0][model], list[tuple[int, object]](), list[NDArray[Any]]()
        kept = {*range(FIRST_HELD), *self._noise.integers(len(parts), size=FIRST_HELD).tolist()}
        for number, part in enumerate(parts):
            answer = call(self._wrap(part))
            answers.append(_outputs(answer))
            if number in kept:
                held.append((number, answer))
        if any(_outputs(answer).tobytes() != answers[number].tobytes() for number, answer in held):
            message = "the model's answer to one input became another when it was asked the next"
            mend = "return a copy, Tensor(buffer.copy()), and no view of a buffer that is written again"
            raise ModelError(message, mend=mend)
        return _joined(answers)

    def probe(self) -> Probe:
        """Roughly what measuring will cost, for planning."""
        timer = measure.examine_timer()
        take = partial(self._take, generator=self._noise)
        calls = tuple(measure.probe_call_ns(call, take) for call in self._calls[0])
        return Probe(calls, timer.overhead_ns, timer.step_ns)

    def limits(self, kept_bytes: int, tries: int) -> Limits:
        """What one thread can do at its best here."""
        return measure.examine_limits(kept_bytes, tries)

    def counted(self, model: int, call_ns: int) -> Work | None:
        """What one inference of a sample does, on average over a few; None where that cannot be counted.

        They are made of the first inputs, always in one way, so that counts of models and sessions can be compared.
        """
        count = self._subjects.count
        if count is None:
            return None
        samples = min(COUNTED_SAMPLES, _affordable(call_ns))
        inputs = self._fresh(self._subjects.inputs[:samples], np.random.default_rng(0))
        singles = [self._wrap(inputs[place : place + 1]) for place in range(len(inputs))]
        return Work.mean([count(self._models[0][model], single) for single in singles])

    def time_passes(self, model: int, batch: int) -> list[int]:
        """Nanoseconds of single passes over the first `batch` inputs, new ones each time where they can be made."""
        first, timed = self._subjects.inputs[:batch], self._timed[0][model]
        return measure.time_passes(lambda batch: timed([batch]), lambda: self._wrap(self._fresh(first, self._noise)))

    def visit(self, plan: Schedule, seed: int) -> measure.Samples:
        """Interleaved samples of every model in every copy; order and inputs follow from the visit's `seed`."""
        take = partial(self._inputs_of_block, seed)
        copies = [[*models, beside] for models, beside in zip(self._timed, self._yardsticks, strict=True)]
        samples, self._outputs = measure.measure_visit(copies, take, plan, random.Random(seed))
        return samples

    @cached_property
    def _yardsticks(self) -> list[measure.Answers]:
        """One for each copy; made for the first visit, so that a model alone has nothing beside it."""
        return [measure.answers(as_call(yardstick.network())) for _ in self._models]

    def timed_outputs(self, model: int, block: int) -> Raw:
        """What a model answered in the timed calls of one pair of blocks of the last visit, one after the other."""
        return np.frombuffer(b"".join(self._outputs[block][model]), np.uint8)

    def outputs_of_block(self, model: int, plan: Schedule, of_model: int, seed: int, block: int) -> NDArray[Any]:
        """What a model answers, one by one, to the inputs that model `of_model` of the plan was timed with there."""
        inputs = self._inputs_of_block(seed, block, plan.inputs_of_block)
        timed = chain.from_iterable(measure.batches_of(plan, of_model, inputs)[plan.block.discarded :])
        with no_grad():
            return _joined([_outputs(self._calls[0][model](sample))[np.newaxis] for sample in timed])

    def inspect(self) -> Inspection:
        """What is to be looked at once foreign code has run."""
        models = range(len(self._subjects.builders))
        kept = [self._footprint(model).kept_bytes for model in models]
        weights = [[weights_digest(copies[model]) for copies in self._models] for model in models]
        return Inspection(kept, verified_blas_threads(), integrity.changed(self._before), weights)

    def left_behind(self) -> list[str]:
        """Nothing that could be told from the caller's own."""
        return []

    def _footprint(self, model: int) -> Footprint:
        names = self._subjects.modules[model] if self._subjects.modules else ()
        return footprint(self._models[0][model], [sys.modules[name] for name in names if name in sys.modules])

    def _inputs_of_block(self, seed: int, block: int, count: int) -> list[object]:
        """The same in every process."""
        return self._take(count, np.random.default_rng((seed, block)))

    def _take(self, count: int, generator: np.random.Generator) -> list[object]:
        """So many inputs of one sample each, from a place drawn at random on; new ones where they can be made."""
        inputs = self._subjects.inputs
        start = int(generator.integers(len(inputs)))
        rows = self._fresh(inputs[np.arange(start, start + count) % len(inputs)], generator)
        return [self._wrap(rows[index : index + 1]) for index in range(count)]

    def _fresh(self, rows: NDArray[Any], generator: np.random.Generator) -> NDArray[Any]:
        return rows if self._subjects.freshen is None else self._subjects.freshen(rows, generator)


def _affordable(call_ns: int) -> int:
    """How many single samples may be looked at, of a model that takes so long: at least one."""
    return max(1, SINGLE_BUDGET_NS // max(1, call_ns))


def _build_in_random_order(builders: Sequence[Builder], generator: random.Random) -> list[object]:
    """One model of each builder, built in random order: who comes first lies elsewhere in memory."""
    models: dict[int, object] = {}
    for index in generator.sample(range(len(builders)), len(builders)):
        models[index] = builders[index]()
    return [models[index] for index in range(len(builders))]


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Outputs of some inputs after those of others. ModelError where they do not fit together."""
    if len(parts) == 1:
        return parts[0]
    if len(types := dict.fromkeys(str(part.dtype) for part in parts)) > 1:
        mend = "return all answers in one type: np.asarray(answer, np.float32)"
        raise ModelError(f"the model's outputs are {' and '.join(types)}, by the input", mend=mend)
    try:
        return np.concatenate(parts)
    except ValueError as error:
        mend = "return the outputs as one Tensor or array with a row for each sample"
        raise ModelError(f"the model's outputs do not fit together: {error}", mend=mend) from error


def _outputs(returned: object) -> NDArray[Any]:
    """What a model returned as an array of its own: a model may write into its array again."""
    if returned is None or isinstance(returned, tuple | dict | set | str | bytes):
        kind = type(returned).__name__
        mend = "return the outputs alone, as one Tensor or array with a row for each sample"
        raise ModelError(f"the model returns {kind if returned is None else f'a {kind}'} instead of outputs", mend=mend)
    return np.array(returned)
