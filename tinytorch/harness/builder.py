"""The child's end of building: `optimize` is run once, and what it returns becomes an artifact."""

from __future__ import annotations

import io
import os
import pickle
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from tinytorch.competition.names import DIVISIONS, MOST_HELPERS, MOST_TECHNIQUES, TRACKS, Division, Track
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.model import as_call
from tinytorch.datasets.withheld import withhold_test_splits
from tinytorch.errors import EntryError
from tinytorch.files import LARGEST_ARTIFACT_BYTES
from tinytorch.harness.loading import DECLARED, import_entry
from tinytorch.processes.parcel import fill
from tinytorch.units import format_size
from tinytorch.workloads.models import load_model
from tinytorch.workloads.strategies import Step, apply

DEFINE = "add: def optimize(model, train_data): ..."


@dataclass(frozen=True)
class Declared:
    """What a contender says of itself."""

    techniques: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=MOST_TECHNIQUES)]
    division: Division
    track: Track | None = None


@dataclass(frozen=True)
class Made:
    """What a contender says of itself, the modules of its own that its artifact names, and how large that is."""

    declared: Declared
    modules: Annotated[list[str], Field(max_length=MOST_HELPERS + 1)]
    size_bytes: int


class BuildService:
    """The child's end: runs `optimize` once, and puts the result into a parcel as an artifact."""

    def entry(
        self, subject: str, baseline: str, training: str, parcel: int, seed: int, works_there: bool = False
    ) -> dict[str, Any]:
        """Build from the entry in the folder `subject`, which is also where it `works`; returns what it declares."""
        withhold_test_splits()
        if works_there:
            os.chdir(subject)
        module = import_entry(subject)
        optimize = getattr(module, "optimize", None)
        if not callable(optimize):
            raise EntryError(f"it defines no function `optimize`{_other(vars(module))}", mend=DEFINE)
        content = _optimized(optimize, baseline, training, seed)
        fill(parcel, content)
        return asdict(Made(declarations(module), _own_modules(content, subject), len(content)))

    def strategy(
        self, subject: list[dict[str, Any]], baseline: str, training: str, parcel: int, seed: int
    ) -> dict[str, Any]:
        """Build by the steps of a reference strategy."""
        steps = [Step(**step) for step in subject]
        content = _optimized(partial(apply, steps), baseline, training, seed)
        fill(parcel, content)
        return asdict(Made(Declared([step.technique for step in steps], "closed"), [], len(content)))


def _other(known: Iterable[str]) -> str:
    """The name that is there in its place, where somebody defined `optimise`."""
    close = get_close_matches("optimize", known, n=1)
    return f"; it has {close[0]!r}: name that optimize" if close else ""


def _optimized(optimize: Callable[[Any, Any], Any], baseline: str, training: str, seed: int) -> bytes:
    """The artifact of what `optimize` returns."""
    random.seed(seed)
    np.random.seed(seed)
    with np.load(training, allow_pickle=False) as arrays:
        train_data = TensorDataset(arrays["inputs"], arrays["labels"])
    model = optimize(load_model(baseline), train_data)
    if model is None:
        raise EntryError("`optimize` returned None", mend="return the optimized model from it")
    if isinstance(model, type) or not (callable(model) or callable(getattr(model, "forward", None))):
        kind = "a class" if isinstance(model, type) else repr(type(model).__qualname__)
        raise EntryError(f"`optimize` returned {kind}, which is not a model", mend="return the optimized model alone")
    as_call(model)
    try:  # pickled by reference: the entry's classes are found again in MODULE_NAME, local ones and lambdas are not
        content = pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        mend = "keep no lambda, open file or class from inside a function in it"
        raise EntryError(f"the optimized model cannot be saved: {error}", mend=mend) from error
    if len(content) > LARGEST_ARTIFACT_BYTES:
        message = (
            f"the optimized model takes {format_size(len(content))}, at most {format_size(LARGEST_ARTIFACT_BYTES)} fit"
        )
        raise EntryError(message, mend="keep less in it")
    return content


class _Names(pickle.Unpickler):
    """Loads an artifact and notes the modules of all that it names."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.modules: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        """The class or function, as usual."""
        self.modules.add(module)
        return super().find_class(module, name)


def _own_modules(artifact: bytes, folder: str) -> list[str]:
    """Modules in the entry's folder without which its artifact cannot be loaded."""
    names = _Names(artifact)
    names.load()
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in names.modules}
    return sorted(name for name, file in files.items() if file and Path(file).is_relative_to(folder))


def declarations(module: ModuleType) -> Declared:
    """TECHNIQUES, DIVISION and TRACK as the entry declares them, checked."""
    techniques = getattr(module, DECLARED, [])
    listed = isinstance(techniques, (list, tuple)) and all(isinstance(name, str) and name for name in techniques)
    if not listed or len(techniques) > MOST_TECHNIQUES:
        raise EntryError(f"TECHNIQUES must be a list of at most {MOST_TECHNIQUES} names")
    division = getattr(module, "DIVISION", "closed")
    if division not in DIVISIONS:
        raise EntryError(f"DIVISION must be one of {', '.join(DIVISIONS)}")
    track = getattr(module, "TRACK", None)
    if track not in (None, *TRACKS):
        raise EntryError(f"TRACK must be one of {', '.join(TRACKS)}")
    return Declared(list(techniques), division, track)
