"""A compiled model computes what its model does, for any batch, by either back end, whatever form its weights have."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.embeddings import Embedding
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential, layer_kinds, parameter_count
from tinytorch.core.ops import Array
from tinytorch.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, Flatten, MaxPool2d
from tinytorch.core.tensor import Tensor, concatenate
from tinytorch.core.transformers import GPT, LayerNorm, TransformerBlock
from tinytorch.errors import UsageError
from tinytorch.perf.acceleration import CompiledModel, compile_model
from tinytorch.perf.compression import factorize, huffman_code, prune_weights, share_weights, sparsify
from tinytorch.perf.quantization import quantize_model

BACKENDS = ("numpy", "numba")
SIZES = st.integers(1, 20)
FORMS = {
    "int8": quantize_model,
    "int8, one scale": lambda model: quantize_model(model, per_channel=False),
    "int8, affine": lambda model: quantize_model(model, symmetric=False),
    "int8, inputs": lambda model: quantize_model(model, dynamic=True),
    "int4": lambda model: quantize_model(model, bits=4),
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


@settings(max_examples=80, deadline=None)
@given(drawn=perceptrons(), backend=st.sampled_from(BACKENDS))
def test_any_perceptron(drawn: tuple[Sequential, Array], backend: str) -> None:
    assert_same(*drawn, backend)


@settings(max_examples=80, deadline=None)
@given(drawn=convolutions(), backend=st.sampled_from(BACKENDS))
def test_any_convolution(drawn: tuple[Sequential, Array], backend: str) -> None:
    assert_same(*drawn, backend)


@settings(max_examples=25, deadline=None)
@given(
    heads=st.integers(1, 3),
    length=st.integers(1, 6),
    samples=st.integers(1, 3),
    backend=st.sampled_from(BACKENDS),
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
def test_outputs_are_nobodys_but_the_callers(backend: str) -> None:
    compiled = compile_model(Sequential(Linear(3, 2)).eval(), np.ones((1, 3)), backend=backend)
    first = compiled(np.ones((1, 3), np.float32)).data
    before = first.copy()
    compiled(np.zeros((1, 3), np.float32))

    np.testing.assert_array_equal(first, before)


def test_inputs_are_not_written_to() -> None:
    inputs = np.full((1, 3), -1, np.float32)
    compile_model(Sequential(ReLU(), Linear(3, 2)).eval(), inputs)(inputs)

    assert (inputs == -1).all()


def test_tensors_lists_and_other_types_go_in() -> None:
    compiled = compile_model(Sequential(Linear(2, 2)).eval(), Tensor([[1, 2]]))
    wanted = compiled(np.array([[1, 2]], np.float32)).data

    for inputs in (Tensor([[1, 2]]), [[1, 2]], np.array([[1.0, 2.0]])):
        np.testing.assert_array_equal(compiled(inputs).data, wanted)


def test_a_batch_of_another_type_is_computed_in_the_example_s() -> None:
    compiled = compile_model(Sequential(Linear(2, 2)).eval(), np.ones((1, 2)))

    np.testing.assert_array_equal(compiled(np.ones((3, 2), int)).data, compiled(np.ones((3, 2), np.float32)).data)


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


def test_after_a_batch_that_does_not_fit_all_is_as_before() -> None:
    compiled = compile_model(Sequential(Linear(2, 2)).eval(), np.ones((1, 2)))
    wanted = compiled(np.ones((1, 2))).data
    for _ in range(2):
        with pytest.raises(UsageError, match="needs inputs"):
            compiled(np.ones((1, 3)))

    np.testing.assert_array_equal(compiled(np.ones((1, 2))).data, wanted)


def test_another_batch_is_planned_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = compile_model(Sequential(Linear(2, 2)).eval(), np.ones((1, 2)))
    plans = []
    monkeypatch.setattr(
        CompiledModel,
        "_plan_for",
        lambda self, example, real=CompiledModel._plan_for: (plans.append(example.shape), real(self, example))[1],
    )
    for samples in (1, 3, 3, 3):
        compiled(np.ones((samples, 2), np.float32))

    assert plans == [(3, 2)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_memory_of_a_large_batch_is_given_back(backend: str) -> None:
    compiled = compile_model(Sequential(Linear(8, 64), ReLU(), Linear(64, 2)).eval(), np.ones((1, 8)), backend=backend)
    one = footprint(compiled).kept_bytes
    compiled(np.ones((100, 8), np.float32))
    assert footprint(compiled).kept_bytes > one + 100 * 64 * 4
    compiled(np.ones((1, 8), np.float32))

    assert footprint(compiled).kept_bytes == one


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_are_not_kept_twice(backend: str) -> None:
    model = Sequential(Conv2d(3, 32, 3), ReLU(), Flatten(), Linear(32 * 36, 64), ReLU(), Linear(64, 2)).eval()
    compiled = compile_model(model, np.ones((1, 3, 8, 8)), backend=backend)
    buffers = 4 * (3 * 100 + 36 * (32 + 28) + 32 * 36 * 2 + 64 * 9) + 3000

    assert footprint(compiled).kept_bytes <= footprint(model).kept_bytes + buffers


def test_it_is_of_the_kinds_of_its_model() -> None:
    model = Sequential(Conv2d(1, 2, 3), BatchNorm2d(2), ReLU(), Flatten(), Linear(8, 2)).eval()
    compiled = compile_model(model, np.ones((1, 1, 4, 4)))

    assert (layer_kinds(compiled), parameter_count(compiled)) == (layer_kinds(model), parameter_count(model))


def test_the_model_itself_is_left_alone() -> None:
    model = Sequential(Conv2d(1, 2, 3), BatchNorm2d(2), Flatten(), Linear(8, 2))
    before = {name: array.copy() for name, array in model.state_dict().items()}
    compile_model(model, np.ones((1, 1, 4, 4)))

    assert model.training
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_what_is_compiled_already_is_compiled_anew() -> None:
    model = Sequential(Linear(3, 2)).eval()
    again = compile_model(compile_model(model, np.ones((1, 3))), np.ones((2, 3)), backend="numba")

    assert type(again.model) is Sequential
    np.testing.assert_allclose(again(np.ones((1, 3))).data, model(np.ones((1, 3))).data, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_files_carry_no_plan_and_a_fresh_process_computes_the_same(backend: str, tmp_path: Path) -> None:
    model = quantize_model(Sequential(Linear(3, 50), ReLU(), Linear(50, 2)).eval())
    compiled = compile_model(model, np.ones((1, 3)), backend=backend)
    content = pickle.dumps(compiled)
    (tmp_path / "model.pickle").write_bytes(content)
    program = "import pickle,sys; m=pickle.load(open(sys.argv[1],'rb')); print(m([[1, 2, 3]]).data.tolist())"
    command = [sys.executable, "-c", program, str(tmp_path / "model.pickle")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert len(content) <= len(pickle.dumps(model)) + 300
    assert done.stdout == f"{compiled([[1, 2, 3]]).data.tolist()}\n"


def test_its_state_is_that_of_its_model_and_no_other_is_loaded() -> None:
    model = Sequential(Linear(3, 2)).eval()
    compiled = compile_model(model, np.ones((1, 3)))

    assert compiled.state_dict().keys() == model.state_dict().keys()
    with pytest.raises(UsageError, match="compiled"):
        compiled.load_state_dict(model.state_dict())


@pytest.mark.parametrize("form", ["int8", "shared", "rows"])
def test_techniques_apply_to_what_is_compiled_already(form: str) -> None:
    model = Sequential(Conv2d(1, 8, 3), ReLU(), Flatten(), Linear(32, 40), ReLU(), Linear(40, 3)).eval()
    inputs = np.random.default_rng(0).standard_normal((1, 1, 4, 4), np.float32)
    small = FORMS[form](compile_model(model, inputs, backend="numba"))

    assert isinstance(small, CompiledModel)
    np.testing.assert_allclose(small(inputs).data, FORMS[form](model)(inputs).data, rtol=1e-4, atol=1e-4)


class Anything:
    """No layer of ours, and not to be called."""

    def __init__(self) -> None:
        self.linear = Linear(3, 2, rng=np.random.default_rng(0))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.linear(inputs) * 2


def test_a_model_of_any_class_is_compiled() -> None:
    model, inputs = Anything(), np.ones((1, 3), np.float32)
    compiled = compile_model(model, inputs)

    np.testing.assert_allclose(compiled(inputs).data, model.forward(Tensor(inputs)).data, atol=1e-6)
    assert compiled.state_dict().keys() == {"linear.weight", "linear.bias"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_of_float64_stay_so(backend: str) -> None:
    weight, bias = np.random.default_rng(0).standard_normal((4, 2))[:3], np.ones(2)
    model = Sequential(Linear(3, 2)).eval()
    model[0].weight.data, model[0].bias.data = weight, bias
    inputs = np.ones((1, 3), np.float32)
    found = compile_model(model, inputs, backend=backend)(inputs).data

    assert found.dtype == model(inputs).dtype == np.float64
    np.testing.assert_allclose(found, model(inputs).data, rtol=1e-12)


def test_a_compiled_part_is_compiled_with_the_whole() -> None:
    part = compile_model(Sequential(Linear(3, 4), ReLU()).eval(), np.ones((1, 3)))
    whole = Sequential(part, Linear(4, 2)).eval()

    assert_same(whole, np.random.default_rng(0).standard_normal((2, 3), np.float32), "numba")


class Branching(Layer):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * 2 if float(inputs.data.sum()) > 0 else inputs * 3


class Outside(Layer):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + Tensor(np.sort(inputs.data))


class Constant(Layer):
    def forward(self, inputs: Tensor) -> Tensor:
        return Tensor(np.cos(inputs.data))


class Pair(Layer):
    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        return inputs * 2, inputs


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Branching(), "Branching cannot be compiled"),
        (Outside(), "Outside cannot be compiled"),
        (Constant(), "one that does not come from them"),
        (Pair(), "not a tuple"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_no_trace_can_show_is_refused(model: Layer, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compile_model(model, np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3))


@pytest.mark.parametrize("example", [np.ones(3), np.ones((0, 3)), 1.0])
def test_examples_without_a_sample_are_refused(example) -> None:
    with pytest.raises(UsageError, match="at least one sample"):
        compile_model(Sequential(Linear(3, 2)), example)


def test_a_back_end_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="numbas") as caught:
        compile_model(Sequential(Linear(3, 2)), np.ones((1, 3)), backend="numbas")

    assert caught.value.mend == "did you mean 'numba'?"


WITHOUT = """
import sys
sys.modules["numba"] = None
import numpy as np
from tinytorch import Linear, Sequential
from tinytorch.errors import UsageError
from tinytorch.perf.acceleration import compile_model, fastest_backend
model = Sequential(Linear(3, 2)).eval()
print(fastest_backend(), compile_model(model, np.ones((1, 3)))(np.ones((1, 3))).shape)
try:
    compile_model(model, np.ones((1, 3)), backend="numba")
except UsageError as error:
    print(error, "|", error.mend)
"""


def test_a_back_end_that_cannot_be_loaded_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("tinytorch.perf.acceleration.kernels")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "tinytorch.perf.acceleration.machine", raising=False)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(UsageError, match="cannot be loaded: import of llvmlite") as caught:
        compile_model(Sequential(Linear(3, 2)), np.ones((1, 3)), backend="numba")

    assert "NUMBA_CACHE_DIR" in caught.value.mend


class Whole(Layer):
    """Computes with integers."""

    def forward(self, inputs: Tensor) -> Tensor:
        return (inputs + inputs) * inputs


@pytest.mark.parametrize("backend", BACKENDS)
def test_integers_are_computed_as_integers(backend: str) -> None:
    found = compile_model(Whole(), np.array([[1, 2, 3]]), backend=backend)(np.array([[3, 4, 10**9]])).data

    assert found.tolist() == [[18, 32, 2 * 10**18]]


def test_without_the_extra_all_works_but_its_back_end_which_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [
        "numpy (1, 2)",
        'the numba back end needs numba, which is not installed | pip install "tinytorch-olympics[numba]"',
    ]
