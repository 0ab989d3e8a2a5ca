"""Random graphs of operations, here and in PyTorch: values and all gradients in float64. 1,000 graphs take a minute.

    PEER/bin/python benchmarks/differential.py --peer torch               # PEER: an environment with torch and numpy
    PEER/bin/python benchmarks/differential.py --peer torch --first 5000 --graphs 200
    PEER/bin/python benchmarks/differential.py --peer torch --record      # what tests/core/test_differential.py reads

Prints every difference with the graph's number, and in the end how many graphs were compared. Exit code 1 when there
was a difference.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.core.differential import OPERATIONS, Graph, Ours, computed, drawn  # noqa: E402 - the path comes first

RECORD = ROOT / "tests" / "core" / "differential.npz"
RECORDED = 60
RELATIVE, ABSOLUTE = 1e-9, 1e-10


class Theirs:
    """PyTorch, as the operations of a graph want it."""

    where = staticmethod(torch.where)

    @staticmethod
    def leaf(array: Any) -> Any:
        return torch.tensor(array, dtype=torch.float64, requires_grad=True)

    @staticmethod
    def constant(array: Any) -> Any:
        return torch.tensor(array)

    @staticmethod
    def concatenate(tensors: Any, axis: int) -> Any:
        return torch.cat(tensors, dim=axis)

    @staticmethod
    def stack(tensors: Any, axis: int) -> Any:
        return torch.stack(tensors, dim=axis)

    @staticmethod
    def gelu(x: Any) -> Any:
        return functional.gelu(x, approximate="tanh")

    @staticmethod
    def normalize(x: Any) -> Any:
        return functional.layer_norm(x, x.shape[-1:], eps=1e-5)

    @staticmethod
    def reduced(x: Any, name: str, axis: Any, keepdims: bool) -> Any:
        axes = tuple(range(x.ndim)) if axis is None else axis
        if name in ("max", "min"):
            return getattr(x, f"a{name}")(axes, keepdim=keepdims) if x.ndim else x
        options = {"correction": 0} if name in ("var", "std") else {}
        return getattr(x, name)(dim=axes, keepdim=keepdims, **options)

    @staticmethod
    def conv2d(x: Any, weight: Any, **options: Any) -> Any:
        return functional.conv2d(x, weight, **options)

    @staticmethod
    def pool(x: Any, kind: str, kernel: int, stride: int, padding: int) -> Any:
        return getattr(functional, f"{kind}_pool2d")(x, kernel, stride, padding)

    @staticmethod
    def cross_entropy(x: Any, labels: Any, smoothing: float, reduction: str) -> Any:
        labels = torch.tensor(labels)
        return functional.cross_entropy(x, labels, ignore_index=0, label_smoothing=smoothing, reduction=reduction)

    @staticmethod
    def logits_loss(x: Any, targets: Any, reduction: str) -> Any:
        targets = torch.tensor(targets, dtype=x.dtype)
        return functional.binary_cross_entropy_with_logits(x, targets, reduction=reduction)

    @staticmethod
    def attention(q: Any, k: Any, v: Any) -> Any:
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def result(lib: Any, graph: Graph) -> list[Any]:
    """The number at the end, and the gradients of all leaves; zeros for one that nothing depends on."""
    leaves, total = computed(lib, graph)
    if total.requires_grad:
        total.backward()
    grads = [np.zeros(tuple(leaf.shape)) if leaf.grad is None else np.asarray(leaf.grad) for leaf in leaves]
    return [np.asarray(total.detach()), *grads]


def differs(graph: Graph) -> str:
    """What is different, or nothing."""
    for number, (ours, other) in enumerate(zip(result(Ours, graph), result(Theirs, graph), strict=True)):
        if not np.allclose(ours, other, RELATIVE, ABSOLUTE * (1 + np.abs(other).max(initial=0)), equal_nan=True):
            what = f"gradient of leaf {number - 1}" if number else "value"
            return f"{what}: {ours.ravel()[:3]} here, {other.ravel()[:3]} there"
    return ""


def record() -> None:
    """Write what PyTorch computes of the first graphs."""
    arrays: dict[str, Any] = {"torch/version": np.array(torch.__version__)}
    for seed in range(RECORDED):
        graph = drawn(seed)
        arrays[f"{seed}/steps"] = np.array(json.dumps(graph.steps))
        arrays |= {f"{seed}/leaf {number}": leaf for number, leaf in enumerate(graph.leaves)}
        arrays |= {f"{seed}/result {number}": array for number, array in enumerate(result(Theirs, graph))}
    np.savez_compressed(RECORD, **arrays)


def main() -> None:
    """Compare, or record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=["torch"], required=True)
    parser.add_argument("--graphs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1000, help="the seed of the first graph")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    if options.record:
        record()
        return
    used, different = Counter[str](), 0
    for seed in range(options.first, options.first + options.graphs):
        graph = drawn(seed)
        used.update(step.name for step in graph.steps)
        if found := differs(graph):
            different += 1
            print(f"graph {seed}: {found}")
    rarest = ", ".join(f"{name} {used[name]}" for name in sorted(OPERATIONS, key=lambda name: used[name])[:5])
    print(f"{options.graphs} graphs, {sum(used.values())} operations (rarest: {rarest}): {different} differences")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
