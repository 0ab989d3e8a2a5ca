"""Linear, Dropout, Sequential."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import (
    Dropout,
    Layer,
    Linear,
    Sequential,
)
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import LayerNorm
from tinytorch.errors import ShapeError, UsageError


def test_linear_is_inputs_times_weight_plus_bias() -> None:
    linear = Linear.from_arrays(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 20.0]))
    np.testing.assert_array_equal(linear(np.array([[1.0, 1.0]])), [[14, 26]])


def test_linear_without_bias_has_one_parameter() -> None:
    assert [tensor.shape for tensor in Linear(4, 2, bias=False).parameters()] == [(4, 2)]


def test_linear_starts_with_the_variance_of_he() -> None:
    assert Linear(1000, 100, rng=np.random.default_rng(0)).weight.data.var() == pytest.approx(2 / 1000, rel=0.02)


def test_linear_is_drawn_from_the_generator_given() -> None:
    first, second = (Linear(3, 3, rng=np.random.default_rng(5)).weight.data for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_linear_needs_sizes() -> None:
    with pytest.raises(UsageError):
        Linear(0, 3)


def test_linear_names_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"Linear\(4, 2\) needs inputs \(..., 4\), got \(1, 5\)"):
        Linear(4, 2)(np.ones((1, 5)))


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ((Linear(4, 8), ReLU, Linear(8, 2)), "number 2 is the class ReLU"),
        (([Linear(4, 8), "ReLU"],), "number 2 is a str"),
        ((Linear(4, 8), [ReLU()]), "number 2 is a list"),
        ((lambda x: x,), "number 1 is a function"),
        ((None,), "number 1 is a NoneType"),
    ],
)
def test_sequential_refuses_what_is_no_layer_by_its_position(layers: tuple[object, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Sequential(*layers)


def test_sequential_takes_any_iterable_of_layers() -> None:
    named = {"a": Linear(2, 2), "b": ReLU()}

    assert list(Sequential(named.values())) == list(Sequential(iter(named.values()))) == list(named.values())


def test_sequential_is_a_sequence() -> None:
    model = Sequential(Linear(4, 8), ReLU(), Dropout(0.5), Linear(8, 3))
    assert (len(model), model[0], list(model)) == (4, model.layers[0], model.layers)


def test_dropout_keeps_the_mean_in_training() -> None:
    outputs = Dropout(0.25, rng=np.random.default_rng(0))(np.ones(100_000)).numpy()
    assert set(np.unique(outputs)) == {0, np.float32(1 / 0.75)}
    assert outputs.mean() == pytest.approx(1, abs=0.01)


def test_dropout_does_nothing_in_inference() -> None:
    inputs = Tensor([1.0, 2.0])
    assert Dropout(0.5).eval()(inputs) is inputs


def test_dropout_of_everything_leaves_zeros() -> None:
    assert not Dropout(1.0)(np.ones(10)).numpy().any()


def test_dropout_can_be_told_for_one_call() -> None:
    layer, inputs = Dropout(0.5), Tensor(np.ones(100))
    assert layer(inputs, training=False) is inputs
    assert layer.training
    assert not layer.eval()(inputs, training=True).numpy().all()


def test_dropout_needs_a_probability() -> None:
    with pytest.raises(UsageError):
        Dropout(1.5)


def test_weights_in_pytorchs_order_are_named() -> None:
    with pytest.raises(ShapeError, match=r"weight \(in, out\)") as caught:
        Linear.from_arrays(np.ones((3, 4)), np.ones(3))
    assert "weight.T" in caught.value.mend


def test_integers_are_computed_in_float32() -> None:
    assert Linear(2, 3)(Tensor(np.array([[1, 2]]))).dtype == np.float32


@pytest.mark.parametrize("size", [2.0, "3", True, 0])
def test_sizes_are_integers(size: Any) -> None:
    with pytest.raises(UsageError, match="Linear needs in_features as an integer from 1 on"):
        Linear(size, 3)


def test_what_is_no_array_reaches_forward_as_it_is() -> None:
    class Echo(Layer):
        def forward(self, inputs: Any) -> Any:
            return inputs

    pair = (Tensor([1.0], requires_grad=True), Tensor([2.0]))
    for thing in (pair, {"a": 1}, "text", None, [1, 2]):
        assert Echo()(thing) is thing
    assert isinstance(Echo()(np.ones(2)), Tensor)


def test_a_list_in_the_place_of_inputs_is_named() -> None:
    with pytest.raises(UsageError, match="linear needs tensors, and got a list") as caught:
        Linear(2, 1)([[1.0, 2.0]])
    assert "Tensor(...)" in caught.value.mend


def test_dropout_of_integers_keeps_their_mean() -> None:
    inputs = Tensor(np.full(20_000, 10))
    assert Dropout(0.1, rng=0)(inputs).data.mean() == pytest.approx(10, rel=0.02)


def test_a_frozen_layer_can_be_unfrozen() -> None:
    layer = Sequential(Linear(2, 2), ReLU())
    for parameter in layer.parameters():
        parameter.requires_grad = False
    assert len(layer.parameters()) == 2
    for parameter in layer.parameters():
        parameter.requires_grad = True
    layer(np.ones((1, 2))).sum().backward()
    assert layer[0].weight.grad is not None


def test_what_a_layer_remembers_of_a_pass_is_no_parameter() -> None:
    class Remembers(Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            self.last = super().forward(inputs)
            return self.last

    layer = Remembers(2, 2)
    layer(np.ones((1, 2)))
    assert len(layer.parameters()) == 2


def test_a_weight_that_was_computed_is_warned_of() -> None:
    layer = Linear(2, 2)
    layer.weight = Tensor(np.ones((2, 2)), requires_grad=True) * 0.1
    with pytest.warns(RuntimeWarning, match="in the place of a parameter: it is not trained"):
        assert len(layer.parameters()) == 1


def test_parameters_have_names() -> None:
    names = [name for name, _ in Sequential(Linear(2, 2), ReLU(), Linear(2, 1, bias=False)).named_parameters()]
    assert names == ["layers.0.weight", "layers.0.bias", "layers.2.weight"]


def test_a_list_is_named_by_any_layer() -> None:
    with pytest.raises(UsageError, match="LayerNorm needs a tensor, and got a list"):
        LayerNorm(2)([[1.0, 2.0]])


def test_gradients_of_a_model_are_forgotten() -> None:
    layer = Linear(2, 1)
    layer(np.ones((1, 2))).sum().backward()
    layer.zero_grad()
    assert layer.weight.grad is None
