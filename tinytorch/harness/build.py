"""Building the optimized model in a process of its own: both ends, and how a measuring worker loads what was built."""

from __future__ import annotations

import importlib.util
import pickle
import random
import sys
from collections.abc import Callable
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
from tinytorch.processes.worker import Worker, WorkerFailedError
from tinytorch.text import safe_text
from tinytorch.workloads.models import load_model, save_model
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import find_strategy

SERVICE = "tinytorch.harness.build:BuildService"
MODULE_NAME = "olympics_entry"  # under which an artifact finds the classes of its entry again


@dataclass(frozen=True)
class Declared:
    """What a contender says of itself."""

    techniques: list[str]
    division: Division


@dataclass(frozen=True)
class Frozen:
    """The files that a run is made from: its own copies, in its own folder. A strategy has no entry file."""

    folder: Path
    baseline: Path
    inputs: Path
    entry: Path | None


@dataclass(frozen=True)
class Built:
    """The optimized model as a file, and how any process gets a copy of it."""

    source: ModelSource
    artifact: Artifact
    declared: Declared


def build(challenge: Challenge, frozen: Frozen) -> Built:
    """Run `optimize` in a process that ends with it. WorkerFailedError when that fails."""
    artifact = frozen.folder / "optimized.pickle"
    arguments: dict[str, Any] = {
        "subject": str(frozen.entry or challenge.contender.name), "task": challenge.task.name,
        "baseline": str(frozen.baseline), "artifact": str(artifact), "seed": challenge.settings.seed,
    }  # fmt: skip
    with Worker(SERVICE, thread_environment(1)) as worker:
        reply = worker.ask(challenge.contender.kind, challenge.build_limit_s, **arguments)
    try:
        declared = TypeAdapter(Declared).validate_python(reply)
        content = artifact.read_bytes()
    except (ValidationError, OSError):
        raise WorkerFailedError("broke the protocol", "it did not build what it says") from None
    named = [safe_text(name, 100) for name in declared.techniques]
    return Built(_source_of(artifact, frozen.entry), Artifact.of(content), Declared(named, declared.division))


def model_source(artifact: Path) -> ModelSource:
    """How any process gets a model of the framework's own classes."""
    return ModelSource("tinytorch.workloads.models:load_model", {"path": str(artifact)})


def _source_of(artifact: Path, entry: Path | None) -> ModelSource:
    if entry is None:
        return model_source(artifact)
    return ModelSource("tinytorch.harness.build:load_artifact", {"artifact": str(artifact), "entry": str(entry)})


class BuildService:
    """The child's end: runs `optimize` once and saves the result as an artifact."""

    def entry(self, subject: str, task: str, baseline: str, artifact: str, seed: int) -> dict[str, Any]:
        """Build from the entry file at the path `subject`; returns what the file declares."""
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


def import_entry(path: str) -> ModuleType:
    """Import the entry's file, once per process, under a fixed name."""
    if MODULE_NAME in sys.modules:
        return sys.modules[MODULE_NAME]
    spec = importlib.util.spec_from_file_location(MODULE_NAME, path)
    if spec is None or spec.loader is None:
        raise EntryError("its name does not end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE_NAME] = module
    spec.loader.exec_module(module)
    return module


def load_artifact(artifact: str, entry: str) -> object:
    """A new copy of the optimized model, in a process that has seen only artifact and source."""
    import_entry(entry)
    return load_model(artifact)


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
