"""Checkpoint files: arrays and JSON in one archive, in which nothing is executed."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.core.archive import UNREADABLE, archive_of, arrays_of
from tinytorch.core.ops import Array
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write, read_regular

FORMAT = 1
LARGEST_BYTES = 2**34
MODEL = "model."  # before the names of a model's arrays


@dataclass(frozen=True)
class Checkpoint:
    """All that training goes on from: a model's arrays and its generators' states by name, an optimizer's state."""

    weights: dict[str, Array]
    optimizer: dict[str, Any]  # numbers, and lists of arrays
    generators: dict[str, Any]
    epoch: int
    history: dict[str, list[float]]

    def write(self, path: Path) -> None:
        """Write the file, as a whole or not at all, and the folder it lies in. UsageError when it cannot be written."""
        arrays = {MODEL + name: array for name, array in self.weights.items()}
        lists = {name: value for name, value in self.optimizer.items() if isinstance(value, list)}
        for name, values in lists.items():
            arrays |= {f"optimizer.{name}.{index}": array for index, array in enumerate(values)}
        facts = {
            "format": FORMAT,
            "epoch": self.epoch,
            "history": self.history,
            "optimizer": {name: value for name, value in self.optimizer.items() if name not in lists},
            "lists": {name: len(values) for name, values in lists.items()},
            "generators": self.generators,
        }
        content = archive_of({"facts": np.array(json.dumps(facts)), **arrays}, zipfile.ZIP_STORED)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, content)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}", mend="name a file in another folder") from error

    @classmethod
    def read(cls, path: Path) -> Checkpoint:
        """What `write` wrote; UsageError for a file that is missing, damaged, or anything else."""
        mend = "name a file that save_checkpoint() wrote, or train from the start"
        try:
            return cls._from_bytes(read_regular(path, LARGEST_BYTES, may_lead_out=True))
        except FileNotFoundError as error:
            raise UsageError(f"there is no checkpoint {path}", mend=mend) from error
        except UNREADABLE as error:
            raise UsageError(f"{path} is damaged or no checkpoint: {error}", mend=mend) from error

    @classmethod
    def _from_bytes(cls, content: bytes) -> Checkpoint:
        arrays = arrays_of(content, len(content))
        facts = dict(json.loads(str(arrays.pop("facts"))))
        if facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']}, not {FORMAT}")
        lists = {
            name: [arrays[f"optimizer.{name}.{index}"] for index in range(count)]
            for name, count in facts["lists"].items()
        }
        return cls(
            weights={name.removeprefix(MODEL): array for name, array in arrays.items() if name.startswith(MODEL)},
            optimizer={**facts["optimizer"], **lists},
            generators=dict(facts["generators"]),
            epoch=int(facts["epoch"]),
            history=dict(facts["history"]),
        )
