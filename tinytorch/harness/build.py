"""Building the optimized model in a process of its own: both ends, and how a measuring worker loads what was built."""

from __future__ import annotations

import importlib
import pickle
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from tinytorch.benchmarking.blas import thread_environment
from tinytorch.benchmarking.placements import ModelSource, as_call
from tinytorch.benchmarking.session import Artifact
from tinytorch.competition.run import DIVISIONS, MOST_TECHNIQUES, Division
from tinytorch.errors import EntryError
from tinytorch.harness.contender import Challenge
from tinytorch.harness.frozen import ARTIFACT, BASELINE, MODULE_NAME, Frozen
from tinytorch.harness.helpers import module_name
from tinytorch.processes.worker import Worker, WorkerFailedError
from tinytorch.text import safe_text
from tinytorch.workloads.models import load_model, save_model
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import find_strategy

SERVICE = "tinytorch.harness.build:BuildService"
DECLARATIONS = ("TECHNIQUES", "DIVISION")


@dataclass(frozen=True)
class Declared:
    """What a contender says of itself."""

    techniques: list[str]
    division: Division


@dataclass(frozen=True)
class Built:
    """The optimized model as the content of a file, what its contender says of it, and what it printed meanwhile."""

    content: bytes
    declared: Declared
    output: str = ""

    @property
    def artifact(self) -> Artifact:
        """What is recorded of it."""
        return Artifact.of(self.content)


def build(challenge: Challenge, frozen: Frozen, artifact: Path) -> Built:
    """Run `optimize` in a process that ends with it. WorkerFailedError when that fails."""
    arguments: dict[str, Any] = {
        "subject": str(frozen.folder) if challenge.contender.source is not None else challenge.contender.name,
        "task": challenge.task.name, "baseline": str(frozen.path(BASELINE)), "artifact": str(artifact),
        "seed": challenge.settings.seed,
    }  # fmt: skip
    with Worker(SERVICE, thread_environment(1)) as worker:
        reply = worker.ask(challenge.contender.kind, challenge.build_limit_s, **arguments)
    try:
        declared = TypeAdapter(Declared).validate_python(reply)
        content = artifact.read_bytes()
    except (ValidationError, OSError):
        raise WorkerFailedError("broke the protocol", "it did not build what it says") from None
    named = [safe_text(name, 100) for name in declared.techniques]
    return Built(content, Declared(named, declared.division), worker.output)


def model_source(frozen: Frozen, artifact: str) -> ModelSource:
    """How any process gets a model of the framework's own classes."""
    arguments = {"path": str(frozen.path(artifact)), "digest": frozen.digests[artifact]}
    return ModelSource("tinytorch.workloads.models:load_model", arguments)


def entry_source(frozen: Frozen, helpers: Iterable[str]) -> ModelSource:
    """How any process gets a model of an entry's classes; the globals of its modules are part of the model."""
    arguments = {
        "folder": str(frozen.folder), "artifact": str(frozen.path(ARTIFACT)), "digest": frozen.digests[ARTIFACT]
    }  # fmt: skip
    modules = (MODULE_NAME, *map(module_name, helpers))
    return ModelSource("tinytorch.harness.build:load_artifact", arguments, modules)


class BuildService:
    """The child's end: runs `optimize` once and saves the result as an artifact."""

    def entry(self, subject: str, task: str, baseline: str, artifact: str, seed: int) -> dict[str, Any]:
        """Build from the entry in the folder `subject`; returns what its file declares."""
        module = import_entry(subject)
        optimize = getattr(module, "optimize", None)
        if not callable(optimize):
            raise EntryError("it defines no function `optimize(model, train_data)`")
        _optimize(optimize, task, baseline, artifact, seed)
        return asdict(declarations(module))

    def strategy(self, subject: str, task: str, baseline: str, artifact: str, seed: int) -> dict[str, Any]:
        """Build from the reference strategy called `subject`."""
        strategy = find_strategy(subject)
        _optimize(strategy.optimize, task, baseline, artifact, seed)
        return asdict(Declared(list(strategy.techniques), "closed"))


def _optimize(optimize: Callable[[Any, Any], Any], task: str, baseline: str, artifact: str, seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    train, _ = find_task(task).load_data()
    model = optimize(load_model(baseline), train)
    if model is None:
        raise EntryError("`optimize` returned None: it must return the optimized model")
    if isinstance(model, type) or not (callable(model) or callable(getattr(model, "forward", None))):
        raise EntryError(f"`optimize` returned {type(model).__qualname__!r}, which is not a model")
    as_call(model)
    try:  # pickled by reference: the entry's classes are found again in MODULE_NAME, local ones and lambdas are not
        save_model(model, Path(artifact))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise EntryError(f"the optimized model cannot be saved: {error}") from error


def import_entry(folder: str) -> ModuleType:
    """Import the entry as the program does that has it in its folder, so that what it starts finds it too."""
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(MODULE_NAME)


def load_artifact(folder: str, artifact: str, digest: str) -> object:
    """A new copy of the optimized model, in a process that has seen only artifact and source."""
    entry = import_entry(folder)
    for name in DECLARATIONS:  # they were read when it was built, and are no part of the model
        vars(entry).pop(name, None)
    return load_model(artifact, digest)


def declarations(module: ModuleType) -> Declared:
    """TECHNIQUES and DIVISION as the entry declares them, checked."""
    techniques = getattr(module, "TECHNIQUES", [])
    listed = isinstance(techniques, (list, tuple)) and all(isinstance(name, str) and name for name in techniques)
    if not listed or len(techniques) > MOST_TECHNIQUES:
        raise EntryError(f"TECHNIQUES must be a list of at most {MOST_TECHNIQUES} names")
    division = getattr(module, "DIVISION", "closed")
    if division not in DIVISIONS:
        raise EntryError(f"DIVISION must be one of {', '.join(DIVISIONS)}")
    return Declared(list(techniques), division)
