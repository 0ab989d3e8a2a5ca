"""Sabotage: something broken on purpose, and the test that must notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Sabotage:
    """What is put in the place of `owner.name`, and the test that must notice."""

    owner: Any
    name: str
    other: Any
    noticed_by: Callable[..., None]
    arguments: Callable[[], tuple[Any, ...]] = tuple

    def turns_red(self, monkeypatch: pytest.MonkeyPatch) -> bool:
        """Whether the test, which is green as things are, then fails."""
        self.noticed_by(*self.arguments())
        monkeypatch.setattr(self.owner, self.name, self.other, raising=False)
        try:
            self.noticed_by(*self.arguments())
        except (AssertionError, pytest.fail.Exception):
            return True
        return False
