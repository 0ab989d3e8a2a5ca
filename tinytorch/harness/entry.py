"""An athlete's entry, the child's side: import its file, run `optimize`, load what it made."""

from __future__ import annotations

import importlib.util
import pickle
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tinytorch.benchmarking.bench import as_call
from tinytorch.benchmarking.measure import Observer
from tinytorch.benchmarking.samples import DIVISIONS, MOST_TECHNIQUES
from tinytorch.errors import EntryError
from tinytorch.workloads.models import load_model, save_model
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import find_strategy

MODULE_NAME = "olympics_entry"  # under which an artifact finds the classes of its entry again


class BuildService:
    """The build worker: runs `optimize` once and saves the result as an artifact."""

    def __init__(self, observer: Observer) -> None:
        pass  # building has no progress to tell

    def entry(self, path: str, task: str, baseline: str, artifact: str, seed: int) -> dict[str, Any]:
        """Build from the entry file at `path`; returns what the file declares."""
        module = import_entry(path)
        optimize = getattr(module, "optimize", None)
        if not callable(optimize):
            raise EntryError("it defines no function `optimize(model, train_data)`")
        self._build(optimize, task, baseline, artifact, seed)
        return declarations(module)

    def strategy(self, name: str, task: str, baseline: str, artifact: str, seed: int) -> dict[str, Any]:
        """Build from a reference strategy."""
        strategy = find_strategy(name)
        self._build(strategy.optimize, task, baseline, artifact, seed)
        return {"techniques": list(strategy.techniques), "division": "closed"}

    def _build(self, optimize: Any, task: str, baseline: str, artifact: str, seed: int) -> None:
        random.seed(seed)
        np.random.seed(seed)
        train, _ = find_task(task).load_data()
        model = optimize(load_model(baseline), train)
        if model is None:
            raise EntryError("`optimize` returned None: it must return the optimized model")
        if isinstance(model, type) or not (callable(model) or callable(getattr(model, "forward", None))):
            raise EntryError(f"`optimize` returned {type(model).__qualname__!r}, which is not a model")
        as_call(model)
        try:
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


def declarations(module: ModuleType) -> dict[str, Any]:
    """TECHNIQUES and DIVISION as the entry declares them, checked."""
    techniques = getattr(module, "TECHNIQUES", [])
    listed = isinstance(techniques, (list, tuple)) and all(isinstance(name, str) and name for name in techniques)
    if not listed or len(techniques) > MOST_TECHNIQUES:
        raise EntryError(f"TECHNIQUES must be a list of at most {MOST_TECHNIQUES} names")
    division = getattr(module, "DIVISION", "closed")
    if division not in DIVISIONS:
        raise EntryError(f"DIVISION must be one of {', '.join(DIVISIONS)}")
    return {"techniques": list(techniques), "division": division}
