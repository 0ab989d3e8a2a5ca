"""Files that are shipped with the package: arrays, each file with the digest that it must have."""

from __future__ import annotations

from pathlib import Path

from tinytorch.core.archive import arrays_of
from tinytorch.core.ops import Array
from tinytorch.errors import SetupMissingError
from tinytorch.files import reason, sha256

LARGEST_BYTES = 2**27  # of all arrays of a file together: ten times the largest file's


def shipped_arrays(path: Path, digest: str) -> dict[str, Array]:
    """The arrays in a file of the package, by name.

    Raises SetupMissingError when the file is absent or not the one that was shipped.
    """
    mend = "install the package again"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SetupMissingError(f"{path.name} cannot be read from {path}: {reason(error)}", mend=mend) from error
    if sha256(content) != digest:
        raise SetupMissingError(f"{path} is damaged: its SHA-256 is not the one it was shipped with", mend=mend)
    return arrays_of(content, LARGEST_BYTES)
