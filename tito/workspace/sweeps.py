"""What was seen of an entry's settings, a file each in `<root>/olympics/sweeps/<entry and task>/`; none is a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytorch.competition.record.run import Run, RunFile, parse_run
from tinytorch.errors import UsageError
from tinytorch.files import read_regular, sha256
from tinytorch.harness.arguments import Value
from tito.workspace.folder import Folder, workspace_root

LARGEST_BYTES = 64 * 2**20
LARGEST_COUNT = 2**63
DIGITS = 16  # of a digest, that tell entries and settings of one workspace apart
QUICK = "quick"
ROLES = ("baseline", "optimized")
WHOLE = "is_whole"  # whether all work of a model was counted
FIGURES = ("accuracy", "kept_bytes", "parameters", "flops", "weight_bytes", "moved_bytes")

Arguments = dict[str, Value]


@dataclass(frozen=True)
class Setting:
    """One setting and what is known of it: a quick look, why there is none, and the run in which it was timed."""

    arguments: Arguments
    quick: Mapping[str, Any] | None = None
    error: str = ""
    run: Run | None = None


class SweepFolder:
    """Kept figures of one entry at one task; another text of the entry, or another seed, has another folder."""

    def __init__(self, root: Path | None, identity: str) -> None:
        self._folder = Folder(workspace_root(root) / "olympics" / "sweeps" / sha256(identity.encode())[:DIGITS])

    @property
    def root(self) -> Path:
        """Where they lie."""
        return self._folder.root

    def put_look(self, arguments: Arguments, document: str) -> None:
        """Keep what a quick look said of a setting."""
        self._put(arguments, QUICK, document)

    def put_run(self, arguments: Arguments, tier: str, run: Run) -> None:
        """Keep the run of a tier in which a setting was timed."""
        self._put(arguments, tier, RunFile.text(run))

    def look(self, arguments: Arguments) -> dict[str, Any] | None:
        """What was seen of a setting; None where nothing was kept, or nothing that can be read."""
        content = self._get(arguments, QUICK)
        try:
            found = json.loads(content) if content else None
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) and _is_look(found, arguments) else None

    def run(self, arguments: Arguments, tier: str) -> Run | None:
        """The run of a tier in which a setting was timed; None where there is none that can be read."""
        content = self._get(arguments, tier)
        try:
            return parse_run("the sweep", content) if content else None
        except UsageError:
            return None

    def _put(self, arguments: Arguments, kind: str, document: str) -> None:
        self._folder.make(self._folder.root)
        self._folder.write(self._file(arguments, kind), document.encode())

    def _get(self, arguments: Arguments, kind: str) -> bytes | None:
        try:
            return read_regular(self._file(arguments, kind), LARGEST_BYTES)
        except OSError:
            return None

    def _file(self, arguments: Arguments, kind: str) -> Path:
        key = sha256(json.dumps(arguments, sort_keys=True).encode())[:DIGITS]
        return self._folder.root / f"{key}.{kind}.json"


def _is_look(found: dict[str, Any], arguments: Arguments) -> bool:
    """Whether it has what a quick look says of this setting: somebody may have written in the file."""
    if found.get("arguments") != arguments:
        return False
    figures = [found.get(role) for role in ROLES]
    return all(isinstance(found.get(name), str) for name in ("task", "source")) and all(
        isinstance(each, dict)
        and type(each.get(WHOLE)) is bool
        and all(_is_figure(name, each.get(name, "")) for name in FIGURES)
        for each in figures
    )


def _is_figure(name: str, value: object) -> bool:
    if value is None:
        return True
    if name == "accuracy":
        return type(value) in (int, float) and 0 <= value <= 1  # type: ignore[operator]
    return type(value) is int and 0 <= value < LARGEST_COUNT
