"""Operations that students write: both of the curriculum's styles, and PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core import tensor as tensor_module
from tinytorch.core.autograd import (
    Conv2dBackward,
    EmbeddingBackward,
    Function,
    MaxPool2dBackward,
    MulBackward,
    Row,
    enable_autograd,
)
from tinytorch.core.tensor import Tensor, apply, no_grad
from tinytorch.errors import GraphError, ShapeError, UsageError


class CubeBackward(Function):
    """The older style: `saved_tensors` and `apply`."""

    def apply(self, grad_output: Any) -> Any:
        (x,) = self.saved_tensors
        return (grad_output * 3 * x.data**2,)


class Cube(Function):
    """The newer style: `inputs`, `forward` and `backward`."""

    def forward(self, x: Tensor) -> Any:
        return x.data**3

    def backward(self, grad_output: Any) -> Any:
        (x,) = self.inputs
        assert isinstance(grad_output, np.ndarray)
        return grad_output * 3 * x.data**2


class StaticCube(Function):
    """PyTorch's style."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Any:
        ctx.save_for_backward(x, x * x)
        ctx.scale = scale
        return scale * x * x * x

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        _, square = ctx.saved_tensors
        assert isinstance(grad_output, Tensor)
        return grad_output * 3 * ctx.scale * square, None


class OwnBase:
    """An operation of a file that has a base class of its own."""

    def __init__(self, *tensors: Tensor) -> None:
        self.saved_tensors = tensors

    def apply(self, grad_output: Any) -> Any:
        (x,) = self.saved_tensors
        return (grad_output * 3 * x.data**2,)


class OwnNewerBase:
    def __init__(self, *tensors: Tensor) -> None:
        self.inputs = tensors

    def backward(self, grad_output: Any) -> Any:
        (x,) = self.inputs
        return (grad_output * 3 * x.data**2,)


def assigned(kind: Any, x: Tensor) -> Tensor:
    result = Tensor(x.data**3, requires_grad=x.requires_grad)
    result._grad_fn = kind(x)
    return result


CUBES = {
    "assigned_with_apply": lambda x: assigned(CubeBackward, x),
    "assigned_with_backward": lambda x: assigned(Cube, x),
    "own_base": lambda x: assigned(OwnBase, x),
    "own_newer_base": lambda x: assigned(OwnNewerBase, x),
    "applied": lambda x: Cube.apply(x),
    "applied_static": lambda x: StaticCube.apply(x, 1.0),
}


@pytest.mark.parametrize("name", CUBES)
def test_a_written_operation_takes_part_in_the_graph(name: str) -> None:
    x = Tensor([1.0, -2.0], requires_grad=True)

    (CUBES[name](x * 2) + x).sum().backward()

    np.testing.assert_array_equal(x.grad, [25, 97])


@pytest.mark.parametrize("apply", [Cube.apply, lambda x: StaticCube.apply(x, 1.0)])
def test_a_written_operation_is_remembered_only_where_gradients_are_wanted(apply: Any) -> None:
    with no_grad():
        assert apply(Tensor([1.0], requires_grad=True))._grad_fn is None
    assert apply(Tensor([1.0]))._grad_fn is None
    assert apply(Tensor([1.0], requires_grad=True))._grad_fn is not None


def test_a_result_keeps_its_type() -> None:
    assert Cube.apply(Tensor([1.0], dtype=np.float64)).dtype == np.float64


def test_which_inputs_want_a_gradient() -> None:
    assert Function(Tensor([1.0]), Tensor([1.0], requires_grad=True), 3).needs_input_grad == (False, True, False)


class Wrong(Function):
    """Hands back what the test says."""

    handed: Any = None

    def forward(self, *tensors: Tensor) -> Any:
        return tensors[0] * 1

    def backward(self, grad_output: Any) -> Any:
        return self.handed


def loss_of(monkeypatch: pytest.MonkeyPatch, handed: Any, *inputs: Tensor) -> Tensor:
    monkeypatch.setattr(Wrong, "handed", handed)
    result: Tensor = Wrong.apply(*inputs)
    return result


def test_a_gradient_too_few_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(GraphError, match="Wrong has 2 inputs, and handed back 1"):
        loss_of(monkeypatch, (np.ones(1),), x, x).backward()


def test_a_gradient_of_a_wrong_shape_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Tensor([[1.0]], requires_grad=True)
    with pytest.raises(ShapeError, match=r"Wrong gave a gradient of shape \(3, 2\) for a tensor of shape \(1, 1, 5\)"):
        loss_of(monkeypatch, np.ones((3, 2)), Tensor([[[1.0] * 5]], requires_grad=True)).backward(np.ones((1, 1, 5)))
    loss_of(monkeypatch, np.ones((3, 2)), x).backward()
    np.testing.assert_array_equal(x.grad, [[6]])  # but one that was stretched is summed up


def test_an_input_may_have_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Tensor([1.0], requires_grad=True)
    loss_of(monkeypatch, None, x * 2).backward()
    assert x.grad is None


