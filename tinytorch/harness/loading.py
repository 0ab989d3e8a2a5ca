"""How a measuring process loads what was built: light to import, every one of them waits for it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

from tinytorch.harness.frozen import ARTIFACT, ENTRY, MODULE_NAME, Frozen
from tinytorch.workloads.models import load_model

DECLARED = "TECHNIQUES"  # which was read when the model was built, and is no part of it


def import_entry(folder: str) -> ModuleType:
    """Import the entry as the program does that has it in its folder, so that what it starts finds it too."""
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(MODULE_NAME)


def load_artifact(folder: str, digests: dict[str, str]) -> object:
    """A new copy of a model of an entry's own classes, in a process that has its artifact and the source it needs."""
    frozen = Frozen(Path(folder), digests)
    frozen.refuse_changes()
    if ENTRY in digests:
        vars(import_entry(folder)).pop(DECLARED, None)
    elif folder not in sys.path:
        sys.path.insert(0, folder)
    return load_model(str(frozen.path(ARTIFACT)))
