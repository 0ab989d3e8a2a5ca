"""Hooks: for a while every layer's `forward` is another one around its own; afterwards the model is what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tinytorch.benchmarking.measure import Clock, time_calls
from tinytorch.core.model import as_call
from tinytorch.perf.profiling.costs import Work

CALIBRATION_CALLS = 2000

Forward = Callable[..., Any]


@dataclass
class Seen:
    """What one layer did in a pass: its place, and what is added up while the pass runs."""

    name: str
    layer: Any
    calls: int = 0
    calls_inside: int = 0
    work: Work = field(default_factory=Work)
    in_plan: bool = False
    times_ns: list[int] = field(default_factory=list)


@contextmanager
def hooked(seen: Sequence[Seen], hook: Callable[[Seen, Forward], Forward]) -> Iterator[Forward]:
    """The model as a function, every layer's `forward` replaced by its hook; afterwards all are what they were."""
    model, *inside = seen
    before = [vars(one.layer).get("forward") for one in inside]
    for one in inside:
        one.layer.forward = hook(one, one.layer.forward)
    try:
        yield hook(model, as_call(model.layer))
    finally:
        for one, own in zip(inside, before, strict=True):
            if own is None:
                del one.layer.forward
            else:
                one.layer.forward = own


class Watch:
    """Adds up the time that each layer takes for itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._inside_ns = 0  # of the layers inside the one that runs
        self._own_ns: dict[int, int] = {}

    def hook(self, one: Seen, forward: Forward) -> Forward:
        """`forward`, between two looks at the clock."""
        clock, own, key = self._clock, self._own_ns, id(one)
        own[key] = 0

        def timed(*inputs: Any, **options: Any) -> Any:
            outside, self._inside_ns = self._inside_ns, 0
            start = clock()
            output = forward(*inputs, **options)
            spent = clock() - start
            own[key] += spent - self._inside_ns
            self._inside_ns = outside + spent
            return output

        return timed

    def note(self, seen: Sequence[Seen]) -> None:
        """Keep the times of the pass that has just ended."""
        for one in seen:
            one.times_ns.append(self._own_ns[id(one)])


@dataclass(frozen=True)
class HookCost:
    """Nanoseconds that a hook adds to a call, between its looks at the clock and around them."""

    within: float
    around: float


def hook_cost(clock: Clock) -> HookCost:
    """What looking costs, seen on a layer that does nothing."""
    watch, nothing = Watch(clock), Seen("", None)
    timed, samples = watch.hook(nothing, _do_nothing), [None] * CALIBRATION_CALLS
    time_calls(timed, samples, clock)
    watch.hook(nothing, _do_nothing)  # sets its time back to zero
    hooked_ns, plain_ns = time_calls(timed, samples, clock), time_calls(_do_nothing, samples, clock)
    watch.note([nothing])
    within_ns = nothing.times_ns[0]
    return HookCost(max(0, within_ns - plain_ns) / CALIBRATION_CALLS, max(0, hooked_ns - within_ns) / CALIBRATION_CALLS)


def _do_nothing(sample: object) -> object:
    return sample
