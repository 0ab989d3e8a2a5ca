"""What can be asked of a model: weights found in attributes, modes, kinds, copies."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import (
    Dropout,
    Layer,
    Linear,
    Sequential,
    find_layers,
    inference,
    layer_kinds,
    parameter_count,
    replace_layers,
    set_training_mode,
)
from tinytorch.core.model import as_call, backend_of, trainable_tensors
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError


class TwoBranches(Layer):
    """A student's model: layers in a list, in a dict, and twice the same."""

    def __init__(self) -> None:
        shared = Linear(3, 3)
        self.branches = [shared, {"inner": Sequential(shared, ReLU())}]
        self.scale = Tensor(np.ones(3), requires_grad=True)

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, 3) -> (N, 3)."""
        return inputs * self.scale


def small_model() -> Sequential:
    rng = np.random.default_rng(0)
    return Sequential(Linear(4, 8, rng=rng), ReLU(), Dropout(0.5, rng=rng), Linear(8, 3, rng=rng))


def test_a_layer_takes_tensors_and_arrays_of_any_type() -> None:
    model, inputs = small_model().eval(), np.arange(8, dtype=np.uint8).reshape(2, 4)
    np.testing.assert_array_equal(model(inputs), model(Tensor(inputs, dtype=np.float32)))


def test_parameters_are_found_in_containers_and_once() -> None:
    assert len(TwoBranches().parameters()) == 3


def test_parameters_that_are_shared_count_once() -> None:
    assert parameter_count(TwoBranches()) == 9 + 3 + 3


class Plain:
    """A student's model that is no Layer."""

    def __init__(self) -> None:
        shared = Linear(3, 3)
        self.parts = {"list": [shared, Sequential(ReLU(), shared)], "own": TwoBranches()}

    def forward(self, inputs: Tensor) -> Tensor:
        return self.parts["list"][0](inputs)


def test_layers_are_found_in_objects_of_any_class_and_once() -> None:
    assert [layer.kind for layer in find_layers(Plain())] == [
        "Linear", "Sequential", "ReLU", "TwoBranches", "Linear", "Sequential", "ReLU",
    ]  # fmt: skip


def test_replaced_layers_stand_wherever_the_old_ones_did() -> None:
    original = Plain()
    replaced = replace_layers(original, lambda layer: isinstance(layer, Linear), lambda layer: Dropout(0.1))

    assert [layer.kind for layer in find_layers(replaced)].count("Dropout") == 2
    assert [layer.kind for layer in find_layers(original)].count("Linear") == 2
    assert isinstance(replaced, Plain)


def test_a_layer_that_is_used_twice_is_replaced_once() -> None:
    parts = replace_layers(Plain(), lambda layer: isinstance(layer, Linear), lambda layer: ReLU()).parts["list"]

    assert parts[0] is parts[1][1]


def test_a_model_that_matches_itself_is_replaced() -> None:
    assert isinstance(replace_layers(Linear(2, 2), lambda layer: True, lambda layer: ReLU()), ReLU)


def test_inference_ends_as_it_began() -> None:
    model = Sequential(Dropout(0.5), ReLU().eval())
    with inference(model):
        inside = [layer.training for layer in model.walk()]

    assert (inside, [layer.training for layer in model.walk()]) == ([False] * 3, [True, True, False])


def test_modes_reach_inner_layers() -> None:
    model = Sequential(Sequential(Dropout(0.5)))
    assert [layer.training for layer in model.eval().walk()] == [False] * 3
    assert [layer.training for layer in model.train().walk()] == [True] * 3


def test_a_pickled_model_answers_the_same() -> None:
    model, inputs = small_model().eval(), np.ones((2, 4))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model))(inputs), model(inputs))


def test_a_copied_model_has_weights_of_its_own() -> None:
    model = small_model()
    twin = copy.deepcopy(model)
    assert not any(np.shares_memory(*pair) for pair in zip(model.weights(), twin.weights(), strict=True))


def test_a_layer_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match="forward"):
        Layer()(np.ones(1))


class Parent(Layer):
    """Holds a layer that knows it."""

    def __init__(self) -> None:
        self.child = Dropout(0.5)
        self.child.parent = self  # type: ignore[attr-defined]
        self.last = Linear(2, 2)


def test_a_layer_that_knows_its_parent_does_not_lead_back() -> None:
    model = Parent()
    assert layer_kinds(model) == ["Parent (own)", "Dropout", "Linear"]
    assert len(model.parameters()) == 2
    assert not model.eval().child.training


class OwnDropout:
    """A layer of a file that knows no Layer."""

    def __init__(self) -> None:
        self.training = True


class OwnModel:
    def __init__(self) -> None:
        self.parts = [OwnDropout(), {"inner": Dropout(0.5)}]


def test_the_mode_reaches_classes_of_any_kind() -> None:
    model = OwnModel()
    set_training_mode(model, False)
    assert [model.parts[0].training, model.parts[1]["inner"].training] == [False, False]
    with inference(model):
        set_training_mode(model, True)
    assert [model.parts[0].training, model.parts[1]["inner"].training] == [False, False]


def test_a_mode_that_is_computed_is_left_alone() -> None:
    model = type("Own", (), {"training": property(lambda self: True), "inner": None})()
    model.inner = OwnDropout()
    set_training_mode(model, False)
    assert not model.inner.training


def test_train_takes_a_mode() -> None:
    assert not Dropout(0.5).train(False).training


class Pair(Layer):
    """A layer of two inputs and an option."""

    def forward(self, a: Tensor, b: Tensor, scale: float = 1) -> Tensor:
        return (a + b) * scale


def test_a_layer_may_have_several_inputs_and_options() -> None:
    assert Pair()([1.0], Tensor([2.0]), scale=2).item() == 6


class OwnScale:
    def __init__(self) -> None:
        self.value = Tensor([1.0], requires_grad=True)


class SaysItsParameters(Layer):
    """Holds a weight where nobody looks, and says so."""

    def __init__(self) -> None:
        self.linear = Linear(1, 1)
        self.scale = OwnScale()

    def parameters(self) -> list[Tensor]:
        return [*super().parameters(), self.scale.value]


def test_parameters_that_a_layer_names_are_found_from_outside() -> None:
    layer = SaysItsParameters()
    assert len(layer.parameters()) == len(Sequential(layer, ReLU()).parameters()) == 3


class Wrapped:
    """A model of no class of ours that holds layers."""

    def __init__(self, inner: object) -> None:
        self.inner = inner


@pytest.mark.parametrize(("compiled", "backend"), [(False, "numpy"), (True, "numba")])
def test_a_model_says_what_runs_it(compiled: bool, backend: str) -> None:
    """Also where only a part of it is compiled, in a model of any class."""
    layers = [Linear(2, 2), Linear(2, 2)]
    if compiled:
        layers[1].backend = "numba"

    assert backend_of(Sequential(*layers)) == backend_of(Wrapped(layers)) == backend


def test_what_runs_a_stranger_s_model_is_not_known() -> None:
    assert backend_of(Wrapped(1)) is None


def test_the_trainable_tensors_of_a_model_of_any_class_come_once() -> None:
    layer = Linear(2, 2)
    layer.bias.requires_grad = False

    assert [each.shape for each in trainable_tensors(Wrapped([layer, layer]))] == [(2, 2)]


def test_what_cannot_be_called_is_no_model() -> None:
    with pytest.raises(UsageError, match="is not a model"):
        as_call(Wrapped(1))
