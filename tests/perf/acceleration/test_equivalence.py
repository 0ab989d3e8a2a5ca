"""A compiled model computes what its model does, for any batch, by either back end, whatever form its weights have."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.embeddings import Embedding
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch.core.ops import Array
from tinytorch.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, Flatten, MaxPool2d
from tinytorch.core.tensor import Tensor, concatenate
from tinytorch.core.transformers import GPT, LayerNorm, TransformerBlock
from tinytorch.errors import UsageError
from tinytorch.perf.acceleration import CompiledModel, compile_model
from tinytorch.perf.compression import factorize, huffman_code, prune_weights, share_weights, sparsify
from tinytorch.perf.quantization import quantize_model, quantize_weight

BACKENDS = ("numpy", "numba")


SIZES = st.integers(1, 20)


FORMS = {
    "int8": quantize_model,
    "int8, one scale": lambda model: quantize_model(model, per_channel=False),
    "int8, affine": lambda model: quantize_model(model, symmetric=False),
    "int8, inputs": lambda model: quantize_model(model, dynamic=True),
    "int4": lambda model: quantize_model(model, bits=4),
    "int3": lambda model: quantize_model(model, bits=3),
    "int2, affine": lambda model: quantize_model(model, bits=2, symmetric=False),
    "int4, affine": lambda model: quantize_model(model, bits=4, symmetric=False),
    "shared": lambda model: share_weights(model, clusters=16),
    "shared, 3": lambda model: share_weights(model, clusters=3),
    "shared, 200": lambda model: share_weights(model, clusters=200),
    "sparse": lambda model: sparsify(prune_weights(model, sparsity=0.8)),
    "rows": lambda model: sparsify(prune_weights(model, sparsity=0.8), form="csr"),
    "rows, shared": lambda model: share_weights(sparsify(prune_weights(model, sparsity=0.8), form="csr")),
    "low rank": lambda model: factorize(model, rank=2),
    "coded": lambda model: huffman_code(quantize_model(model)),
}


def assert_same(model: Layer, inputs: Array, backend: str, tolerance: float = 1e-5) -> None:
    """For the batch that was planned for, another, and the first again."""
    compiled = compile_model(model.eval(), inputs, backend=backend)
    for batch in (inputs, np.concatenate([inputs, inputs[::-1], inputs]), inputs[:1], inputs):
        wanted = model(batch).data
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(compiled(batch).data, wanted, rtol=tolerance, atol=tolerance * scale)


@st.composite
def perceptrons(draw: st.DrawFn) -> tuple[Sequential, Array]:
    """Linears, activations, norms of any sizes, on inputs of two or three axes."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    sizes = draw(st.lists(st.one_of(SIZES, st.sampled_from([32, 48, 130])), min_size=2, max_size=4))
    layers: list[Layer] = []
    for first, second in itertools.pairwise(sizes):
        layers.append(Linear(first, second, bias=draw(st.booleans()), rng=rng))
        layers.append(
            draw(st.sampled_from([ReLU, GELU, Sigmoid, Tanh, Softmax, Dropout, lambda n=second: LayerNorm(n)]))()
        )
    shape = draw(st.sampled_from([(1,), (3,), (1, 2), (2, 5)]))
    return Sequential(*layers), rng.standard_normal((*shape, sizes[0]), np.float32)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Sequential, Array]:
    """A convolution of any kind, some with a norm, activation, pool, and another convolution or a Linear."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    channels, outputs = draw(st.integers(1, 5)), draw(st.sampled_from([1, 3, 16, 20, 32, 48]))
    kernel, stride, padding = draw(st.sampled_from([1, 2, 3])), draw(st.integers(1, 2)), draw(st.integers(0, 2))
    bias = draw(st.booleans())
    layers: list[Layer] = [Conv2d(channels, outputs, kernel, stride, padding, bias=bias, rng=rng)]
    if draw(st.booleans()):
        norm = BatchNorm2d(outputs)
        norm.running_mean[:], norm.running_var[:] = rng.standard_normal(outputs), rng.random(outputs) + 0.1
        norm.gamma.data, norm.beta.data = rng.standard_normal((2, outputs)).astype(np.float32)
        layers.append(norm)
    layers += draw(
        st.sampled_from([[], [ReLU()], [ReLU(), MaxPool2d(2)], [AvgPool2d(2)], [MaxPool2d(3, 1, 1), Tanh()]])
    )
    layers += draw(st.sampled_from([[], [Flatten()], [Conv2d(outputs, 4, 1, rng=rng), Flatten()]]))
    size = draw(st.integers(6, 9))
    return Sequential(*layers), rng.standard_normal((draw(st.integers(1, 3)), channels, size, size), np.float32)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=80, deadline=None)
@given(drawn=perceptrons())
def test_any_perceptron(drawn: tuple[Sequential, Array], backend: str) -> None:
    assert_same(*drawn, backend)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=80, deadline=None)
@given(drawn=convolutions())
def test_any_convolution(drawn: tuple[Sequential, Array], backend: str) -> None:
    assert_same(*drawn, backend)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=25, deadline=None)
@given(
    heads=st.integers(1, 3),
    length=st.integers(1, 6),
    samples=st.integers(1, 3),
    kind=st.sampled_from([TransformerBlock, MultiHeadAttention]),
)
def test_any_attention(heads: int, length: int, samples: int, backend: str, kind: type) -> None:
    rng = np.random.default_rng(0)

    assert_same(kind(4 * heads, heads, rng=rng), rng.standard_normal((samples, length, 4 * heads), np.float32), backend)


class Residual(Layer):
    """A student's model, with its own forward, and operations that no layer has."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.first, self.second = Linear(6, 6, rng=rng), Linear(6, 6, rng=rng)
        self.norm = LayerNorm(6)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.first(inputs)
        joined = concatenate([self.norm(hidden + inputs), self.second(hidden) - hidden], axis=-1)
        return (joined.exp() / (1 + abs(joined)) - joined * 2).mean(axis=-1, keepdims=True) + inputs[:, :1] ** 2


