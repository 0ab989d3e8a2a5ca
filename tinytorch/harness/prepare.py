"""What a run is made from: the trained baseline, the optimized model that is built from it, and all files frozen."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinytorch.benchmarking.placements import ModelSource
from tinytorch.benchmarking.provisional import Watch, unwatched
from tinytorch.benchmarking.session import Truth
from tinytorch.datasets import withheld
from tinytorch.harness.build import Built, build, entry_source, model_source
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.faults import blaming, scratch
from tinytorch.harness.frozen import ARTIFACT, BASELINE, INPUTS, TRAINING, Frozen
from tinytorch.harness.kernels import kernels_of
from tinytorch.progress import Progress, silent
from tinytorch.workloads.cache import cached_baseline
from tinytorch.workloads.task import Task

WITHHOLD = f"{withheld.__name__}:{withheld.withhold_test_splits.__name__}"


@dataclass(frozen=True)
class Observer:
    """Who is told what happens in a run.

    That is how far it is, what a person should know, what its processes printed, and what it shows so far.
    """

    progress: Progress = silent
    say: Callable[[str], None] = lambda message: None
    output: Callable[[str, str], None] = lambda where, text: None
    watch: Watch = unwatched


UNOBSERVED = Observer()


@dataclass(frozen=True)
class Prepared:
    """The files that both models are loaded from, and how the optimized one was built.

    The optimized model and the inputs are `frozen` in `folder`, and the baseline lies in another one: whoever measures
    a model alone is told of no file of the other's. `truth` are the right answers to the inputs that were frozen, and
    `kernels` is the folder that their processes find compiled kernels in.
    """

    folder: Path
    baseline: bytes
    built: Built
    frozen: Frozen
    frozen_baseline: Frozen
    truth: Truth
    contender: Contender
    kernels: Path

    @property
    def sources(self) -> tuple[ModelSource, ModelSource]:
        """How any process gets the baseline and the optimized model."""
        baseline = model_source(self.frozen_baseline, BASELINE)
        if not self.built.sources:
            return baseline, model_source(self.frozen, ARTIFACT)
        return baseline, entry_source(self.frozen, self.built.sources)

    def refuse_changes(self) -> None:
        """ModelError that names a file which is not what was frozen any more."""
        for frozen in (self.frozen, self.frozen_baseline):
            frozen.refuse_changes()


@contextmanager
def prepared(challenge: Challenge, told: Observer = UNOBSERVED) -> Iterator[Prepared]:
    """Train the baseline where that was not done yet, build the optimized model, and freeze what they are loaded from.

    All of it is gone afterwards, but for the baseline. Raises EntryError when the contender's entry fails.
    """
    task, contender = challenge.task, challenge.contender
    with _baseline(challenge, told) as baseline, kernels_of(challenge, told.progress, told.say) as kernels:
        told.progress("build", 0.0)
        with scratch() as workshop, blaming(contender, "in optimize", challenge.isolation is not None):
            own = Frozen.of(workshop / "entry", contender.materials)  # apart: a file of its own may have any name
            given = Frozen.of(workshop / "given", {BASELINE: baseline, TRAINING: _training_data(task)})
            built = build(challenge, own, given, kernels)
        told.output("optimize", built.output)
        with scratch() as folder, scratch() as apart:  # others, which nothing that ran in `optimize` has seen
            frozen, truth = freeze(task, folder / "run", {**built.sources, ARTIFACT: built.content})
            frozen_baseline = Frozen.of(apart / "run", {BASELINE: baseline})
            yield Prepared(folder, baseline, built, frozen, frozen_baseline, truth, contender, kernels)


def _baseline(challenge: Challenge, told: Observer) -> AbstractContextManager[bytes]:
    """The artifact of the one that is given, or else of the task's, whose file is watched."""
    if challenge.baseline is not None:
        return nullcontext(challenge.baseline)
    cached = cached_baseline(challenge.task, told.progress, told.say, challenge.cache_directory)
    return cached.guarded(told.say)


def freeze(task: Task, folder: Path, contents: Mapping[str, bytes]) -> tuple[Frozen, Truth]:
    """The files that every measuring process loads from, and the inputs; they never get the right answers.

    Behind the test set's come inputs that are made now, after the model: nobody can have seen them.
    """
    _, test = task.load_data()
    fresh = task.fresh_samples(np.random.default_rng())
    inputs = io.BytesIO()
    np.save(inputs, np.concatenate([test.inputs, fresh.inputs]), allow_pickle=False)
    return Frozen.of(folder, {**contents, INPUTS: inputs.getvalue()}), Truth(test.labels, fresh.labels)


def _training_data(task: Task) -> bytes:
    """The training split with its labels, as a file."""
    train, _ = task.load_data()
    file = io.BytesIO()
    np.savez(file, inputs=train.inputs, labels=train.labels)
    return file.getvalue()
