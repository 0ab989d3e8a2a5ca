"""Models as files (artifacts). Loading one executes what it names: only for files that this machine made itself."""

from __future__ import annotations

import pickle
from pathlib import Path

from tinytorch.files import atomic_write


def save_model(model: object, path: Path) -> None:
    """Write `model` as an artifact, atomically."""
    atomic_write(path, pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL))


def load_model(path: str) -> object:
    """A new copy of the model in the artifact at `path`."""
    return pickle.loads(Path(path).read_bytes())
