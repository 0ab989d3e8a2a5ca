"""The boxes of a challenge: what they show and hide, and what their processes may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packages import Packages
from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.harness.boxes import MAPPED_BYTES, box_of, empty_box, shipped_data
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.processes.box import Box
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import BASELINE


def box(limit_s: float = 60.0) -> Box:
    challenge = Challenge(
        find_task("digits_cnn"), Contender.reference(BASELINE), Settings(TIERS["fast"]), limit_s,
        memory_limit_bytes=10**9, isolation="A",
    )  # fmt: skip
    made = box_of(challenge, Path("/kernels"), Path("/run"))
    assert made is not None
    return made


def test_it_shows_what_it_is_given_and_hides_the_shipped_data() -> None:
    assert (box().readable, box().masked) == (("/kernels", "/run"), shipped_data())
    assert {Path(path).name for path in shipped_data() if "datasets" in path} == {
        "digits.npz", "fashion.npz", "words.npz"
    }  # fmt: skip
    assert {Path(path).stem for path in shipped_data() if "baselines" in path} == {
        "fashion_mlp",
        "fashion_cnn",
        "words",
    }


def test_its_limits_follow_those_of_the_call() -> None:
    assert box().limits.memory_bytes == 10**9 + MAPPED_BYTES
    assert [box(limit_s).limits.processor_s for limit_s in (60.0, 1000.5)] == [600, 2001]


@pytest.mark.parametrize("tier", ["A", "B"])
def test_an_empty_one_shows_nothing(tier: str) -> None:
    made = empty_box(tier)  # type: ignore[arg-type]

    assert (made.readable, made.masked) == ((), shipped_data())


def test_a_plain_process_has_none() -> None:
    assert empty_box(None) is None


def test_packages_that_add_tasks_are_shown_without_their_data(packages: Packages) -> None:
    source = (
        "from dataclasses import replace\nfrom pathlib import Path\nfrom tests.small_task import TASK as SMALL\n"
        "TASK = replace(SMALL, name='mine', data_files=(Path('/data/answers.npz'),))\n"
    )
    packages.install("campus", source, {("tasks", "mine"): "TASK"})
    made = empty_box("A")

    assert made is not None
    assert [Path(path).name for path in made.readable] == ["campus.py"]
    assert made.masked == (*shipped_data(), "/data/answers.npz")