class Words(Layer):
    """Tokens in, a score for each sentence out."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.embedding, self.scores = Embedding(9, 5, rng=rng), Linear(5, 2, rng=rng)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.scores(self.embedding(inputs).mean(axis=1))


OWN = {
    "residual": (Residual, np.random.default_rng(1).standard_normal((2, 6), np.float32)),
    "words": (Words, np.array([[1, 8, 3], [0, 2, 2]])),
    "gpt": (lambda: GPT(9, 16, 2, 2, 8, rng=np.random.default_rng(0)), np.array([[1, 5, 2], [8, 0, 3]])),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", OWN)
def test_models_with_a_forward_of_their_own(name: str, backend: str) -> None:
    make, inputs = OWN[name]

    assert_same(make(), inputs, backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("samples", [1, 5])
def test_compact_weights_stay_what_they_are(form: str, backend: str, samples: int) -> None:
    rng = np.random.default_rng(0)
    images = Sequential(Conv2d(2, 8, 3, rng=rng), ReLU(), MaxPool2d(2), Flatten(), Linear(72, 31, rng=rng), GELU())
    model = FORMS[form](Sequential(*images, Linear(31, 10, rng=rng)).eval())
    inputs = rng.standard_normal((samples, 2, 8, 8), np.float32)

    assert_same(model, inputs, backend, tolerance=1e-4)
    kept = [layer.weight for layer in compile_model(model, inputs, backend=backend).walk() if hasattr(layer, "weight")]
    assert [type(weight) for weight in kept] == [type(model[number].weight) for number in (0, 4, 6)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("activation", [ReLU, GELU, Sigmoid, Tanh, Softmax, lambda: LayerNorm(40)])
def test_what_is_not_a_number_comes_through(backend: str, activation) -> None:
    model = Sequential(Linear(3, 40), activation(), Linear(40, 2)).eval()
    inputs = np.array([[np.nan, 1, 1], [1, 1, 1]], np.float32)
    compiled = compile_model(model, inputs[1:], backend=backend)

    assert np.isnan(compiled(inputs).data).tolist() == [[True, True], [False, False]]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", ["floats", "rows"])
def test_a_weight_that_is_not_a_number_is_not_hidden_by_a_zero(backend: str, form: str) -> None:
    weight = np.where(np.arange(1200).reshape(30, 40) % 9, 0, 1).astype(np.float32)
    weight[4, 7] = np.nan
    model = Sequential(Linear.from_arrays(weight, None), Linear(40, 2)).eval()
    compiled = compile_model(
        sparsify(model, form="csr") if form == "rows" else model, np.ones((1, 30)), backend=backend
    )
    assert np.isnan(compiled(np.zeros((1, 30))).data).all()


def test_tokens_may_be_whole_floats_and_nothing_between() -> None:
    compiled = compile_model(Words().eval(), np.array([[1, 8, 3]]))

    for batch in ([[2.0, 1.0, 0.0]], [[2.0, 1.0], [0.0, 8.0]]):
        np.testing.assert_array_equal(compiled(np.array(batch)).data, compiled(np.array(batch, int)).data)
        with pytest.raises(UsageError, match="whole numbers"):
            compiled(np.array(batch) + 0.5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_tokens_that_there_are_not_are_refused(backend: str) -> None:
    compiled = compile_model(Words().eval(), np.array([[1, 8, 3]]), backend=backend)
    with pytest.raises(UsageError, match=r"0\.\.8"):
        compiled(np.array([[1, 9, 3]]))


@pytest.mark.parametrize("form", ["int8", "shared", "rows"])
def test_techniques_apply_to_what_is_compiled_already(form: str) -> None:
    model = Sequential(Conv2d(1, 8, 3), ReLU(), Flatten(), Linear(32, 40), ReLU(), Linear(40, 3)).eval()
    inputs = np.random.default_rng(0).standard_normal((1, 1, 4, 4), np.float32)
    small = FORMS[form](compile_model(model, inputs, backend="numba"))

    assert isinstance(small, CompiledModel)
    np.testing.assert_allclose(small(inputs).data, FORMS[form](model)(inputs).data, rtol=1e-4, atol=1e-4)


class Operator(Layer):
    """An operation between the inputs, which are needed again, and something that is not."""

    def __init__(self, operation) -> None:
        self.operation = operation

    def forward(self, inputs: Tensor) -> Tensor:
        return self.operation(inputs, inputs.exp()) * inputs


OPERATIONS = {
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: a - b,
    "quotient": lambda a, b: a / b,
    "product": lambda a, b: a * b,
    "with itself": lambda a, b: b - b * 2 + (b / b),
    "twice the same": lambda a, b: (b + b) * 1,
    "with itself, turned": lambda a, b: b - b.transpose(0, 1),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_nothing_is_written_over_that_is_still_read(operation, backend: str) -> None:
    model, inputs = Operator(operation), np.random.default_rng(0).standard_normal((5, 5), np.float32)

    np.testing.assert_allclose(
        compile_model(model, inputs, backend=backend)(inputs).data, model(inputs).data, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("axis", [0, 1, None])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_codes_with_scales_of_any_axis_lying_anyhow(axis: int | None, order: str, symmetric: bool) -> None:
    model = Sequential(Linear(12, 7, rng=np.random.default_rng(0))).eval()
    weight = quantize_weight(model[0].weight.data, axis, symmetric=symmetric)
    weight.codes = np.array(weight.codes, order=order)
    model[0].weight = weight
    inputs = np.random.default_rng(1).standard_normal((1, 12), np.float32)

    np.testing.assert_allclose(
        compile_model(model, inputs, backend="numba")(inputs).data, model(inputs).data, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("pool", [MaxPool2d, AvgPool2d])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (2, 2, 1), (3, 1, 1), (3, 2, 0), (1, 2, 0)])
def test_pools_of_any_kind(pool, kernel: int, stride: int, padding: int, backend: str) -> None:
    rng = np.random.default_rng(0)
    model = Sequential(Conv2d(1, 3, 1, rng=rng), pool(kernel, stride, padding))

    assert_same(model, rng.standard_normal((2, 1, 6, 6), np.float32), backend)


def test_a_compact_layer_with_a_forward_of_its_own_keeps_it() -> None:
    model, inputs = quantize_model(Sequential(Linear(3, 2)).eval()), np.ones((1, 3), np.float32)
    model[0].forward = doubled(model[0])

    np.testing.assert_allclose(
        compile_model(model, inputs, backend="numba")(inputs).data, model(inputs).data, rtol=1e-5
    )


def doubled(layer: Layer):
    return lambda inputs: type(layer).forward(layer, inputs) * 2


def test_a_compiled_part_is_compiled_with_the_whole() -> None:
    part = compile_model(Sequential(Linear(3, 4), ReLU()).eval(), np.ones((1, 3)))
    whole = Sequential(part, Linear(4, 2)).eval()

    assert_same(whole, np.random.default_rng(0).standard_normal((2, 3), np.float32), "numba")


class Whole(Layer):
    """Computes with integers."""

    def forward(self, inputs: Tensor) -> Tensor:
        return (inputs + inputs) * inputs


@pytest.mark.parametrize("backend", BACKENDS)
def test_integers_are_computed_as_integers(backend: str) -> None:
    found = compile_model(Whole(), np.array([[1, 2, 3]]), backend=backend)(np.array([[3, 4, 10**9]])).data

    assert found.tolist() == [[18, 32, 2 * 10**18]]


class Turned(Layer):
    def forward(self, inputs: Tensor) -> Tensor:
        return concatenate([inputs[..., ::-1], inputs], axis=-1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_that_run_backwards_are_copied_as_they_are(backend: str) -> None:
    assert_same(Turned(), np.arange(12, dtype=np.float32).reshape(3, 4), backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_empty_batch_is_none_of_the_kernels_business(backend: str) -> None:
    model = Sequential(Conv2d(2, 3, 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), Linear(27, 2)).eval()
    compiled = compile_model(model, np.ones((2, 2, 6, 6)), backend=backend)
    assert compiled(np.ones((0, 2, 6, 6))).shape == (0, 2)


@pytest.mark.parametrize("value", [-1e36, -1e5, -30.0, -12.5, -11.0])
def test_gelu_of_very_little_is_nothing(value: float) -> None:
    model, inputs = Sequential(Linear.from_arrays(np.eye(2, dtype=np.float32)), GELU()).eval(), np.ones((1, 2))
    compiled = compile_model(model, inputs, backend="numba")
    np.testing.assert_allclose(compiled(np.full((1, 2), value)).data, 0, atol=1e-6)


@pytest.mark.parametrize("inputs", [[[1, 2], [3]], np.array([["a"] * 2]), "ab"])
def test_what_are_no_numbers_is_refused(inputs: object) -> None:
    compiled = compile_model(Sequential(Linear(2, 2)).eval(), np.ones((1, 2)))
    with pytest.raises(UsageError, match="array of numbers"):
        compiled(inputs)


def test_a_class_is_no_model() -> None:
    with pytest.raises(UsageError, match="not the class Sequential"):
        compile_model(Sequential, np.ones((1, 2)))
