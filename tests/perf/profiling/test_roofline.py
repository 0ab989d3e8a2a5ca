"""What limits a model, and what is advised, on machines whose limits are made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tinytorch.benchmarking.light import LightSpeed
from tinytorch.benchmarking.records.work import Limits
from tinytorch.perf.profiling.layers import LayerProfile, ModelProfile
from tinytorch.perf.profiling.roofline import ADVICE, find_bottleneck, roofline

LIMITS = Limits(
    memory_bandwidth_bytes_per_s=1e9, near_bandwidth_bytes_per_s=4e9, flops_per_s=1e10
)  # a byte or ten FLOPs in a nanosecond


def layer(name: str, kind: str, time_ns: float, flops: int = 0, moved_bytes: int = 0) -> LayerProfile:
    return LayerProfile(name, kind, 1, 1, 0, 0, flops, moved_bytes, 0, time_ns)


def model(*layers: LayerProfile, generates_without_cache: bool = False) -> ModelProfile:
    return ModelProfile(list(layers), 1.0, 1, generates_without_cache)


@pytest.mark.parametrize(
    ("flops", "moved", "bound", "least_ns"),
    [(100, 100, "memory", 100), (100_000, 100, "compute", 10_000), (1000, 100, "memory", 100), (0, 0, "memory", 0)],
)
def test_work_takes_as_long_as_memory_and_arithmetic_need(flops: int, moved: int, bound: str, least_ns: float) -> None:
    assert roofline(flops, moved, LIMITS) == (bound, least_ns)


def test_the_bottleneck_is_the_kind_that_takes_most_time_with_its_slowest_layer() -> None:
    found = find_bottleneck(model(layer("a", "Conv2d", 40), layer("b", "Linear", 25), layer("c", "Linear", 35)), LIMITS)

    assert (found.kind, found.share, found.layer, found.layer_share) == ("Linear", 0.6, "c", 0.35)


@pytest.mark.parametrize(
    ("flops", "moved", "generates", "bound", "advice"),
    [
        (100, 100, False, "memory", "memory"),
        (1000, 50, False, "compute", "compute"),
        (100, 10, False, "calls", "calls"),  # takes ten times as long as it must
        (0, 0, False, "memory", "unseen"),
        (100, 100, True, "memory", "generation"),
    ],
)
def test_the_advice_follows_from_what_limits(flops: int, moved: int, generates: bool, bound: str, advice: str) -> None:
    profile = model(layer("a", "Linear", 100, flops, moved), generates_without_cache=generates)
    found = find_bottleneck(profile, LIMITS)

    assert (found.bound, found.advice) == (bound, ADVICE[advice])


@pytest.mark.parametrize(("time_ns", "advice"), [(299, "memory"), (301, "calls")])
def test_below_a_third_of_the_roofline_calls_are_what_takes_the_time(time_ns: float, advice: str) -> None:
    assert find_bottleneck(model(layer("a", "Linear", time_ns, 100, 100)), LIMITS).advice == ADVICE[advice]


def test_how_near_a_layer_comes_to_what_is_possible() -> None:
    found = find_bottleneck(model(layer("a", "Linear", 125, 1000, 100)), LIMITS)

    assert (found.roofline_share, found.intensity, found.balance) == (0.8, 10, 10)


@pytest.mark.parametrize(
    ("bound", "share", "advice"),
    [("memory", 0.5, "plan"), ("arithmetic", 0.5, "compute"), ("memory", 0.2, "plan calls")],
)
def test_the_advice_for_a_plan_follows_from_its_light_speed(bound: Any, share: float, advice: str) -> None:
    profile = model(layer("", "CompiledModel", 100, 640, 100), replace(layer("a", "Linear", 0), in_plan=True))
    found = find_bottleneck(profile, LIMITS, LightSpeed(50.0, 50.0 / share, bound, share, None))

    assert (found.advice, found.roofline_share) == (ADVICE[advice], share)


def test_what_runs_as_one_plan_is_told_by_the_work_inside_it() -> None:
    inside = [replace(layer(name, "Linear", 0), in_plan=True) for name in ("a", "b")]
    profile = model(layer("", "CompiledModel", 100, 640, 100), *inside)
    found = find_bottleneck(profile, LIMITS)

    assert (found.kind, found.share, found.advice) == ("CompiledModel", 1, ADVICE["plan"])
    assert (found.bound, found.roofline_share, found.intensity) == ("memory", 1, 6.4)


def test_nothing_is_said_of_what_could_not_be_counted() -> None:
    found = find_bottleneck(model(layer("", "Own", 100)), LIMITS)

    assert (found.roofline_share, found.intensity) == (None, None)
