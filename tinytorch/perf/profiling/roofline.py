"""What limits a model on this machine, and what helps: the roofline model (Williams, Waterman & Patterson 2009).

An operation that moves B bytes and does F FLOPs takes at least max(B / bandwidth, F / speed). Below the machine's
balance, speed / bandwidth FLOPs for each byte, memory is what limits it, above it arithmetic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tinytorch.benchmarking.light import LightSpeed
from tinytorch.benchmarking.records.work import Limits
from tinytorch.perf.profiling.layers import LayerProfile, ModelProfile

FAR_BELOW = 1 / 3  # below this share of the roofline neither memory nor arithmetic explains the time

Bound = Literal["memory", "compute", "calls"]
ADVICE = {
    "generation": "a KV cache (module 17): every new token looks at all tokens before it again",
    "calls": "operator fusion (module 18): fewer calls, each of which costs more than its arithmetic",
    "unseen": "the framework's own layers in its place: what they do is counted, and can be compared",
    "plan": "smaller weights, which the plan reads as they are kept",
    "plan calls": "fewer layers: starting a plan and its steps takes longer than what they do",
    "memory": "quantization or pruning (modules 15 and 16): fewer bytes to read",
    "compute": "structured pruning or low rank (module 16): fewer operations",
}
_PRUNE = "prune_neurons(model, keep=64, train_data=train_data)"
CALLS = {
    "generation": "with_kv_cache(model)",
    "calls": "compile_model(model, train_data.inputs[:1], fastest_backend())",
    "unseen": "",
    "plan": "quantize_model(model), before it is compiled",
    "plan calls": f"{_PRUNE}, before it is compiled",
    "memory": f"{_PRUNE}, then quantize_model(model)",
    "compute": _PRUNE,
}
"""What to write in `optimize` for each advice; empty where it is none of ours."""


@dataclass(frozen=True)
class Bottleneck:
    """The kind of layer that takes most of the time, its slowest layer, and what limits them.

    That is memory or arithmetic where the time comes near to what they need at least; elsewhere it is the calls.
    `roofline_share` is the least time that memory and arithmetic allow, in the time that was measured; None where
    nothing could be counted.
    """

    kind: str
    share: float
    layer: str
    layer_share: float
    bound: Bound
    intensity: float | None
    balance: float
    roofline_share: float | None
    advice: str
    call: str = ""


def find_bottleneck(profile: ModelProfile, limits: Limits, light: LightSpeed | None = None) -> Bottleneck:
    """Where the time of a profiled model goes, against what the machine can do; of a plan as `light` speed tells it."""
    by_kind: dict[str, list[LayerProfile]] = defaultdict(list)
    for layer in profile.layers:
        by_kind[layer.kind].append(layer)
    kind, layers = max(by_kind.items(), key=lambda item: _time_ns(item[1]))
    slowest = max(layers, key=lambda layer: layer.time_ns)
    flops, moved = sum(layer.flops for layer in layers), sum(layer.moved_bytes for layer in layers)
    nearest, least_ns = roofline(flops, moved, limits)
    total_ns, time_ns = max(profile.sum_ns, 1.0), max(_time_ns(layers), 1.0)
    share = least_ns / time_ns if moved else None
    is_plan = any(layer.in_plan for layer in profile.layers)
    if is_plan and light:
        nearest, share = "memory" if light.bound == "memory" else "compute", light.share
    bound: Bound = nearest if share is None or share > FAR_BELOW else "calls"
    helps = _for_plan(bound) if is_plan and moved else _what_helps(profile, bound, share)
    return Bottleneck(
        kind=kind,
        share=_time_ns(layers) / total_ns,
        layer=slowest.name,
        layer_share=slowest.time_ns / total_ns,
        bound=bound,
        intensity=flops / moved if moved else None,
        balance=limits.flops_per_s / limits.memory_bandwidth_bytes_per_s,
        roofline_share=share,
        advice=ADVICE[helps],
        call=CALLS[helps],
    )


def _for_plan(bound: Bound) -> str:
    """What helps a model whose layers have no times of their own, as a key of `ADVICE`."""
    return {"calls": "plan calls", "memory": "plan", "compute": "compute"}[bound]


def _what_helps(profile: ModelProfile, bound: Bound, share: float | None) -> str:
    """What helps where `bound` is the limit, and a share of it is reached, as a key of `ADVICE`."""
    if profile.generates_without_cache:
        return "generation"
    return "unseen" if share is None else bound


def roofline(flops: int, moved_bytes: int, limits: Limits) -> tuple[Literal["memory", "compute"], float]:
    """What limits that much work, and the nanoseconds that it takes at least."""
    memory_ns = moved_bytes * 1e9 / limits.memory_bandwidth_bytes_per_s
    compute_ns = flops * 1e9 / limits.flops_per_s
    return ("memory", memory_ns) if memory_ns >= compute_ns else ("compute", compute_ns)


def _time_ns(layers: Sequence[LayerProfile]) -> float:
    return sum(layer.time_ns for layer in layers)
