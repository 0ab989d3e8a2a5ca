"""A compiled model as an object: what it takes and gives, what it keeps, its files, and what it refuses."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.activations import ReLU
from tinytorch.core.embeddings import Embedding
from tinytorch.core.layers import Layer, Linear, Sequential, layer_kinds, parameter_count
from tinytorch.core.spatial import BatchNorm2d, Conv2d, Flatten
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT
from tinytorch.errors import UsageError
from tinytorch.perf.acceleration import CompiledModel, compile_model, machine
from tinytorch.perf.quantization import quantize_model

BACKENDS = ("numpy", "numba")


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

    assert layer_kinds(compiled) == layer_kinds(model)
    assert parameter_count(compiled) == parameter_count(model) - 2 * 2  # the gains and shifts that were folded


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


def test_without_the_extra_all_works_but_its_back_end_which_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [
        "numpy (1, 2)",
        "the numba back end needs numba, which is not installed | pip install numba",
    ]


class Scaled(Layer):
    """Multiplies by a number that it takes from the tokens itself, and no operation."""

    def __init__(self) -> None:
        self.embedding = Embedding(9, 4, rng=0)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.embedding(inputs) * float(inputs.data.sum())


def test_a_plan_for_tokens_is_held_against_other_tokens() -> None:
    with pytest.raises(UsageError, match="its plan gives other outputs"):
        compile_model(Scaled(), np.zeros((1, 8), int))


def test_integers_of_a_model_without_tokens_are_numbers() -> None:
    model = Sequential(Linear(4, 2, rng=0)).eval()
    images = np.arange(4, dtype=np.uint8)[None]
    np.testing.assert_allclose(compile_model(model, images)(images + 7).data, model(images + 7).data, rtol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_tokens_may_be_larger_than_those_of_the_example(backend: Any) -> None:
    gpt = GPT(400, 8, 1, 2, 8, rng=0).eval()
    compiled, tokens = compile_model(gpt, np.array([[1, 2]], np.uint8), backend), np.array([[300, 399]])
    np.testing.assert_allclose(compiled(tokens).data, gpt(tokens).data, rtol=1e-4, atol=1e-5)


def test_another_thread_than_the_owner_s_is_refused_by_name() -> None:
    compiled = compile_model(Sequential(Linear(3, 2)).eval(), np.ones((1, 3)))
    told: list[Any] = []

    def call() -> None:
        for use in (compiled, copy.deepcopy(compiled)):
            try:
                told.append(use(np.ones((1, 3), np.float32)).shape)
            except UsageError as error:
                told.append(error.message)

    thread = threading.Thread(target=call, name="helper")
    thread.start()
    thread.join()
    assert "the thread 'helper' called a plan of the thread 'MainThread'" in told[0]
    assert told[1] == (1, 2)


def test_another_thread_may_not_generate_either() -> None:
    compiled: Any = compile_model(GPT(5, 4, 1, 1, 8, rng=0), np.zeros((1, 2), int))
    with ThreadPoolExecutor(1) as pool, pytest.raises(UsageError, match="called a plan of the thread"):
        pool.submit(compiled.generate, [1, 2], 3, 0).result()


@pytest.mark.parametrize("bits", [8, 4, 3, 2])
def test_kernels_compute_every_layer_of_codes(bits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "bound", lambda instructions: pytest.fail("numpy computes a layer"))
    layers = (Conv2d(2, 8, 3, padding=1, rng=0), ReLU(), Flatten(), Linear(288, 30, rng=1), ReLU())
    images = np.random.default_rng(0).random((1, 2, 6, 6), np.float32)
    model = quantize_model(Sequential(*layers, Linear(30, 9, rng=2)).eval(), bits=bits)
    assert all(layer.bias.data.dtype == np.float16 for layer in (model[0], model[3]))
    np.testing.assert_allclose(compile_model(model, images, "numba")(images).data, model(images).data, atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("options", [{"groups": 2}, {"dilation": 2}, {"groups": 4, "dilation": 2, "padding": 2}])
@pytest.mark.parametrize("is_compact", [False, True])
def test_convolutions_in_groups_and_with_gaps_are_planned(backend: Any, options: Any, is_compact: bool) -> None:
    images = np.random.default_rng(0).standard_normal((2, 4, 7, 7)).astype(np.float32)
    model: Any = Sequential(Conv2d(4, 4, 3, rng=0, **options), BatchNorm2d(4), ReLU()).eval()
    model = quantize_model(model) if is_compact else model
    np.testing.assert_allclose(compile_model(model, images, backend)(images).data, model(images).data, atol=1e-4)
