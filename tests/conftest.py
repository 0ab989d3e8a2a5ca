"""Shared by all tests: nothing of the user's own machine is read or written."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

from tinytorch.benchmarking.schedule import Tier

settings.register_profile("here", deadline=None)  # a shared machine pauses when it likes
settings.register_profile("ci", deadline=None, derandomize=True)  # CI judges the change, not the day's draw
settings.load_profile("ci" if os.environ.get("CI") else "here")

TINY = Tier("test", 40_000_000, processes=1, copies=2)


@pytest.fixture
def tiny_tier() -> Tier:
    """A tier for tests: real processes and clocks, hardly any time."""
    return TINY


@pytest.fixture
def four_processes() -> Tier:
    """The least tier that has intervals."""
    return replace(TINY, processes=4)


@pytest.fixture(scope="session")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests' one trained baseline lives."""
    return tmp_path_factory.mktemp("cache")
