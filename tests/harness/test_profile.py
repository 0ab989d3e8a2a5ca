"""What a profiling process says is data that foreign code may have written."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tinytorch.harness.profile import LONGEST_NAME, _checked
from tinytorch.processes.failure import WorkerFailedError

LAYER = {
    "name": "a", "kind": "Linear", "depth": 1, "calls": 1, "parameters": 1, "weight_bytes": 4, "flops": 2,
    "moved_bytes": 3, "activation_bytes": 4, "time_ns": 5.0,
}  # fmt: skip
LIMITS = {"memory_bandwidth_bytes_per_s": 1e9, "near_bandwidth_bytes_per_s": 1e9, "flops_per_s": 1e9}


LIGHT = {"least_ns": 5.0, "taken_ns": 10.0, "bound": "memory", "share": 0.5, "interval": {"lower": 0.4, "upper": 0.6}}


def reply(layers: Any, whole_ns: float = 5.0, limits: Any = LIMITS, light: Any = LIGHT) -> list[Any]:
    model = {"layers": layers, "whole_ns": whole_ns, "passes": 3, "generates_without_cache": False}
    return [model, limits, light]


def test_a_profile_is_read_back() -> None:
    model, limits, light = _checked(reply([LAYER]))

    assert (model.layers[0].name, model.sum_ns, limits.flops_per_s) == ("a", 5, 1e9)
    assert (light.share, light.interval.upper) == (0.5, 0.6)


def test_what_could_not_be_counted_is_none() -> None:
    assert _checked(reply([LAYER], light=None))[2] is None


def test_names_are_fit_to_show() -> None:
    model, *_ = _checked(reply([{**LAYER, "name": "\x1b[2J" + 100 * "a", "kind": "\u202eevil"}]))

    assert "\x1b" not in model.layers[0].name
    assert len(model.layers[0].name) <= LONGEST_NAME
    assert "\u202e" not in model.layers[0].kind


@pytest.mark.parametrize(
    "said",
    [
        None, [], "profile", reply([]), reply("layers"), reply([{**LAYER, "time_ns": math.nan}]),
        reply([{**LAYER, "flops": -1}]), reply([LAYER], whole_ns=math.inf), reply([LAYER], limits={}),
        reply([LAYER], limits={**LIMITS, "flops_per_s": 0.0}), reply([{**LAYER, "name": 3}]),
        reply([LAYER], light={**LIGHT, "share": 0.0}), reply([LAYER], light={**LIGHT, "least_ns": math.inf}),
        reply([LAYER], light={**LIGHT, "interval": {"lower": -1, "upper": 1}}), reply([LAYER], light={"share": 1}),
    ],
)  # fmt: skip
def test_what_is_no_profile_is_refused(said: Any) -> None:
    with pytest.raises(WorkerFailedError) as caught:
        _checked(said)

    assert caught.value.outcome == "broke the protocol"
