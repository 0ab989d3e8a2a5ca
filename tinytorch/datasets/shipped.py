"""Files that are shipped with the package: arrays, each file with the digest that it must have."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from tinytorch.core.archive import arrays_of
from tinytorch.core.ops import Array
from tinytorch.datasets.withheld import are_withheld
from tinytorch.errors import SetupMissingError, UsageError
from tinytorch.files import reason, sha256

LARGEST_BYTES = 2**27  # of all arrays of a file together: ten times the largest file's


@cache
def shipped_arrays(path: Path, digest: str) -> Mapping[str, Array]:
    """The arrays in a file of the package, by name; unpacked once, and for reading only.

    Raises SetupMissingError when the file is absent or not the one that was shipped.
    """
    mend = "install the package again"
    try:
        content = path.read_bytes()
    except OSError as error:
        if are_withheld():  # a box hides the file, because the test split is in it
            mend = "use the train_data that optimize is given"
            raise UsageError(f"{path.name} is withheld while an entry is verified", mend=mend) from error
        raise SetupMissingError(f"{path.name} cannot be read from {path}: {reason(error)}", mend=mend) from error
    if sha256(content) != digest:
        raise SetupMissingError(f"{path} is damaged: its SHA-256 is not the one it was shipped with", mend=mend)
    arrays = {name: array for name, array in arrays_of(content, LARGEST_BYTES).items() if not _is_withheld(name)}
    for array in arrays.values():
        array.flags.writeable = False
    return MappingProxyType(arrays)


def _is_withheld(name: str) -> bool:
    return are_withheld() and name.startswith("test")