def test_a_gradient_takes_the_type_of_its_tensor(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Tensor([1.0], requires_grad=True)
    loss_of(monkeypatch, np.ones(1, np.float64), x).backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32


def test_what_is_no_operation_is_refused() -> None:
    with pytest.raises(UsageError, match="object is no operation"):
        Tensor([1.0])._grad_fn = object()


def test_two_results_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cube, "forward", lambda self, x: (x, x))
    with pytest.raises(UsageError, match="one tensor or array, not tuple"):
        Cube.apply(Tensor([1.0]))


@pytest.mark.parametrize("name", ["forward", "backward"])
def test_a_missing_method_is_named(name: str) -> None:
    with pytest.raises(NotImplementedError, match=name):
        getattr(Function(), name)(np.ones(1))


def test_gradients_need_not_be_switched_on() -> None:
    enable_autograd(quiet=True)
    assert (Tensor([1.0], requires_grad=True) * 2)._grad_fn is not None


PLAIN = [kind for kind in Row.__subclasses__() if "__init__" not in vars(kind)]


def _random(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(sum(shape)).normal(size=shape), requires_grad=True)


WITH_OPTIONS = {
    "rows of a table": lambda w, x: (EmbeddingBackward(w, [[1, 1], [0, 2]]), w[np.array([[1, 1], [0, 2]])]),
    "a convolution": lambda w, x: (Conv2dBackward(x, w, None, 2, 1), conv(x, w)),
    "greatest of windows": lambda w, x: (
        MaxPool2dBackward(x, (1, 2, 3, 3), 2), apply("max_pool2d", x, kernel=(2, 2), stride=2, padding=0)
    ),
}  # fmt: skip


def conv(x: Tensor, weight: Tensor) -> Tensor:
    return apply("conv2d", x, weight, stride=2, padding=1)


@pytest.mark.parametrize("make", WITH_OPTIONS.values(), ids=WITH_OPTIONS)
def test_a_row_with_options_hands_back_what_the_framework_does(make) -> None:
    weight, images = _random(4, 2, 3, 3), _random(1, 2, 6, 6)
    function, result = make(weight, images)
    gradient = np.random.default_rng(0).normal(size=result.shape).astype(np.float32)
    result.backward(gradient)

    for tensor, handed in zip(function.inputs, function.apply(gradient), strict=True):
        np.testing.assert_array_equal(handed, tensor.grad)


def test_a_convolution_with_a_bias_hands_back_three() -> None:
    function = Conv2dBackward(_random(1, 2, 6, 6), _random(4, 2, 3, 3), _random(4), 1, 0, 3, (1, 2, 6, 6))

    assert [part.shape for part in function.apply(np.ones((1, 4, 4, 4), np.float32))] == [
        (1, 2, 6, 6),
        (4, 2, 3, 3),
        (4,),
    ]


def test_older_files_import_function_beside_tensor() -> None:
    assert tensor_module.Function is Function
    with pytest.raises(AttributeError, match="no attribute 'Functions'"):
        _ = tensor_module.Functions


@pytest.mark.parametrize("kind", PLAIN)
def test_a_row_of_the_table_hands_back_what_the_framework_does(kind: type[Row]) -> None:
    a, b = (Tensor(np.random.default_rng(seed).uniform(1, 2, (3, 3)), requires_grad=True) for seed in (0, 1))
    inputs = (a, b) if kind.name in ("add", "sub", "mul", "div", "matmul") else (a,)
    gradient = np.arange(9, dtype=np.float32).reshape(3, 3)
    handed = kind(*inputs).apply(gradient)
    kind.apply(*inputs).backward(gradient)
    first = [tensor.grad for tensor in inputs]
    for tensor in inputs:
        tensor.zero_grad()
    apply(kind.name, *inputs).backward(gradient)

    for position, tensor in enumerate(inputs):
        np.testing.assert_array_equal(handed[position], tensor.grad)
        np.testing.assert_array_equal(first[position], tensor.grad)


def test_a_row_of_the_table_asks_who_wants_a_gradient() -> None:
    assert MulBackward(Tensor([1.0]), Tensor([2.0], requires_grad=True)).apply(np.ones(1))[0] is None


class OwnReLU(Function):
    """Uses numpy on what it is given."""

    def forward(self, x: Any) -> Any:
        return np.maximum(x, 0)

    def backward(self, gradient: Any) -> Any:
        return gradient * (self.inputs[0].data > 0)


def test_a_forward_may_use_numpy() -> None:
    x = Tensor([-1.0, 2.0], requires_grad=True)
    OwnReLU.apply(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 1])


class Twins(Function):
    """One array handed back for both inputs, and kept."""

    saved = np.array([1.0], np.float32)

    def forward(self, a: Tensor, b: Tensor) -> Any:
        return a.data + b.data

    def backward(self, gradient: Any) -> Any:
        return self.saved, self.saved


def test_gradients_of_a_written_operation_are_nobody_else_s() -> None:
    a, b = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    for _ in range(2):
        Twins.apply(a, b).backward()
    assert (a.grad, b.grad, Twins.saved) == ([2], [2], [1])
