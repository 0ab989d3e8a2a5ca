"""Doubts about the machine: each sign is found, and is not found where there is none."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tinytorch.benchmarking import system
from tinytorch.benchmarking.blas import blas_library
from tinytorch.benchmarking.system import SIGNS, Observations, Reading, find_doubts

BEFORE = Reading(
    at_ns=0, cores=2, busy_s=100.0, own_s=50.0, stolen_s=1.0, throttled=3, speed_percent=None, swapped_bytes=10,
    on_battery=False,
)  # fmt: skip
AFTER = replace(BEFORE, at_ns=10_000_000_000, busy_s=109.0, own_s=58.9)  # ten seconds later, nine of work
QUIET = Observations(BEFORE, AFTER, blas_threads=1, timer_ns=100, typical_excess=1.05)

DOUBTFUL: dict[str, dict[str, Any]] = {
    "busy": {"after": replace(AFTER, busy_s=112.0)},
    "steal": {"after": replace(AFTER, stolen_s=1.3)},
    "throttling": {"after": replace(AFTER, throttled=4)},
    "blas_threads": {"blas_threads": 2},
    "coarse_timer": {"timer_ns": 1_000},
    "swap": {"after": replace(AFTER, swapped_bytes=4_106)},
    "disturbed": {"typical_excess": 1.3},
    "battery": {"after": replace(AFTER, on_battery=True)},
}


def codes(evidence: Observations) -> list[str]:
    return [doubt.code for doubt in find_doubts(evidence)]


def test_a_quiet_machine_gives_no_doubt() -> None:
    assert codes(QUIET) == []


def test_every_sign_has_a_case() -> None:
    assert set(DOUBTFUL) == {sign.code for sign in SIGNS}


@pytest.mark.parametrize("code", DOUBTFUL)
def test_each_sign_is_found_alone_with_its_numbers_and_advice(code: str) -> None:
    found = find_doubts(replace(QUIET, **DOUBTFUL[code]))

    assert [doubt.code for doubt in found] == [code]
    assert found[0].evidence
    assert found[0].advice


def test_the_evidence_of_other_programs_is_in_cores() -> None:
    found = find_doubts(replace(QUIET, after=replace(AFTER, busy_s=112.0)))

    assert found[0].evidence == "other programs used 0.31 of 2 cores"


@pytest.mark.parametrize("counter", ["own_s", "stolen_s", "throttled", "on_battery"])
def test_what_a_machine_does_not_count_is_no_doubt(counter: str) -> None:
    unknown = {counter: None}
    evidence = replace(QUIET, before=replace(BEFORE, **unknown), after=replace(AFTER, **unknown))

    assert codes(evidence) == []


def test_without_a_latency_nobody_can_say_whether_the_machine_was_disturbed() -> None:
    assert codes(replace(QUIET, typical_excess=None)) == []


def test_counters_of_this_machine_only_grow() -> None:
    first, second = system.read_machine(), system.read_machine()

    assert first.at_ns <= second.at_ns
    assert first.busy_s <= second.busy_s


def test_throttling_is_counted_over_all_cores(tmp_path: Path) -> None:
    for core in range(2):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{core}/thermal_throttle"
        folder.mkdir(parents=True)
        (folder / "core_throttle_count").write_text("4\n")

    assert system._throttled(tmp_path) == 8


def test_the_description_names_processor_memory_and_blas() -> None:
    described = system.describe(1)

    assert described.memory_bytes > 0
    assert described.blas_threads == 1


@pytest.mark.parametrize("order", [1, -1])
def test_the_blas_is_numpys_however_many_are_loaded(monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    """Scipy brings one of its own, and two runs on one machine are to name the same."""
    loaded = [
        {"user_api": "openmp", "filepath": "/a/numpy.libs/libgomp.so"},
        {"user_api": "blas", "filepath": "/0/scipy.libs/libopenblas.so"},
        {"user_api": "blas", "filepath": "/a/numpy.libs/libopenblas.so"},
    ]
    monkeypatch.setattr("tinytorch.benchmarking.blas.threadpool_info", lambda: loaded[::order])

    assert blas_library() == loaded[2]


@pytest.mark.parametrize("package", ["numpy", "scipy", "numba"])
def test_the_versions_of_what_computes_are_named(package: str) -> None:
    assert getattr(system.describe(), package) == version(package)


def test_a_package_that_is_not_there_is_none() -> None:
    assert system._version("no-such-package") is None
