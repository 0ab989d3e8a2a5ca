"""Structured pruning: sizes, choice of neurons, accuracy, and clear refusals."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from tinytorch.core.activations import ReLU, Softmax
from tinytorch.core.dataloader import DataLoader
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential, layer_kinds
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.metrics import accuracy
from tinytorch.core.optimizers import Adam
from tinytorch.core.spatial import BatchNorm2d, Conv2d, Flatten, MaxPool2d
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.core.transformers import LayerNorm
from tinytorch.datasets import load_digits
from tinytorch.errors import ShapeError, UsageError
from tinytorch.perf.compression import prune_neurons
from tinytorch.perf.quantization import quantize_model


def chain() -> Sequential:
    rng = np.random.default_rng(0)
    hidden = Sequential(ReLU(), Dropout(0.1, rng=rng), Linear(20, 8, rng=rng), ReLU())
    return Sequential(Linear(64, 20, rng=rng), hidden, Linear(8, 10, bias=False, rng=rng))


@cache
def trained() -> Sequential:
    rng = np.random.default_rng(0)
    model = Sequential(Linear(64, 128, rng=rng), ReLU(), Linear(128, 128, rng=rng), ReLU(), Linear(128, 10, rng=rng))
    loader = DataLoader(load_digits()[0], 32, shuffle=True)
    Trainer(model, Adam(model.parameters(), 2e-3), CrossEntropyLoss()).fit(loader, 8)
    return model.eval()


def shapes(model: Sequential) -> list[tuple[int, ...]]:
    return [layer.weight.shape for layer in model.walk() if isinstance(layer, Linear)]


def test_hidden_layers_get_narrower_and_the_ends_stay() -> None:
    assert shapes(prune_neurons(chain(), keep=6)) == [(64, 6), (6, 6), (6, 10)]


def test_a_layer_that_is_narrow_already_stays() -> None:
    assert shapes(prune_neurons(chain(), keep=12)) == [(64, 12), (12, 8), (8, 10)]


def test_a_fraction_is_of_each_layer() -> None:
    assert shapes(prune_neurons(chain(), keep=0.25)) == [(64, 5), (5, 2), (2, 10)]


def test_kinds_stay() -> None:
    assert layer_kinds(prune_neurons(chain(), keep=4)) == layer_kinds(chain())


def test_keeping_everything_changes_nothing() -> None:
    model, inputs = chain().eval(), np.ones((2, 64))
    np.testing.assert_allclose(prune_neurons(model, keep=1.0)(inputs), model(inputs), rtol=1e-5)


def test_neurons_that_contribute_nothing_go_first() -> None:
    model, inputs = chain().eval(), np.ones((2, 64))
    last = model[2]
    assert isinstance(last, Linear)
    last.weight.data[[1, 4, 6]] = 0
    first, middle = prune_neurons(model, keep=20), prune_neurons(model, keep=5, train_data=None)
    np.testing.assert_allclose(first(inputs), model(inputs), rtol=1e-5)
    assert np.abs(middle.weights()[-1]).sum(axis=1).min() > 0


def test_the_original_is_untouched() -> None:
    model = chain()
    before = [array.copy() for array in model.weights()]
    prune_neurons(model, keep=4, train_data=load_digits()[0], epochs=1)
    assert all((a == b).all() for a, b in zip(model.weights(), before, strict=True))


def test_fine_tuning_wins_the_accuracy_back() -> None:
    train, test = load_digits()
    raw, tuned = prune_neurons(trained(), keep=32), prune_neurons(trained(), keep=32, train_data=train)
    assert accuracy(tuned, test) > accuracy(raw, test)
    assert accuracy(tuned, test) > accuracy(trained(), test) - 0.03


def test_pruning_repeats_itself_exactly() -> None:
    train, _ = load_digits()
    first, second = (prune_neurons(trained(), keep=16, train_data=train, epochs=1).weights() for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("keep", [0, -1, 0.0, 1.5, True, "half"])
def test_keep_is_a_number_of_neurons_or_a_fraction(keep: object) -> None:
    with pytest.raises(UsageError, match="keep must be"):
        prune_neurons(chain(), keep=keep)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", [Sequential(Linear(2, 2), Softmax(), Linear(2, 2)), Linear(2, 2), Layer()])
def test_other_models_are_refused(model: Layer) -> None:
    with pytest.raises(UsageError, match=r"needs a (chain|hidden layer)"):
        prune_neurons(model, keep=2)


def test_a_broken_chain_is_named() -> None:
    with pytest.raises(ShapeError, match=r"Linear\(2, 3\) is followed by Linear\(4, 2\)"):
        prune_neurons(Sequential(Linear(2, 3), Linear(4, 2)), keep=2)


def test_a_small_fraction_keeps_one_neuron() -> None:
    assert shapes(prune_neurons(chain(), keep=0.01)) == [(64, 1), (1, 1), (1, 10)]


class Residual(Sequential):
    """A container with its own forward."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + super().forward(inputs)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: quantize_model(chain()), "its weight is a QuantizedWeight.*do this first"),
        (lambda: Sequential(Linear(4, 4), Residual(Linear(4, 4))), "here is a Residual"),
        (lambda: object(), "a object"),
    ],
)
def test_what_cannot_be_pruned_is_refused_by_name(make, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        prune_neurons(make(), keep=2)

    assert re.search(words, f"{caught.value.message} {caught.value.mend}")


def test_a_layer_that_is_used_twice_is_not_narrowed() -> None:
    layer = Linear(4, 4)
    with pytest.raises(UsageError, match="used twice"):
        prune_neurons(Sequential(layer, ReLU(), layer), keep=2)


def images() -> Sequential:
    """Convolutions of 8 and 6 channels, 2 x 2 pixels of each, a hidden layer of 10."""
    rng = np.random.default_rng(0)
    first, second = Conv2d(2, 8, 3, padding=1, rng=rng), Conv2d(8, 6, 3, padding=1, stride=2, rng=rng)
    head = (Flatten(), Linear(24, 10, rng=rng), ReLU(), Linear(10, 3, rng=rng))
    return Sequential(first, ReLU(), MaxPool2d(2), second, ReLU(), *head).eval()


PICTURES = np.random.default_rng(1).standard_normal((2, 2, 8, 8))


def test_channels_are_removed_with_all_that_sees_them() -> None:
    pruned = prune_neurons(images(), keep=0.5)

    assert [array.shape for array in pruned.weights() if array.ndim > 1] == [
        (4, 2, 3, 3), (3, 4, 3, 3), (12, 5), (5, 3)
    ]  # fmt: skip
    assert pruned(PICTURES).shape == (2, 3)
    assert layer_kinds(pruned) == layer_kinds(images())


def test_keeping_all_channels_changes_nothing() -> None:
    np.testing.assert_allclose(prune_neurons(images(), keep=1.0)(PICTURES), images()(PICTURES), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("position", [0, 3])
def test_a_channel_that_nobody_looks_at_goes_first(position: int) -> None:
    model = images()
    layer, following = model[position], model[3 if position == 0 else 6]
    unseen = 1
    if isinstance(following, Conv2d):
        following.weight.data[:, unseen] = 0
    else:
        following.weight.data[4 * unseen : 4 * unseen + 4] = 0  # its pixels
    layer.bias.data[:] = np.arange(len(layer.weight))  # names the channels
    pruned = prune_neurons(model, keep=len(layer.weight) - 1)

    assert unseen not in pruned[position].bias.data
    assert len(pruned[position].bias.data) == len(layer.weight) - 1


@pytest.mark.parametrize(
    "layers",
    [
        (Conv2d(1, 2, 3), Linear(6, 2)),
        (Conv2d(1, 2, 3), Flatten(), Linear(7, 2)),
        (Conv2d(1, 2, 3), Conv2d(3, 2, 3)),
        (Linear(4, 4), Conv2d(4, 2, 3)),
    ],
)
def test_layers_that_do_not_follow_each_other_are_named(layers: tuple[Layer, ...]) -> None:
    with pytest.raises(ShapeError, match="is followed by"):
        prune_neurons(Sequential(*layers), keep=2)


def test_groups_of_channels_are_not_pruned_and_gaps_stay() -> None:
    with pytest.raises(UsageError, match="its groups bind channels together"):
        prune_neurons(Sequential(Conv2d(4, 4, 3, groups=2), ReLU(), Conv2d(4, 2, 3)), keep=2)
    model = Sequential(Conv2d(1, 4, 2, dilation=2, rng=0), ReLU(), Conv2d(4, 2, 3, rng=0)).eval()
    images = np.ones((1, 1, 8, 8), np.float32)
    np.testing.assert_allclose(prune_neurons(model, keep=1.0)(images).data, model(images).data, rtol=1e-5)


def test_pruning_in_stages_keeps_more() -> None:
    train, test = load_digits()
    once = prune_neurons(trained(), keep=8, train_data=train, epochs=10)
    in_stages = prune_neurons(trained(), keep=8, train_data=train, stages=4, stage_epochs=5, epochs=10)
    assert shapes(in_stages) == shapes(once)
    assert accuracy(in_stages, test) > accuracy(once, test) + 0.01


def test_stages_need_something_to_learn_from() -> None:
    with pytest.raises(UsageError, match="stages needs train_data"):
        prune_neurons(chain(), keep=4, stages=2)
    with pytest.raises(UsageError, match="stages"):
        prune_neurons(chain(), keep=4, stages=0)


class Digits(Layer):
    """A class of somebody's own: plain layers, operations of its own between them."""

    def __init__(self) -> None:
        self.head, self.body = Linear(12, 3, rng=3), Linear(8, 12, rng=2)  # not in the order of their calls
        self.tail = Softmax()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.tail(self.head(self.body(inputs / 2).relu()))


ROW = np.ones((1, 8), np.float32)


def test_a_class_of_somebodys_own_is_pruned_as_its_layers_are_called() -> None:
    model = Digits().eval()
    pruned = prune_neurons(model, keep=5, example=ROW)
    assert (type(pruned), pruned.body.weight.shape, pruned.head.weight.shape) == (Digits, (8, 5), (5, 3))
    np.testing.assert_allclose(prune_neurons(model, keep=12, example=ROW)(ROW).data, model(ROW).data, rtol=1e-6)


def test_without_an_example_nobody_knows_what_another_class_does() -> None:
    with pytest.raises(UsageError, match="here is a Digits") as caught:
        prune_neurons(Digits(), keep=5)
    assert "example=" in caught.value.mend


class Leaping(Digits):
    """Adds what came before the last layer."""

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.body(inputs)
        return self.head(hidden.relu() + hidden)


class Scaling(Digits):
    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.body(inputs) * np.ones(12, np.float32))


class Counting(Digits):
    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.body(inputs).reshape(1, 12).relu())


