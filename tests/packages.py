"""Packages that open the three doors, as pip leaves them: files and metadata in a folder of the path."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tinytorch.competition.checks import added, validation
from tinytorch.doors import Door, advertised
from tinytorch.workloads import registry

CACHES = (advertised, added.added_checks, validation._added, validation.pages, registry._added, registry._at)


def forget() -> None:
    """What is known of installed packages."""
    for cache in CACHES:
        cache.cache_clear()


class Packages:
    """Installs packages of one module each, until the test ends."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch
        monkeypatch.syspath_prepend(folder)

    def install(self, name: str, source: str, points: Mapping[tuple[Door, str], str]) -> None:
        """A package of that name, whose entry points are (door, name) -> what lies in its module."""
        (self._folder / f"{name}.py").write_text(source)
        self._monkeypatch.delitem(sys.modules, name, raising=False)
        metadata = self._folder / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"[tinytorch_olympics.{door}]\n{point} = {name}:{part}\n" for (door, point), part in points.items()]
        (metadata / "entry_points.txt").write_text("".join(lines))
        forget()
