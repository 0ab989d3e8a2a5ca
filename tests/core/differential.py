"""Random graphs as data, and what computes them: this framework, or another one that has the same operations.

A graph is a list of steps over float64 arrays, each with a name, the numbers of its operands, and options. Most are
written once, for both: what a reader of PyTorch types is the same here. `benchmarks/differential.py` has the other one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tinytorch.core.attention import causal_mask, scaled_dot_product_attention
from tinytorch.core.losses import BCEWithLogitsLoss, CrossEntropyLoss
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor, apply, concatenate, stack, where

LARGEST = 30.0  # values beyond are squashed: rounding would hide what is wrong
MOST_ELEMENTS = 2000
SHAPES = [(3, 4), (4,), (1, 4), (3, 1), (2, 3, 4), (4, 5), (2, 4, 5, 6), (1, 2, 7, 5), (2, 1, 4), ()]

Options = dict[str, Any]


class Step(NamedTuple):
    """An operation on values with these numbers; leaves come first."""

    name: str
    operands: list[int]
    options: Options


class Graph(NamedTuple):
    """Leaves, and the steps that make values of them."""

    leaves: list[np.ndarray]
    steps: list[Step]


class Ours:
    """What is not a method of a tensor, in this framework."""

    where, concatenate, stack = staticmethod(where), staticmethod(concatenate), staticmethod(stack)

    @staticmethod
    def leaf(array: np.ndarray) -> Tensor:
        return Tensor(array, requires_grad=True, dtype=np.float64)

    @staticmethod
    def constant(array: np.ndarray) -> Tensor:
        return Tensor(array, dtype=np.float64 if array.dtype.kind == "f" else None)

    @staticmethod
    def gelu(x: Tensor) -> Tensor:
        return apply("gelu", x)

    @staticmethod
    def normalize(x: Tensor) -> Tensor:
        return apply("normalize", x, axis=-1, epsilon=1e-5)

    @staticmethod
    def reduced(x: Tensor, name: str, axis: Any, keepdims: bool) -> Tensor:
        found: Tensor = getattr(x, name)(axis, keepdims)
        return found

    @staticmethod
    def conv2d(x: Tensor, weight: Tensor, stride: int, padding: int, dilation: int, groups: int) -> Tensor:
        layer = Conv2d.from_arrays(weight.data, None, stride, padding, dilation, groups)
        layer.weight = weight
        return layer(x)

    @staticmethod
    def pool(x: Tensor, kind: str, kernel: int, stride: int, padding: int) -> Tensor:
        return apply(f"{kind}_pool2d", x, kernel=(kernel, kernel), stride=stride, padding=padding)

    @staticmethod
    def cross_entropy(x: Tensor, labels: np.ndarray, smoothing: float, reduction: Any) -> Tensor:
        return CrossEntropyLoss(ignore_index=0, label_smoothing=smoothing, reduction=reduction)(x, labels)

    @staticmethod
    def logits_loss(x: Tensor, targets: np.ndarray, reduction: Any) -> Tensor:
        return BCEWithLogitsLoss(reduction)(x, targets)

    @staticmethod
    def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return scaled_dot_product_attention(q, k, v, causal_mask(q.shape[-2], k.shape[-2]))[0]


def numbers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """The constants of a step."""
    return np.random.default_rng(seed).standard_normal(shape)


def ramp(shape: tuple[int, ...]) -> np.ndarray:
    """Different numbers everywhere: nothing is as large as anything else then."""
    return np.arange(np.prod(shape, dtype=int)).reshape(shape) * 0.01


@dataclass(frozen=True)
class Draw:
    """What options are drawn by: for an operation on `x`, which has elements."""

    rng: np.random.Generator
    x: Tensor

    def whole(self, low: int, high: int) -> int:
        """An integer from `low` to `high`."""
        return int(self.rng.integers(low, high + 1))

    def one(self, *choices: Any) -> Any:
        """One of them."""
        return choices[self.whole(0, len(choices) - 1)]

    def axis(self) -> int:
        """An axis, counted from either end."""
        return self.whole(-self.x.ndim, self.x.ndim - 1)

    def seed(self) -> Options:
        """For the constants of the step."""
        return {"seed": self.whole(0, 999)}

    def reduction(self) -> Options:
        """An axis or all, kept or not; a single number has no spread."""
        if not self.x.ndim or self.whole(0, 4) == 0:
            return {"axis": None, "keepdims": False}
        return {"axis": self.axis(), "keepdims": self.one(True, False)}

    def convolution(self) -> Options | None:
        """Sizes that leave a window."""
        kernel, dilation, padding = [self.whole(1, 3), self.whole(1, 3)], self.whole(1, 2), self.whole(0, 2)
        groups = self.one(*(n for n in (1, 2, 4) if self.x.shape[1] % n == 0))
        reach = [
            size + 2 * padding - dilation * (part - 1) for size, part in zip(self.x.shape[2:], kernel, strict=True)
        ]
        sizes = {"stride": self.whole(1, 2), "padding": padding, "dilation": dilation, "groups": groups}
        wanted = {"kernel": kernel, "outputs": groups * self.whole(1, 2), **self.seed()}
        return {**sizes, **wanted} if min(reach) > 0 else None

    def pool(self) -> Options | None:
        """Windows that fit, padded by less than half of them."""
        kernel = self.whole(1, 3)
        sizes = {"kernel": kernel, "stride": self.whole(1, 3), "padding": self.whole(0, kernel // 2)}
        return {"kind": self.one("max", "avg"), **sizes} if min(self.x.shape[2:]) > 2 else None

    def labels(self) -> Options | None:
        """Labels, of which 0 does not count and the first does."""
        if self.x.shape[1] < 2:
            return None
        labels = [1, *(self.whole(0, self.x.shape[1] - 1) for _ in range(len(self.x) - 1))]
        return {"labels": labels, "smoothing": self.one(0.0, 0.1), "reduction": self.one("mean", "sum", "none")}


@dataclass(frozen=True)
class Row:
    """An operation: what computes it, by whose means, of which operands, and its options; None: not for this value."""

    compute: Callable[..., Any]
    options: Callable[[Draw], Options | None] = lambda draw: {}
    partner: str | None = None  # which other value it takes: one that broadcasts, is a matrix, or has the same shape
    axes: range = range(5)  # how many axes its first operand may have


def lifted(lib: Any, x: Any) -> Any:
    """Without equal elements, of which any could be the largest."""
    return x + lib.constant(ramp(tuple(x.shape)))


def chosen(x: Any, seed: int) -> np.ndarray:
    """Truth values in the shape of `x`, the first of them true."""
    mask: np.ndarray = (numbers(tuple(x.shape), seed) > 0) | (ramp(tuple(x.shape)) == 0)
    return mask


SOME, TWO = range(1, 5), range(2, 5)
OPERATIONS: dict[str, Row] = {
    "add": Row(lambda lib, x, y: x + y, partner="broadcasts"),
    "sub": Row(lambda lib, x, y: x - y, partner="broadcasts"),
    "mul": Row(lambda lib, x, y: x * y, partner="broadcasts"),
    "div": Row(lambda lib, x, y: x / (abs(y) + 1), partner="broadcasts"),
    "power": Row(lambda lib, x, y: (x.abs() + 0.5) ** y.tanh(), partner="broadcasts"),
    "neg": Row(lambda lib, x: -x),
    "abs": Row(lambda lib, x: x.abs()),
    "exp": Row(lambda lib, x: x.tanh().exp()),
    "log": Row(lambda lib, x: (x.abs() + 1).log()),
    "sqrt": Row(lambda lib, x: (x.abs() + 0.5).sqrt()),
    "tanh": Row(lambda lib, x: x.tanh()),
    "sigmoid": Row(lambda lib, x: x.sigmoid()),
    "relu": Row(lambda lib, x: x.relu()),
    "gelu": Row(lambda lib, x: lib.gelu(x)),
    "clone": Row(lambda lib, x: x.clone() + x.detach()),
    "pow": Row(lambda lib, x, n: (x.abs() + 0.5) ** n, lambda draw: {"n": draw.one(2.0, 3.0, 0.5, -1.0)}),
    "of a number": Row(lambda lib, x, n: (n - x) * n + n / (x.abs() + 1), lambda draw: {"n": draw.one(-1.5, 0.5, 2.0)}),
    "clamp": Row(lambda lib, x, high: x.clamp(-0.7, high), lambda draw: {"high": draw.one(None, 0.6)}),
    "matmul": Row(lambda lib, x, y: x @ y, partner="is a matrix", axes=SOME),
    "linear": Row(
        lambda lib, x, size, seed: x @ lib.constant(numbers((x.shape[-1], size), seed)),
        lambda draw: {"size": draw.whole(1, 5), **draw.seed()},
        axes=SOME,
    ),
    "sum": Row(lambda lib, x, **names: lib.reduced(x, "sum", **names), Draw.reduction),
    "mean": Row(lambda lib, x, **names: lib.reduced(x, "mean", **names), Draw.reduction),
    "max": Row(lambda lib, x, **names: lib.reduced(x, "max", **names), Draw.reduction),
    "min": Row(lambda lib, x, **names: lib.reduced(x, "min", **names), Draw.reduction),
    "var": Row(lambda lib, x, **names: lib.reduced(x, "var", **names), Draw.reduction),
    "std": Row(lambda lib, x, **names: lib.reduced(lifted(lib, x), "std", **names), Draw.reduction),
    "largest": Row(
        lambda lib, x, dim: lifted(lib, x).max(dim=dim).values, lambda draw: {"dim": draw.axis()}, axes=SOME
    ),
    "smallest": Row(
        lambda lib, x, dim: lifted(lib, x).min(dim=dim).values, lambda draw: {"dim": draw.axis()}, axes=SOME
    ),
    "argmax": Row(
        lambda lib, x, dim: x * lifted(lib, x).argmax(dim=dim).max(), lambda draw: {"dim": draw.axis()}, axes=SOME
    ),
    "topk": Row(
        lambda lib, x, **names: lifted(lib, x).topk(dim=-1, **names).values,
        lambda draw: {"k": draw.whole(1, draw.x.shape[-1]), "largest": draw.one(True, False)},
        axes=SOME,
    ),
    "softmax": Row(lambda lib, x, dim: x.softmax(dim=dim), lambda draw: {"dim": draw.axis()}, axes=SOME),
    "log_softmax": Row(lambda lib, x, dim: x.log_softmax(dim=dim), lambda draw: {"dim": draw.axis()}, axes=SOME),
    "normalize": Row(lambda lib, x: lib.normalize(lifted(lib, x)), axes=SOME),
    "reshape": Row(lambda lib, x: x.reshape(-1)),
    "view": Row(lambda lib, x: x.reshape(-1).view(x.shape[-1], -1), axes=TWO),
    "flatten": Row(lambda lib, x: x.flatten(1), axes=TWO),
    "squeeze": Row(lambda lib, x: x.squeeze()),
    "unsqueeze": Row(
        lambda lib, x, dim: x.unsqueeze(dim),
        lambda draw: {"dim": draw.whole(-draw.x.ndim - 1, draw.x.ndim)},
        axes=range(4),
    ),
    "transpose": Row(lambda lib, x: x.transpose(0, -1), axes=TWO),
    "permute": Row(
        lambda lib, x, axes: x.permute(*axes),
        lambda draw: {"axes": draw.rng.permutation(draw.x.ndim).tolist()},
        axes=TWO,
    ),
    "first": Row(lambda lib, x: x[0], axes=SOME),
    "some": Row(
        lambda lib, x, steps: x[tuple(slice(0, None, step) for step in steps)],
        lambda draw: {"steps": [draw.whole(1, 2) for _ in draw.x.shape]},
        axes=SOME,
    ),
    "rows": Row(
        lambda lib, x, index: x[np.array(index)],
        lambda draw: {"index": [draw.whole(-len(draw.x), len(draw.x) - 1) for _ in range(4)]},
        axes=SOME,
    ),
    "masked": Row(lambda lib, x, seed: x[chosen(x, seed)], Draw.seed, axes=SOME),
    "masked_fill": Row(lambda lib, x, seed: x.masked_fill(lib.constant(chosen(x, seed)), -1.5), Draw.seed, axes=SOME),
    "where": Row(lambda lib, x, y, seed: lib.where(lib.constant(chosen(x, seed)), x, y), Draw.seed, "is alike", SOME),
    "concatenate": Row(
        lambda lib, x, y, dim: lib.concatenate([x, y, x], dim), lambda draw: {"dim": draw.axis()}, "is alike", SOME
    ),
    "stack": Row(
        lambda lib, x, y, dim: lib.stack([x, y], dim), lambda draw: {"dim": draw.axis()}, "is alike", range(1, 4)
    ),
    "conv2d": Row(
        lambda lib, x, seed, kernel, outputs, groups, **sizes: lib.conv2d(
            x, lib.constant(numbers((outputs, x.shape[1] // groups, *kernel), seed)), groups=groups, **sizes
        ),
        Draw.convolution,
        axes=range(4, 5),
    ),
    "pool": Row(lambda lib, x, **sizes: lib.pool(lifted(lib, x), **sizes), Draw.pool, axes=range(4, 5)),
    "cross_entropy": Row(
        lambda lib, x, labels, **names: lib.cross_entropy(x, np.array(labels), **names), Draw.labels, axes=range(2, 3)
    ),
    "logits_loss": Row(
        lambda lib, x, seed, reduction: lib.logits_loss(x, chosen(x, seed), reduction),
        lambda draw: {"reduction": draw.one("mean", "sum", "none"), **draw.seed()},
        axes=SOME,
    ),
    "attention": Row(lambda lib, x, y: lib.attention(x, y, x - y), partner="is alike", axes=range(3, 4)),
}

PARTNERS: dict[str, Callable[[Tensor, Tensor], bool]] = {
    "broadcasts": lambda x, y: fits(x.shape, y.shape),
    "is a matrix": lambda x, y: y.ndim == 2 and len(y) == x.shape[-1],
    "is alike": lambda x, y: x.shape == y.shape and 3 * x.size < MOST_ELEMENTS,
}


def fits(*shapes: tuple[int, ...]) -> bool:
    """Whether arrays broadcast to something that is not too large."""
    try:
        return bool(np.prod(np.broadcast_shapes(*shapes), dtype=int) <= MOST_ELEMENTS)
    except ValueError:
        return False


def computed(lib: Any, graph: Graph) -> tuple[list[Any], Any]:
    """Leaves, and one number that depends on every value of a graph."""
    leaves = [lib.leaf(array) for array in graph.leaves]
    values: list[Any] = list(leaves)
    for step in graph.steps:
        values.append(_value(lib, step, values))
    used = {number for step in graph.steps for number in step.operands}
    ends = [(number, value) for number, value in enumerate(values) if number not in used]
    parts = [(value * lib.constant(numbers(tuple(value.shape), number))).sum() for number, value in ends]
    return leaves, sum(parts[1:], parts[0])


def drawn(seed: int) -> Graph:
    """A random graph; values that become too large are squashed."""
    rng = np.random.default_rng(seed)
    leaves = [rng.standard_normal(SHAPES[rng.integers(len(SHAPES))]) for _ in range(rng.integers(2, 5))]
    graph, values = Graph(leaves, []), [Ours.constant(array) for array in leaves]
    while len(graph.steps) < 6 or rng.random() < 0.9:
        _add(graph, values, _step(rng, values))
        if np.abs(values[-1].data).max(initial=0) > LARGEST:
            _add(graph, values, Step("tanh", [len(values) - 1], {}))
    return graph


def _add(graph: Graph, values: list[Tensor], step: Step) -> None:
    graph.steps.append(step)
    values.append(_value(Ours, step, values))


def _value(lib: Any, step: Step, values: list[Any]) -> Any:
    return OPERATIONS[step.name].compute(lib, *[values[number] for number in step.operands], **step.options)


def _step(rng: np.random.Generator, values: list[Tensor]) -> Step:
    """A step that the values allow."""
    while True:
        name = str(rng.choice(list(OPERATIONS)))
        row = OPERATIONS[name]
        suited = [number for number, value in enumerate(values) if value.ndim in row.axes and value.size]
        if not suited:
            continue
        first = suited[rng.integers(len(suited))]
        options = row.options(Draw(rng, values[first]))
        others = [] if row.partner is None else [
            number for number, value in enumerate(values) if PARTNERS[row.partner](values[first], value)
        ]  # fmt: skip
        if options is not None and (row.partner is None or others):
            return Step(name, [first, *(others[rng.integers(len(others))],)] if others else [first], options)
