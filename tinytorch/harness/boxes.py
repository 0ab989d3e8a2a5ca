"""The boxes that entries are built and measured in: what they show besides Python and ours, and what they hide."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from tinytorch.doors import advertised, folders_of
from tinytorch.harness.contender import Challenge
from tinytorch.harness.settling import VARIABLE
from tinytorch.processes.box import PACKAGE, Box, Tier
from tinytorch.workloads.registry import find_task

MAPPED_BYTES = 2**30  # of addresses, for libraries: the limit of memory counts what is written to
SETTLE = "tinytorch.harness.settling:settle"


def empty_box(tier: Tier | None) -> Box | None:
    """A box that shows nothing besides but packages that add tasks; None for tier None, the plain process.

    Data that have test labels in them are masked.
    """
    return None if tier is None else Box(tier, readable=added_packages(), masked=hidden_data())


def box_of(challenge: Challenge, kernels: Path, *readable: Path) -> Box | None:
    """A box for the processes of a challenge, which shows the folders; None where it asks for none.

    Each box gets compiled kernels of its own: loading one runs what is in it, so that whoever can write them owns the
    loader.
    """
    box = empty_box(challenge.isolation)
    if box is None:
        return None
    limits = replace(
        box.limits, memory_bytes=challenge.memory_limit_bytes + MAPPED_BYTES,
        processor_s=max(box.limits.processor_s, math.ceil(2 * challenge.build_limit_s)),
    )  # fmt: skip
    shown = (*box.readable, *map(str, (kernels, *readable)))
    return replace(box, readable=shown, before=SETTLE, given={VARIABLE: str(kernels)}, limits=limits)


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
    """The package's files of data, which have test labels in them, and of weights, which no entry may live on."""
    files = [*(PACKAGE / "datasets").glob("*.npz"), *(PACKAGE / "workloads" / "baselines").glob("*.npz")]
    return tuple(map(str, sorted(files)))


def added_packages() -> tuple[str, ...]:
    """The folders of packages that add tasks: measuring makes new inputs by their code."""
    return tuple(sorted({str(folder) for point in advertised("tasks").values() for folder in folders_of(point)}))


def hidden_data() -> tuple[str, ...]:
    """Shipped data, and those that added tasks name."""
    added = [find_task(name) for name in advertised("tasks")]
    return (*shipped_data(), *(str(file) for task in added for file in task.data_files))
