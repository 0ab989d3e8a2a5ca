"""Optimizers, against their formulas written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinytorch.core.optimizers import BLOCK_ELEMENTS, SGD, Adam, AdamW, Optimizer
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError

GRADIENTS = np.random.default_rng(0).standard_normal((4, 3))
START = np.array([1.0, -2.0, 0.5])


def steps(optimizer: Optimizer, parameter: Tensor) -> np.ndarray:
    for gradient in GRADIENTS:
        parameter.grad = gradient.copy()
        optimizer.step()
    return parameter.data


def parameter(data: object = START) -> Tensor:
    return Tensor(np.array(data), requires_grad=True, dtype=np.float64)


def test_sgd_goes_down_the_gradient() -> None:
    p = parameter()
    np.testing.assert_allclose(steps(SGD([p], 0.1), p), START - 0.1 * GRADIENTS.sum(axis=0))


def test_sgd_with_momentum_follows_its_formula() -> None:
    p, expected, velocity = parameter(), START, np.zeros(3)
    for gradient in GRADIENTS:
        velocity = 0.9 * velocity + gradient
        expected = expected - 0.1 * velocity
    np.testing.assert_allclose(steps(SGD([p], 0.1, momentum=0.9), p), expected)


def test_adam_follows_its_formula() -> None:
    p, expected, mean, square = parameter(), START, np.zeros(3), np.zeros(3)
    for step, gradient in enumerate(GRADIENTS, 1):
        mean = 0.8 * mean + 0.2 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        expected = expected - 0.1 * (mean / (1 - 0.8**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-3)
    actual = steps(Adam([p], 0.1, betas=(0.8, 0.99), eps=1e-3), p)
    np.testing.assert_allclose(actual, expected)


@pytest.mark.parametrize("shape", [(), (3 * BLOCK_ELEMENTS + 7,), (300, 257), (2, 2 * BLOCK_ELEMENTS)])
def test_adam_reaches_every_element_of_every_block(shape: tuple[int, ...]) -> None:
    p = parameter(np.zeros(shape))
    p.grad = np.ones(shape)
    Adam([p], 0.1).step()
    np.testing.assert_allclose(p.data, -0.1, rtol=1e-6)


def test_adam_keeps_float32() -> None:
    p = Tensor(np.ones(2), requires_grad=True)
    p.grad = np.ones(2, np.float32)
    Adam([p]).step()
    assert p.dtype == np.float32


def test_a_parameter_without_gradient_stays() -> None:
    p = parameter()
    SGD([p], 0.1).step()
    np.testing.assert_array_equal(p.data, START)


def test_zero_grad_forgets() -> None:
    p = parameter()
    p.grad = np.ones(3)
    SGD([p], 0.1).zero_grad()
    assert p.grad is None


def test_there_must_be_parameters() -> None:
    with pytest.raises(UsageError, match="got none"):
        SGD([], 0.1)


def test_sgd_with_weight_decay_adds_it_to_the_gradient() -> None:
    p, expected = parameter(), START
    for gradient in GRADIENTS:
        expected = expected - 0.1 * (gradient + 0.5 * expected)
    np.testing.assert_allclose(steps(SGD([p], 0.1, weight_decay=0.5), p), expected)


def test_adamw_shrinks_weights_apart_from_adam() -> None:
    p, shrunk = parameter(np.ones(3)), parameter(np.ones(3))
    for optimizer, tensor in ((Adam([p], 0.1), p), (AdamW([shrunk], 0.1, weight_decay=0.5), shrunk)):
        tensor.grad = GRADIENTS[0].copy()
        optimizer.step()
    np.testing.assert_allclose(shrunk.data, p.data - 0.1 * 0.5)


def test_adam_with_weight_decay_adds_it_to_the_gradient() -> None:
    p, expected = parameter(), parameter()
    decaying, plain = Adam([p], 0.1, weight_decay=0.5), Adam([expected], 0.1)
    for gradient in GRADIENTS:
        p.grad, expected.grad = gradient.copy(), gradient + 0.5 * expected.data
        decaying.step()
        plain.step()
    np.testing.assert_allclose(p.data, expected.data)


def test_the_learning_rate_may_be_set_anew() -> None:
    p = parameter()
    optimizer = SGD([p], lr=0.1)
    optimizer.lr = 0.2
    np.testing.assert_allclose(steps(optimizer, p), START - 0.2 * GRADIENTS.sum(axis=0))


def test_steps_are_counted() -> None:
    p = parameter()
    optimizer = Adam([p])
    steps(optimizer, p)
    assert (optimizer.step_count, optimizer.params) == (4, [p])


def test_a_gradient_may_be_a_tensor() -> None:
    p = Tensor([1.0], requires_grad=True)
    p.grad = Tensor([2.0])  # type: ignore[assignment]
    SGD([p], lr=0.5).step()
    assert p.data == 0


def test_a_gradient_of_another_shape_is_refused() -> None:
    p = parameter()
    p.grad = np.ones(4)
    with pytest.raises(ShapeError, match=r"its shape \(3,\), got \(4,\)"):
        Adam([p]).step()


@pytest.mark.parametrize("params", [[np.ones(2)], ["weight"]])
def test_parameters_must_be_tensors(params: list[Any]) -> None:
    with pytest.raises(UsageError, match="needs tensors"):
        SGD(params)


def test_parameters_must_be_floating() -> None:
    with pytest.raises(UsageError, match="floating parameters, and one is int64"):
        SGD([Tensor(np.array([1]))])


def test_a_parameter_that_is_there_twice_is_refused() -> None:
    p = parameter()
    with pytest.raises(ValueError, match="twice"):
        SGD([p, p])


def test_velocities_can_be_taken_and_given_back() -> None:
    first, second = parameter(), parameter()
    taken, given = SGD([first], momentum=0.9), SGD([second], momentum=0.9)
    steps(taken, first)
    given.set_momentum_state(taken.get_momentum_state())
    np.testing.assert_array_equal(given.momentum_buffers, taken.momentum_buffers)
    assert SGD([first]).get_momentum_state() is None
    with pytest.raises(ShapeError, match="momentum_buffers"):
        given.set_momentum_state(None)


@pytest.mark.parametrize(
    "build", [lambda p: SGD([p], 0.1, momentum=0.9), lambda p: Adam([p], 0.1), lambda p: AdamW([p], 0.1)]
)
def test_an_optimizer_goes_on_from_its_state(build: Callable[[Tensor], Optimizer]) -> None:
    whole, half = parameter(), parameter()
    first = build(whole)
    steps(first, whole)
    steps(build(half), half)
    half.data[...], state = whole.data, first.state_dict()
    second = build(half)
    second.load_state_dict(state)
    np.testing.assert_array_equal(steps(first, whole), steps(second, half))


def test_the_state_of_another_optimizer_is_refused() -> None:
    with pytest.raises(UsageError, match="Adam needs the state"):
        Adam([parameter()]).load_state_dict(SGD([parameter()]).state_dict())


NAN = float("nan")


@pytest.mark.parametrize("rate", [0, -1, NAN, float("inf")])
@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_a_learning_rate_must_be_above_zero_and_finite(kind: type[SGD | Adam], rate: float) -> None:
    with pytest.raises(UsageError, match="a learning rate above 0 and finite"):
        kind([Tensor([1.0], requires_grad=True)], rate)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (SGD, {"momentum": 1}, "a momentum from 0 on and below 1"),
        (SGD, {"momentum": NAN}, "a momentum"),
        (SGD, {"weight_decay": -1}, "a weight decay from 0 on"),
        (Adam, {"betas": (1, 0.9)}, "a beta from 0 on and below 1"),
        (Adam, {"betas": (0.9, -0.1)}, "a beta"),
        (Adam, {"betas": (0.9, NAN)}, "a beta"),
        (Adam, {"betas": (0.9, 1)}, "a beta"),
        (Adam, {"eps": 0}, "an eps above 0"),
        (AdamW, {"weight_decay": NAN}, "a weight decay"),
    ],
)
def test_other_rates_must_be_in_their_range(kind, options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        kind([Tensor([1.0], requires_grad=True)], **options)


class Sign(Optimizer):
    """A student's own: as far as the learning rate, whatever the gradient's size."""

    def __init__(self, params: list[Tensor], lr: float) -> None:
        super().__init__(params)
        self.lr = lr

    def _update(self, index: int, data: np.ndarray, gradient: np.ndarray) -> None:
        data -= self.lr * np.sign(gradient)


def test_an_optimizer_of_one_s_own_needs_only_its_update() -> None:
    p = parameter()
    p.grad = np.array([3.0, -0.1, 0.0])
    optimizer = Sign([p], lr=0.5)
    optimizer.step()
    np.testing.assert_array_equal(p.data, START - [0.5, -0.5, 0])
    assert optimizer.state_dict() == {"kind": "Sign", "settings": {}, "lr": 0.5, "step_count": 1}


def test_an_optimizer_without_an_update_says_so() -> None:
    p = parameter()
    p.grad = np.ones(3)
    with pytest.raises(NotImplementedError, match="has no _update"):
        Optimizer([p]).step()


def test_rates_that_are_not_given_are_those_of_pytorch() -> None:
    kinds = [SGD([parameter()]), Adam([parameter()]), AdamW([parameter()])]
    assert [(kind.lr, kind.weight_decay) for kind in kinds] == [(0.01, 0), (0.001, 0), (0.001, 0.01)]
    assert (kinds[1].betas, kinds[1].eps) == ((0.9, 0.999), 1e-8)


def test_a_tensor_in_the_place_of_data_is_updated_too() -> None:
    p = Tensor([1.0, 2.0], requires_grad=True)
    p.data = p.data - Tensor([1.0, 1.0])  # type: ignore[assignment]
    p.grad = np.ones(2, np.float32)
    SGD([p], lr=1).step()
    assert type(p.data) is np.ndarray
    np.testing.assert_array_equal(p.data, [-1, 0])


def test_nesterov_needs_a_momentum() -> None:
    with pytest.raises(UsageError, match="looks ahead by the momentum"):
        SGD([parameter()], nesterov=True)


@pytest.mark.parametrize("rate", [float("nan"), -1.0, float("inf"), "fast"])
def test_a_rate_that_is_set_anew_is_checked_too(rate: Any) -> None:
    optimizer = SGD([parameter()])
    with pytest.raises(UsageError, match="learning rate from 0 on and finite"):
        optimizer.lr = rate
    assert optimizer.lr == 0.01


def test_the_state_of_a_kind_alike_is_refused() -> None:
    with pytest.raises(UsageError, match="Adam needs the state of one of its kind, this is of AdamW"):
        Adam([parameter()]).load_state_dict(AdamW([parameter()]).state_dict())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"betas": (0.8, 0.999)}, r"betas \[0.8, 0.999\], not \[0.9"),
        ({"weight_decay": 0.1}, "weight_decay 0.1, not 0.0"),
    ],
)
def test_the_state_of_other_settings_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Adam([parameter()]).load_state_dict(Adam([parameter()], **options).state_dict())


def test_a_state_of_former_days_is_taken() -> None:
    state = Adam([parameter()], lr=0.3).state_dict()
    del state["kind"], state["settings"]
    optimizer = Adam([parameter()])
    optimizer.load_state_dict(state)
    assert optimizer.lr == 0.3
