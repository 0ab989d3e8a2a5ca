"""The referee of one entry, with hardly any measuring: what it finds of honest entries and of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinytorch.benchmarking.schedule import Tier
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.record.refereed import Refereed
from tinytorch.errors import EntryError
from tinytorch.harness.cheats.catalogue import entry
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.prepare import UNOBSERVED
from tinytorch.harness.referee import referee as module
from tinytorch.harness.referee.outside import time_outside
from tinytorch.harness.referee.referee import Referee
from tinytorch.harness.run import competed
from tinytorch.workloads.cache import cached_baseline
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.task import Task

LITTLE = Tier("little", 1, processes=2, copies=1)
Look = Callable[[str], Refereed]


class Same:
    """In the place of redrawn baselines: the published one, by a seed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def of(self, task: Task, progress: Any) -> dict[int, bytes]:
        return {7: cached_baseline(task, directory=self.directory).read()}


@pytest.fixture
def look(tiny_tier: Tier, cache_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Looks at an entry of the corpus, in plain processes."""
    monkeypatch.setattr(module, "REDRAWN", LITTLE)
    monkeypatch.setattr(module, "time_outside", lambda match, hire, *_, **__: time_outside(match, hire, LITTLE))

    def look(name: str) -> Refereed:
        contender = Contender.entry(entry(name))
        challenge = Challenge(find_task("digits_cnn"), contender, Settings(tiny_tier), 60, cache_directory)
        with competed(challenge) as done:
            return Referee({}, Same(cache_directory)).looked(done, challenge, UNOBSERVED)  # type: ignore[arg-type]

    return look


def test_an_honest_entry_is_timed_asked_and_built_again(look: Look) -> None:
    found = look("wrapped")
    (redraw,) = found.redraws

    assert found.model_dump()["outside"]["optimized"]["correct"] > 0
    assert all(each and each.share > 0.9 for each in (found.untimed, redraw.baseline, redraw.optimized))
    assert (found.private, found.left_behind, redraw.seed, redraw.fault) == (None, [], 7, "")


def test_an_entry_that_fails_for_the_referee_is_named_with_its_line(look: Look) -> None:
    words = r"exits_when_refereed\.py, asked by the referee: ended its process(.|\n)*line \d+"
    with pytest.raises(EntryError, match=words):
        look("exits_when_refereed")
