"""The boxes that entries are built and measured in: what they show besides Python and ours, and what they hide."""

from __future__ import annotations

from pathlib import Path

from tinytorch.harness.kernels import VARIABLE
from tinytorch.processes.box import PACKAGE, Box, Tier

SETTLE = "tinytorch.harness.kernels:settle"


def box_for(tier: Tier | None, kernels: Path | None, *readable: Path) -> Box | None:
    """A box that shows the folders; None for tier None, the plain process.

    Shipped data have the test labels in them, and are masked. Each box gets compiled kernels of its own: loading one
    runs what is in it, so that whoever can write them owns the loader.
    """
    if tier is None:
        return None
    if kernels is None:
        return Box(tier, tuple(map(str, readable)), shipped_data())
    shown = tuple(map(str, (kernels, *readable)))
    return Box(tier, shown, shipped_data(), SETTLE, {VARIABLE: str(kernels)})


class Looking:
    """The child's end, which looks what can be read in a box."""

    def sizes(self, paths: list[str]) -> list[int]:
        """How many bytes of each file can be read."""
        return [_size_bytes(Path(path)) for path in paths]


def _size_bytes(path: Path) -> int:
    try:
        return len(path.read_bytes())
    except OSError:
        return 0


def shipped_data() -> tuple[str, ...]:
    """The package's files of data, which have test labels in them."""
    return tuple(map(str, sorted((PACKAGE / "datasets").glob("*.npz"))))
