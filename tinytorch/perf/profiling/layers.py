"""What each layer of a model costs by itself, without the layers inside it: work counted, time measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tinytorch.benchmarking.measure import CLOCK, Clock, quiet, time_calls
from tinytorch.core.compact import CompactWeight
from tinytorch.core.model import Layer, Planned, as_call, inference
from tinytorch.core.ops import SHOWN
from tinytorch.core.state import held
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.transformers import GPT
from tinytorch.perf.profiling.costs import Work, observing
from tinytorch.perf.profiling.hooks import Forward, HookCost, Seen, Watch, hook_cost, hooked

WARM_UP_PASSES = 5
FEWEST_PASSES, MOST_PASSES = 3, 500
BUDGET_NS = 1_000_000_000

Take = Callable[[], object]  # the input of one pass


@dataclass(frozen=True)
class LayerProfile:
    """One layer's own part of one pass; `name` leads to it from the model and is empty for the model itself.

    `parameters` and `weight_bytes` are what it holds; `moved_bytes` are read and written by its operations, and
    `activation_bytes` written. Work that goes past the framework's operations is not counted, its time is. What is
    `in_plan` has no time, and no bytes, of its own: the compiled model around it has them.
    """

    name: str
    kind: str
    depth: int
    calls: int
    parameters: int
    weight_bytes: int
    flops: int
    moved_bytes: int
    activation_bytes: int
    time_ns: float
    in_plan: bool = False

    @property
    def intensity(self) -> float | None:
        """FLOPs for each byte moved; None where nothing is moved."""
        return self.flops / self.moved_bytes if self.moved_bytes else None


@dataclass(frozen=True)
class ModelProfile:
    """All layers in the order in which the model holds them, and the whole model, timed without looking inside."""

    layers: list[LayerProfile]
    whole_ns: float
    passes: int
    generates_without_cache: bool

    @property
    def sum_ns(self) -> float:
        """Time of all layers."""
        return sum(layer.time_ns for layer in self.layers)

    @property
    def flops(self) -> int:
        """FLOPs of all layers."""
        return sum(layer.flops for layer in self.layers)

    @property
    def moved_bytes(self) -> int:
        """Bytes that all layers move."""
        return sum(layer.moved_bytes for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Parameters of all layers, shared ones once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """Bytes that all layers hold, shared ones once."""
        return sum(layer.weight_bytes for layer in self.layers)


def profile_model(model: Any, take: Take, budget_ns: int = BUDGET_NS, clock: Clock = CLOCK) -> ModelProfile:
    """Profile passes of a model of any class, each over an input that `take` makes.

    After warming up, passes with and without a look inside take turns for about `budget_ns`; times are medians. What
    looking costs is measured too, and taken off. There is one BLAS thread.
    """
    seen, call = _layers_of(model), as_call(model)
    with inference(model), quiet(), threadpool_limits(1, user_api="blas"):
        sample = take()
        _count(seen, sample)
        _count_plan(seen, sample)
        whole_ns = _time_in_turns(seen, call, take, budget_ns, clock)
    cost = hook_cost(clock)
    return ModelProfile(
        layers=_profiles(seen, cost),
        whole_ns=float(median(whole_ns)),
        passes=len(whole_ns),
        generates_without_cache=any(_recomputes(one) for one in seen),
    )


def count_work(model: Any, sample: object, only: object = None) -> Work:
    """What one pass over `sample` costs, all layers together, or `only` those of a list and all that have weights."""
    seen = _layers_of(model)
    with inference(model), no_grad():
        _count(seen, sample)
    listed = {id(one.layer) for layer in only for one in _layers_of(layer)} if isinstance(only, (list, tuple)) else ()
    counted = [one for one in seen if not listed or id(one.layer) in listed or (one.name and _weighs(one.layer))]
    return sum((one.work for one in counted), Work())


def _weighs(layer: Any) -> bool:
    """Whether a layer has weights of its own."""
    return any(isinstance(item, (Tensor, CompactWeight)) for item in vars(layer).values())


def counted(model: Any, sample: object) -> tuple[int, int, int] | None:
    """FLOPs of one pass over `sample`, bytes of weights that it reads, and all that it moves: at least so many.

    None where a plan ran inside the model: what that does among other things cannot be told.
    """
    if isinstance(model, Planned):
        return model.plan_work(sample)
    seen: list[Work] = []
    SHOWN.clear()
    with inference(model), no_grad(), observing(seen.append):
        as_call(model)(sample)
    total = sum(seen, Work())
    return None if SHOWN else (total.flops, total.weight_bytes, total.moved_bytes)


def count_parameters(model: Any) -> int:
    """Number of logical weights of a model of any class, in whatever form they are kept; shared ones count once."""
    return sum(_parameters(_layers_of(model)).values())


def count_weight_bytes(model: Any) -> int:
    """Bytes of all arrays that a model of any class holds, each once."""
    return sum(array.nbytes for arrays in _arrays_by_owner(_layers_of(model)).values() for array in arrays)


def _layers_of(model: Any) -> list[Seen]:
    """The model itself, and every layer in it."""
    inside = [Seen(name, item) for name, item in held(model) if isinstance(item, Layer) and item is not model]
    return [Seen("", model), *inside]


def _recomputes(one: Seen) -> bool:
    """Whether a GPT looks at the same tokens again for each new one."""
    return isinstance(one.layer, GPT) and one.layer.memory is None and one.calls > 1


def _count(seen: Sequence[Seen], sample: object) -> None:
    """Count calls and work of every layer in one pass."""
    running: list[Seen] = []

    def hook(one: Seen, forward: Forward) -> Forward:
        def counted(*inputs: Any, **options: Any) -> Any:
            if running:
                running[-1].calls_inside += 1
            one.calls += 1
            running.append(one)
            try:
                return forward(*inputs, **options)
            finally:
                running.pop()

        return counted

    def add(work: Work) -> None:
        running[-1].work += work

    with hooked(seen, hook) as call, observing(add):
        call(sample)


def _count_plan(seen: Sequence[Seen], sample: object) -> None:
    """Give the work of all layers that run as one plan to the compiled model around them: what the plan really does.

    Layer by layer, as it is counted, weights of codes would be read as floats, and a generation would begin anew for
    each token.
    """
    whole, *inside = seen
    if isinstance(whole.layer, Planned):
        flops, weight_bytes, moved_bytes = whole.layer.plan_work(sample)
        whole.work = Work(flops, moved_bytes, sum(each.work.written_bytes for each in seen), weight_bytes)
        for each in inside:
            each.work, each.in_plan = Work(), True


def _time_in_turns(seen: Sequence[Seen], call: Forward, take: Take, budget_ns: int, clock: Clock) -> list[int]:
    """Nanoseconds of whole passes; each is followed by one in which every layer notes its own."""
    watch = Watch(clock)
    first_ns = max(1, time_calls(call, [take()], clock))
    for _ in range(min(WARM_UP_PASSES, budget_ns // first_ns)):
        call(take())
    passes = min(MOST_PASSES, max(FEWEST_PASSES, budget_ns // (2 * first_ns)))
    whole_ns = []
    for _ in range(passes):
        whole_ns.append(time_calls(call, [take()], clock))
        sample = take()
        with hooked(seen, watch.hook) as timed:
            timed(sample)
        watch.note(seen)
    return whole_ns


def _profiles(seen: Sequence[Seen], cost: HookCost) -> list[LayerProfile]:
    held_arrays, parameters = _arrays_by_owner(seen), _parameters(seen)
    return [
        LayerProfile(
            name=one.name,
            kind=type(one.layer).__name__,
            depth=sum(one.name.startswith(f"{other.name}.") for other in seen[1:]) + bool(one.name),
            calls=one.calls,
            parameters=parameters[one.name],
            weight_bytes=sum(array.nbytes for array in held_arrays[one.name]),
            flops=one.work.flops,
            moved_bytes=one.work.moved_bytes,
            activation_bytes=one.work.written_bytes,
            time_ns=max(0.0, median(one.times_ns) - one.calls * cost.within - one.calls_inside * cost.around),
            in_plan=one.in_plan,
        )
        for one in seen
    ]


def _arrays_by_owner(seen: Sequence[Seen]) -> dict[str, list[np.ndarray[Any, Any]]]:
    """Every array that the model holds, each once, under the name of the innermost layer that it is in."""
    owned: dict[str, list[np.ndarray[Any, Any]]] = {one.name: [] for one in seen}
    counted = set[int]()
    for name, item in held(seen[0].layer):
        array = item.data if isinstance(item, Tensor) else item
        if isinstance(array, np.ndarray) and id(array) not in counted:
            counted.add(id(array))
            owner = max((layer for layer in owned if f"{name}.".startswith(f"{layer}.")), key=len, default="")
            owned[owner].append(array)
    return owned


def _parameters(seen: Sequence[Seen]) -> dict[str, int]:
    """Number of logical weights of each layer, shared ones once; of a model that is no layer, of its own tensors."""
    counted, found = set[int](), dict[str, int]()
    for one in reversed(seen):
        items = (item for _, item in held(one.layer) if isinstance(item, Tensor))
        weights = one.layer.own_weights() if isinstance(one.layer, Layer) else [item.data for item in items]
        new = {id(weight): weight.size for weight in weights if id(weight) not in counted}
        counted |= new.keys()
        found[one.name] = sum(new.values())
    return found
