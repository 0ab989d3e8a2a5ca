"""Who challenges the baseline, at what task, and how the two are measured."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psutil

from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason, sha256
from tinytorch.harness.arguments import Value, with_defaults
from tinytorch.harness.data_files import data_files
from tinytorch.harness.frozen import ENTRY
from tinytorch.harness.helpers import LARGEST_ENTRY_BYTES, helper_sources
from tinytorch.showing import safe_text
from tinytorch.workloads.strategies import Strategy

if TYPE_CHECKING:
    from tinytorch.benchmarking.session import Settings
    from tinytorch.processes.box import Tier
    from tinytorch.workloads.task import Task

BUILD_LIMIT_S = 300.0
MENDS = {
    errno.EFBIG: "weights belong in the model that optimize returns",
    errno.ELOOP: "name the file that it leads to",
}


@dataclass(frozen=True)
class Contender:
    """A reference `strategy`, or an entry file: its text is `source` from now on, whatever becomes of the file.

    `helpers` are the modules beside it that it imports, `data` the files there that it names: path from there ->
    content.
    """

    kind: Literal["entry", "strategy"]
    name: str
    sha256: str
    source: bytes | None = field(default=None, repr=False)
    helpers: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    data: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    strategy: Strategy | None = None

    @property
    def materials(self) -> dict[str, bytes]:
        """All that `optimize` finds in its folder, path -> content."""
        return {**self.sources, **self.data}

    @property
    def sources(self) -> dict[str, bytes]:
        """An entry's own files as they are frozen, path -> content; a strategy has none."""
        return {} if self.source is None else {ENTRY: self.source, **self.helpers}

    @classmethod
    def entry(cls, path: Path) -> Contender:
        """The entry in the file at `path`; UsageError when it is no readable Python file of sensible size."""
        if path.is_dir():
            raise UsageError(f"{path} is a directory; an entry is one Python file", mend="name the file in it")
        if not path.exists():
            raise UsageError(f"there is no entry file {path}", mend="give the path of a Python file with --entry")
        if path.suffix != ".py":
            mend = "give the path of a file whose name ends in .py"
            raise UsageError(f"{path.name} is not a Python file", mend=mend)
        source = _read(path)
        folder = path.resolve().parent
        helpers = helper_sources(folder, path.name, source)
        data = data_files(folder, {path.name: source, **helpers})
        return cls("entry", safe_text(path.name, 100), sha256(source), source, helpers, data)

    def with_defaults(self, values: Mapping[str, Value]) -> Contender:
        """The same entry, in whose `optimize` other values are the defaults; UsageError for names that it has not."""
        if self.source is None:
            raise UsageError(f"the strategy {self.name} is told nothing", mend="give an entry of your own with --entry")
        source = with_defaults(self.source, self.name, values)
        return replace(self, source=source, sha256=sha256(source))

    @classmethod
    def reference(cls, strategy: Strategy) -> Contender:
        """A reference strategy, identified by the digest of its steps."""
        return cls("strategy", strategy.name, sha256(repr(strategy.steps).encode()), strategy=strategy)


def half_of_memory() -> int:
    """Bytes: half of what this machine has."""
    return psutil.virtual_memory().total // 2


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, LARGEST_ENTRY_BYTES)
    except OSError as error:
        mend = MENDS.get(error.errno or 0, "give a file that you can read")
        raise UsageError(f"cannot read {path}: {reason(error)}", mend=mend) from error


@dataclass(frozen=True)
class Challenge:
    """All that a run is made from. `build_limit_s` is what `optimize` may take; baselines are cached in a directory.

    `memory_limit_bytes` holds for each process that runs anything of the contender's; with an `isolation` each is in a
    box of that tier. `optimize` runs with `build_seed`, by default with that of the measuring. `baseline` is the
    artifact of another one than the task's.
    """

    task: Task
    contender: Contender
    settings: Settings
    build_limit_s: float = BUILD_LIMIT_S
    cache_directory: Path | None = None
    memory_limit_bytes: int = field(default_factory=half_of_memory)
    isolation: Tier | None = None
    build_seed: int | None = None
    baseline: bytes | None = field(default=None, repr=False)
