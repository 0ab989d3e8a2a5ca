"""What a worker answers is believed only where it makes sense."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from tinytorch.benchmarking.answers import ArrayForm, are_passes, are_samples_of
from tinytorch.benchmarking.placements import Inspection
from tinytorch.benchmarking.records.work import Limits
from tinytorch.benchmarking.schedule import BlockShape, Schedule
from tinytorch.errors import ModelError
from tinytorch.processes.parcel import Parcel

PLAN = Schedule(1, 1, copies=2, visits=1, block=BlockShape(3, 0, 4), calls_per_sample=(1, 1))


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3).T, np.array(3), np.zeros((0, 4), np.int8)])
def test_an_array_comes_back_as_it_was(array: np.ndarray) -> None:
    with Parcel(100) as parcel:
        told = ArrayForm.write(parcel.descriptor, array)

        np.testing.assert_array_equal(told.read(parcel), array)


@pytest.mark.parametrize("told", [{"shape": [3], "dtype": "|O8"}, {"shape": [-1], "dtype": "<f4"}, {"shape": [1] * 99}])
def test_an_array_of_no_plain_form_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ArrayForm).validate_python({"dtype": "<f4", **told})


def test_an_array_too_large_to_be_outputs_is_refused() -> None:
    with Parcel(100) as parcel, pytest.raises(ModelError, match=r"take 4000000 GB, at most 100 B fit"):
        ArrayForm((10**15,), "<f4").read(parcel)


def samples(*shape: int, value: int = 5) -> Any:
    return np.full(shape, value).tolist()


BESIDE = samples(1, 2, 1, 8)


@pytest.mark.parametrize(
    ("given", "is_sense"),
    [
        (samples(2, 2, 3, 4) + BESIDE, True),
        (samples(2, 3, 3, 4) + BESIDE, False),
        (samples(1, 2, 3, 4) + BESIDE, False),
        (samples(2, 2, 3, 5) + BESIDE, False),
        (samples(2, 2, 3, 4, value=0) + BESIDE, False),
        ([[[[10**18] * 4] * 3] * 2] * 2 + BESIDE, False),
        (samples(2, 2, 3, 4), False),
        (samples(2, 2, 3, 4) + samples(1, 2, 2, 8), False),
        (samples(2, 2, 3, 4) + samples(1, 2, 1, 8, value=0), False),
        ([], False),
    ],
)
def test_a_visit_has_what_was_asked_for(given: Any, is_sense: bool) -> None:
    assert are_samples_of(PLAN, given) is is_sense


@pytest.mark.parametrize(("times", "is_sense"), [([5], True), ([], False), ([5] * 8, False), ([0], False)])
def test_passes_are_few_and_took_time(times: list[int], is_sense: bool) -> None:
    assert are_passes(times) is is_sense


@pytest.mark.parametrize("rate", [float("inf"), float("nan"), 0.0])
def test_the_machine_s_limits_are_finite(rate: float) -> None:
    with pytest.raises(ValidationError):
        Limits(memory_bandwidth_bytes_per_s=rate, near_bandwidth_bytes_per_s=1.0, flops_per_s=1.0)


def test_a_negative_or_impossible_count_is_refused() -> None:
    for count in (-1, 10**30):
        with pytest.raises(ValidationError):
            TypeAdapter(Inspection).validate_python(asdict(Inspection([count], 1, [], [])))
