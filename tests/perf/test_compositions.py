"""Techniques in any order: the model stays one of its kind, is saved and loaded, and never keeps more than before."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Layer, Linear, Sequential, layer_kinds, parameter_count
from tinytorch.core.metrics import accuracy
from tinytorch.core.spatial import SimpleCNN
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT
from tinytorch.datasets import load_digits
from tinytorch.errors import UsageError
from tinytorch.perf.compression import (
    factorize,
    fine_tune,
    huffman_code,
    prune_neurons,
    prune_transformer,
    prune_weights,
    share_weights,
    sparsify,
)
from tinytorch.perf.quantization import quantize_model

TECHNIQUES = {
    "prune": lambda model: prune_weights(model, sparsity=0.8),
    "sparse": sparsify,
    "csr": lambda model: sparsify(model, form="csr"),
    "share": lambda model: share_weights(model, clusters=16),
    "int8": quantize_model,
    "int4": lambda model: quantize_model(model, bits=4, symmetric=False),
    "low rank": lambda model: factorize(model, rank=4),
    "huffman": huffman_code,
}


class Residual(Layer):
    """A student's model, with its own forward."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.first, self.second = Linear(24, 24, rng=rng), Linear(24, 24, rng=rng)

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.second(self.first(inputs))


def perceptron() -> Sequential:
    rng = np.random.default_rng(0)
    return Sequential(Linear(24, 40, rng=rng), ReLU(), Linear(40, 5, rng=rng)).eval()


MODELS = {
    "perceptron": (perceptron, np.ones((3, 24))),
    "residual": (lambda: Residual().eval(), np.ones((3, 24))),
    "convolutions": (lambda: SimpleCNN(5, 8, 1, rng=np.random.default_rng(0)).eval(), np.ones((2, 1, 8, 8))),
    "gpt": (lambda: GPT(9, 16, 1, 2, 8, rng=np.random.default_rng(0)).eval(), np.array([[1, 5, 2]])),
}


def apply(names: list[str], model: Layer) -> tuple[Layer, list[str]]:
    """The model after all techniques that found something to do."""
    done = []
    for name in names:
        try:
            model = TECHNIQUES[name](model)
        except UsageError:  # nothing is left that it could work on
            continue
        done.append(name)
    return model, done


@settings(max_examples=60)
@given(names=st.lists(st.sampled_from(list(TECHNIQUES)), min_size=1, max_size=4), model=st.sampled_from(list(MODELS)))
def test_any_order_gives_a_model_of_the_same_kind_that_is_saved_and_loaded(names: list[str], model: str) -> None:
    make, inputs = MODELS[model]
    original = make()
    small, done = apply(names, original)
    loaded = pickle.loads(pickle.dumps(small, 5))

    assert done
    assert (layer_kinds(small), parameter_count(small)) == (layer_kinds(original), parameter_count(original))
    assert small(inputs).shape == original(inputs).shape
    assert np.isfinite(small(inputs).data).all()
    np.testing.assert_array_equal(loaded(inputs).data, small(inputs).data)
    assert footprint(small).kept_bytes <= footprint(original).kept_bytes + 8 * 40


@pytest.mark.parametrize(
    "names", [["prune", "sparse", "share", "huffman"], ["prune", "sparse", "int4", "huffman"], ["int8", "huffman"]]
)
@pytest.mark.parametrize("model", MODELS)
def test_the_usual_orders_do_all_that_they_say(names: list[str], model: str) -> None:
    make, _ = MODELS[model]
    original = make()
    small, done = apply(names, original)

    assert done == names
    assert footprint(small).kept_bytes < 0.6 * footprint(original).kept_bytes
    assert len(pickle.dumps(small, 5)) < len(pickle.dumps(original, 5))


@pytest.mark.parametrize("name", TECHNIQUES)
@pytest.mark.parametrize("model", MODELS)
def test_no_technique_touches_what_it_was_given(name: str, model: str) -> None:
    make, _ = MODELS[model]
    original = make()
    before = [np.array(weight) for weight in original.weights()]
    TECHNIQUES[name](original)

    assert all((np.asarray(a) == b).all() for a, b in zip(original.weights(), before, strict=True))


