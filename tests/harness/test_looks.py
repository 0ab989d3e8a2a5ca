"""Looks at this machine: a real one at a small baseline, and what is too slow to be looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.competition.conftest import known_run
from tinytorch.benchmarking import schedule, yardstick
from tinytorch.benchmarking.measure import CLOCK_NAME
from tinytorch.benchmarking.schedule import BlockShape
from tinytorch.benchmarking.system import describe
from tinytorch.competition.scoring.disturbance import machine_key, quiet_times
from tinytorch.errors import UsageError
from tinytorch.harness import looks
from tinytorch.harness.looks import COPIES, PROCESSES, looker
from tinytorch.workloads.cache import cached_baseline
from tinytorch.workloads.registry import find_task


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, and blocks of one call."""
    monkeypatch.setattr(looks, "PROCESSES", 2)
    monkeypatch.setattr(looks, "BLOCK_SHAPES", (BlockShape(4, 0, 1),))


@pytest.mark.usefixtures("short")
def test_a_look_is_of_the_machine_that_runs_are_measured_on(cache_directory: Path) -> None:
    task = find_task("digits_cnn")
    with looker(task, cache_directory, with_pairs=True) as here:
        look = here.look()
    baseline = cached_baseline(task, directory=cache_directory)

    assert look.quiet.key == machine_key(describe(1), CLOCK_NAME, yardstick.VERSION, baseline.sha256)
    assert [len(each) for each in look.logs] == [2 * COPIES] * 3
    assert look.logs[2][0] < look.logs[0][0]
    assert look.quiet.yardstick[0] < look.quiet.baseline[0]


def test_a_baseline_that_is_too_slow_is_not_looked_at(monkeypatch: pytest.MonkeyPatch, cache_directory: Path) -> None:
    monkeypatch.setattr(looks, "LONGEST_LOOK_NS", 1)
    with (
        pytest.raises(UsageError, match="a look would take too long") as caught,
        looker(find_task("digits_cnn"), cache_directory),
    ):
        pass

    assert "--task" in caught.value.mend


def test_a_look_has_as_many_processes_as_the_least_tier() -> None:
    assert schedule.TIERS["fast"].processes == PROCESSES


def test_the_excess_is_a_share() -> None:
    run = known_run(baseline=1.07)
    look = looks.Look(quiet_times(run), [])

    assert look.excess(run.protocol.reference) == pytest.approx(0.07, abs=1e-6)
    assert replace(look, quiet=quiet_times(known_run(baseline=0.9))).excess(run.protocol.reference) >= 0
