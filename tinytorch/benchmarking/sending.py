"""Models sent to worker processes, by value where no worker could import them: classes of a script or a notebook."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

from tinytorch.benchmarking.placements import ModelSource
from tinytorch.errors import TinyTorchError


class UnsendableError(TinyTorchError):
    """A model holds what no other process can be given: an open file, a lock, a generator."""


def sources_of(models: Sequence[object], scratch: Path) -> tuple[ModelSource, ...]:
    """Where workers find the models, which are written into `scratch`; UnsendableError for one that cannot be sent."""
    sources = []
    for index, model in enumerate(models):
        path = scratch / f"model-{index}.pickle"
        path.write_bytes(_pickled(model))
        sources.append(ModelSource(f"{__name__}:unpickle", {"path": str(path)}))
    return tuple(sources)


def unpickle(path: str) -> object:
    """A model that this very benchmark pickled; never for files from elsewhere."""
    return pickle.loads(Path(path).read_bytes())


def _pickled(model: object) -> bytes:
    import cloudpickle  # pickle sends a class as its address, and nobody else has the `__main__` of a script

    try:
        content: bytes = cloudpickle.dumps(model)
    except Exception as error:
        raise UnsendableError(f"{type(model).__qualname__} cannot be sent to another process: {error}") from error
    return content