NOT_FINITE = {name: TECHNIQUES[name] for name in ("prune", "share", "int8", "int4", "low rank")} | {
    "neurons": lambda model: prune_neurons(model, keep=2),
    "heads": lambda model: prune_transformer(model, heads=1),
}


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", NOT_FINITE)
def test_weights_that_are_not_finite_are_refused_by_every_technique(name: str, value: float) -> None:
    make, _ = MODELS["gpt" if name == "heads" else "perceptron"]
    model = make()
    for weight in model.weights():
        weight.flat[0] = value

    with pytest.raises(UsageError, match="NaN or infinite"):
        NOT_FINITE[name](model)


@pytest.mark.parametrize("name", TECHNIQUES)
@pytest.mark.parametrize("value", [0.0, 1.5])
def test_constant_weights_are_no_exception(name: str, value: float) -> None:
    model = perceptron()
    for weight in model.weights():
        weight[...] = value
    small, _ = apply([name], model)

    assert np.isfinite(small(np.ones((1, 24))).data).all()


LOADS = """
import pickle, sys
import numpy as np
for model, inputs, outputs in pickle.load(open(sys.argv[1], "rb")):
    np.testing.assert_array_equal(model(inputs).data, outputs)
print("alike")
"""


def test_a_fresh_process_computes_the_same_from_the_file(tmp_path: Path) -> None:
    made = []
    for names in (["prune", "sparse", "share", "huffman"], ["prune", "csr", "int8"], ["low rank"], ["int4", "huffman"]):
        for make, inputs in MODELS.values():
            if make is not MODELS["residual"][0]:  # its class lies in this file
                small, _ = apply(names, make())
                made.append((small, inputs, small(inputs).data))
    (tmp_path / "models.pickle").write_bytes(pickle.dumps(made, 5))
    command = [sys.executable, "-c", LOADS, str(tmp_path / "models.pickle")]

    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "alike\n"


@pytest.mark.parametrize("name", TECHNIQUES)
def test_what_a_model_keeps_is_what_its_weights_and_biases_take(name: str) -> None:
    small, _ = apply([name], prune_weights(perceptron(), sparsity=0.9))
    weights = [layer.weight for layer in (small[0], small[2])]
    taken = sum(weight.data.nbytes if isinstance(weight, Tensor) else weight.nbytes for weight in weights)
    taken += sum(layer.bias.data.nbytes for layer in (small[0], small[2]))

    assert taken <= footprint(small).kept_bytes <= taken + 100
    assert len(pickle.dumps(small, 5)) <= taken + 1000


@pytest.fixture(scope="module")
def digits() -> Sequential:
    """A perceptron that knows the digits."""
    rng = np.random.default_rng(0)
    model = Sequential(Linear(64, 64, rng=rng), ReLU(), Linear(64, 10, rng=rng))
    fine_tune(model, load_digits()[0], epochs=8)
    return model.eval()


GENTLE = {
    "int8": quantize_model,
    "int4": lambda model: quantize_model(model, bits=4, ranges="mse"),
    "int8 and inputs": lambda model: quantize_model(model, load_digits()[0].inputs),
    "shared": lambda model: share_weights(model, clusters=16),
    "half of the weights": lambda model: sparsify(prune_weights(model, sparsity=0.5)),
    "half of them, shared": lambda model: share_weights(sparsify(prune_weights(model, sparsity=0.5)), clusters=16),
    "half of them, int8, coded": lambda model: huffman_code(
        quantize_model(sparsify(prune_weights(model, sparsity=0.5)))
    ),
    "tuned neurons": lambda model: prune_neurons(model, keep=32, train_data=load_digits()[0], epochs=4),
}


@pytest.mark.parametrize("compress", GENTLE.values(), ids=GENTLE.keys())
def test_gentle_compression_costs_at_most_five_points(compress, digits: Sequential) -> None:
    _, test = load_digits()

    assert accuracy(compress(digits), test) >= accuracy(digits, test) - 0.05
