"""Steps of a trace that have no effect, or that do less in another order."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np

from tinytorch.perf.acceleration.trace import Trace, TracedCall, Value

NEUTRAL = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0}
ROUNDING = 2e-7  # of a 1 that was computed in float32


def simplified(trace: Trace) -> Trace:
    """The same results without adding zeros and multiplying by ones; ReLU after max pooling, where it finds less."""
    same: dict[Value, Value] = {}
    steps = []
    for step in trace.steps:
        inputs = tuple(same.get(each, each) if isinstance(each, Value) else each for each in step.inputs)
        if _has_no_effect(step):
            same[step.output] = inputs[0]  # type: ignore[assignment]
        else:
            steps.append(TracedCall(step.name, inputs, step.output, step.options, step.layer))
    output = same.get(trace.output, trace.output)
    _pool_first(steps, output)
    return Trace(trace.inputs, steps, output)


def _has_no_effect(step: TracedCall) -> bool:
    if step.name not in NEUTRAL or not isinstance(step.inputs[0], Value) or isinstance(step.inputs[1], Value):
        return False
    value, constant = step.inputs[0].example, step.inputs[1]
    is_neutral = bool(np.all(np.abs(constant - NEUTRAL[step.name]) <= ROUNDING * NEUTRAL[step.name]))
    return is_neutral and value.shape == step.output.example.shape


def _pool_first(steps: list[TracedCall], output: Value) -> None:
    """The largest of ReLUs is the ReLU of the largest."""
    uses = Counter(each for step in steps for each in step.inputs if isinstance(each, Value))
    for number, (first, second) in enumerate(list(itertools.pairwise(steps))):
        is_pair = (first.name, second.name) == ("relu", "max_pool2d") and second.inputs[0] is first.output
        if is_pair and uses[first.output] == 1 and first.output is not output:
            pooled = Value(np.empty_like(second.output.example))
            steps[number] = TracedCall("max_pool2d", first.inputs, pooled, second.options)
            steps[number + 1] = TracedCall("relu", (pooled,), second.output)
