"""Models as files (artifacts). Loading one executes what it names: only for files that this machine made itself."""

from __future__ import annotations

import pickle
from pathlib import Path

from tinytorch.errors import RunError
from tinytorch.files import LARGEST_ARTIFACT_BYTES, read_regular, sha256


def load_model(path: str, digest: str | None = None) -> object:
    """A new copy of the model in the artifact at `path`; RunError when its SHA-256 is not `digest`."""
    content = read_regular(Path(path), LARGEST_ARTIFACT_BYTES)
    if digest is not None and sha256(content) != digest:
        raise RunError(f"{Path(path).name} is not the file that was written", mend="run the same command again")
    return pickle.loads(content)
