"""Compiled kernels in a process of an entry: a copy of its own, or loaded before foreign code. Light to import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name

from tinytorch.files import atomic_write
from tinytorch.owners import remove

VARIABLE = "NUMBA_CACHE_DIR"  # as numba calls it
IN_A_BOX = Path("/own/kernels")  # of tier A: each has a copy
KERNELS = "kernels_*"  # folders that numba makes in it, one for each folder of sources
PROGRAM = "tinytorch.perf.acceleration.kernels"


def settle(tier: str, given: Mapping[str, str]) -> None:
    """Called in a box before foreign code: kernels of its own, copied, or loaded where nothing can be written later."""
    folder = Path(given[VARIABLE])
    if tier == "A":
        os.environ[VARIABLE] = str(IN_A_BOX)
        copy_kernels({path.relative_to(folder): path.read_bytes() for path in kernel_files(folder)}, IN_A_BOX)
    elif find_spec("numba"):
        KernelService().compile()


class KernelService:
    """The child's end: our own code, and nobody else's."""

    def compile(self) -> None:
        """Compile the kernels, or load them where that was done; numba keeps them."""
        import numpy as np

        rows = np.empty(0, np.int64)
        resolve_name(f"{PROGRAM}.program:run")(rows)


def kernel_files(folder: Path) -> list[Path]:
    """Those in a folder."""
    return sorted(folder.glob(f"{KERNELS}/*"))


def copy_kernels(contents: Mapping[Path, bytes], folder: Path) -> None:
    """Write them below a folder, in place of what is there."""
    for path, content in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            remove(target)
        atomic_write(target, content)
