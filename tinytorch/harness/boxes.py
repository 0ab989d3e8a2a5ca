"""The boxes that entries are built and measured in: what they show besides Python and the package, and what they hide."""

from __future__ import annotations

from pathlib import Path

from tinytorch.harness.kernels import VARIABLE
from tinytorch.processes.box import PACKAGE, Box, Tier

SETTLE = "tinytorch.harness.kernels:settle"


def box_for(tier: Tier | None, kernels: Path, *readable: Path) -> Box | None:
    """A box that shows the folders; None for tier None, the plain process.

    Shipped data have the test labels in them, and are masked. Each box gets compiled kernels of its own: loading one
    runs what is in it, so that whoever can write them owns the loader.
    """
    if tier is None:
        return None
    shown = tuple(map(str, (kernels, *readable)))
    return Box(tier, shown, shipped_data(), SETTLE, {VARIABLE: str(kernels)})


def shipped_data() -> tuple[str, ...]:
    """The package's files of data, which have test labels in them."""
    return tuple(map(str, sorted((PACKAGE / "datasets").glob("*.npz"))))