@pytest.mark.parametrize(
    ("model", "words"),
    [(Leaping(), "looks at more than the last"), (Scaling(), "here is mul"), (Counting(), "its forward fails")],
)
def test_what_another_class_does_to_its_neurons_is_seen(model: Layer, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        prune_neurons(model, keep=5, example=ROW)


def normalized() -> Sequential:
    """A convolution, BatchNorm2d, and a hidden layer with a LayerNorm, whose numbers all differ."""
    rng = np.random.default_rng(0)
    norm, layer_norm = BatchNorm2d(6), LayerNorm(9)
    for array in (norm.gamma.data, norm.beta.data, layer_norm.gamma.data, layer_norm.beta.data, norm.running_mean):
        array[:] = rng.standard_normal(array.size)
    norm.running_var[:] = rng.uniform(0.5, 2, 6)
    images = (Conv2d(2, 6, 3, rng=rng), norm, ReLU(), Flatten())
    return Sequential(*images, Linear(216, 9, rng=rng), layer_norm, ReLU(), Linear(9, 3, rng=rng), Softmax()).eval()


def test_normalizations_are_sliced_with_their_neurons() -> None:
    model = normalized()
    model[1].gamma.data[2] = model[1].beta.data[2] = 0  # a channel that nobody hears of
    pruned = prune_neurons(model, keep=5)
    assert (pruned[1].gamma.size, pruned[1].running_var.size, pruned[5].gamma.size) == (5, 5, 5)
    hidden_before, hidden_after = (Sequential(*list(each)[:5]).eval()(PICTURES).data for each in (model, pruned))
    kept = [place for place in range(9) if any(np.isclose(hidden_before[0, place], value) for value in hidden_after[0])]
    assert len(kept) == 5
    np.testing.assert_allclose(hidden_after, hidden_before[:, kept], rtol=1e-4)


def test_a_softmax_may_only_come_last() -> None:
    assert prune_neurons(normalized(), keep=2)(PICTURES).shape == (2, 3)
    with pytest.raises(UsageError, match="here is a Softmax"):
        prune_neurons(Sequential(Linear(2, 3), Softmax(), Linear(3, 2)), keep=2)


def test_a_normalization_must_fit_its_layer() -> None:
    with pytest.raises(ShapeError, match="a number for each neuron"):
        prune_neurons(Sequential(Conv2d(1, 6, 3), LayerNorm(6), Flatten(), Linear(6, 2)), keep=2)


class Reused(Layer):
    """One normalization at two places."""

    def __init__(self) -> None:
        self.a, self.b, self.c = Linear(8, 6, rng=1), Linear(6, 6, rng=2), Linear(6, 3, rng=3)
        self.norm = LayerNorm(6)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.c(self.norm(self.b(self.norm(self.a(inputs)))))


class Weighing(Digits):
    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) * (self.body.weight * self.body.weight).sum()


class Leaving(Digits):
    """Goes through numpy."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(Tensor(self.body(inputs).data[:, ::-1].copy()))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Reused(), "normalization that is used twice"),
        (Weighing(), "uses a weight past its layer"),
        (Leaving(), "is given what no layer made"),
    ],
)
def test_what_a_smaller_layer_would_change_elsewhere_is_seen(model: Layer, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        prune_neurons(model, keep=5, example=ROW)
