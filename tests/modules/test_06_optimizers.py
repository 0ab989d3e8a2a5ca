"""What the course promises of module 06 (07 in the newer edition), whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.optimizers import SGD, Adam, AdamW
from tinytorch.core.tensor import Tensor


def parameter(value: float = 1.0) -> Tensor:
    return Tensor([value], requires_grad=True)


def step(optimizer, x: Tensor) -> float:
    """One step on x squared."""
    optimizer.zero_grad()
    (x * x).sum().backward()
    optimizer.step()
    return float(x.data[0])


def test_a_step_of_sgd_goes_down_the_gradient() -> None:
    x = parameter()

    assert step(SGD([x], lr=0.1), x) == pytest.approx(0.8)


def test_momentum_adds_what_was_before() -> None:
    x = parameter()
    optimizer = SGD([x], lr=0.1, momentum=0.9)
    step(optimizer, x)

    assert step(optimizer, x) == pytest.approx(0.8 - 0.1 * (1.6 + 0.9 * 2))


def test_weight_decay_pulls_towards_zero() -> None:
    x = parameter()

    assert step(SGD([x], lr=0.1, weight_decay=0.5), x) == pytest.approx(1 - 0.1 * 2.5)


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_the_first_step_of_adam_is_as_long_as_its_learning_rate(kind: type) -> None:
    x = parameter(3.0)

    assert step(kind([x], lr=0.01, weight_decay=0.0), x) == pytest.approx(2.99, abs=1e-4)


def test_adamw_decays_beside_the_gradient() -> None:
    x = parameter(3.0)

    assert step(AdamW([x], lr=0.01, weight_decay=0.1), x) == pytest.approx(3 - 0.01 - 0.01 * 0.1 * 3, abs=1e-4)


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_it_finds_the_least(kind: type) -> None:
    x = parameter()
    optimizer = kind([x], lr=0.05)
    for _ in range(200):
        step(optimizer, x)

    assert abs(float(x.data[0])) < 0.05


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_gradients_are_forgotten_on_demand(kind: type) -> None:
    x = parameter()
    optimizer = kind([x])
    (x * x).sum().backward()
    optimizer.zero_grad()

    assert x.grad is None or not np.any(np.asarray(x.grad))


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_what_has_no_gradient_stays_as_it_is(kind: type) -> None:
    x, unused = parameter(), parameter(5.0)
    step(kind([x, unused], lr=0.1), x)

    assert float(unused.data[0]) == 5


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_every_parameter_has_a_past_of_its_own(kind: type) -> None:
    options = {"momentum": 0.9} if kind is SGD else {}
    together, alone = (parameter(1.0), parameter(2.0)), (parameter(1.0), parameter(2.0))
    optimizers = [kind(together, lr=0.1, **options), *(kind([x], lr=0.1, **options) for x in alone)]
    for _ in range(3):
        for optimizer in optimizers:
            optimizer.zero_grad()
        for x in (*together, *alone):
            (x * x).sum().backward()
        for optimizer in optimizers:
            optimizer.step()

    np.testing.assert_allclose([x.data for x in together], [x.data for x in alone], rtol=1e-5)


def test_the_second_step_of_adam_remembers_the_first() -> None:
    x = parameter(3.0)
    optimizer = Adam([x], lr=0.1)
    first = 3 - step(optimizer, x)  # gradient 6, then 5.8
    mean, square = 0.9 * 0.6 + 0.1 * 5.8, 0.999 * 0.036 + 0.001 * 5.8**2
    expected = 0.1 * (mean / (1 - 0.9**2)) / (np.sqrt(square / (1 - 0.999**2)) + 1e-8)

    assert first == pytest.approx(0.1, abs=1e-4)
    assert 2.9 - step(optimizer, x) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_the_betas_are_those_that_are_given(kind: type) -> None:
    x = parameter(3.0)
    optimizer = kind([x], lr=0.1, betas=(0.5, 0.9), weight_decay=0.0)
    step(optimizer, x)  # gradient 6, then 5.8
    mean, square = (0.5 * 3 + 0.5 * 5.8) / (1 - 0.5**2), (0.9 * 3.6 + 0.1 * 5.8**2) / (1 - 0.9**2)

    assert 2.9 - step(optimizer, x) == pytest.approx(0.1 * mean / np.sqrt(square), abs=1e-4)


def test_adam_decays_in_the_gradient() -> None:
    x = parameter(3.0)
    optimizer = Adam([x], lr=1.0, weight_decay=1.0)
    for _ in range(2):  # the gradient is 1, and with the decay 4, then 3
        optimizer.zero_grad()
        x.sum().backward()
        optimizer.step()
    mean, square = (0.9 * 0.4 + 0.1 * 3) / (1 - 0.9**2), (0.999 * 0.016 + 0.001 * 9) / (1 - 0.999**2)

    assert float(x.data[0]) == pytest.approx(2 - mean / np.sqrt(square), abs=1e-3)


def test_momentum_remembers_the_decay() -> None:
    x = parameter()
    optimizer = SGD([x], lr=0.1, momentum=0.5, weight_decay=1.0)
    first = 2 * 1 + 1
    second = 0.5 * first + 2 * 0.7 + 0.7
    step(optimizer, x)

    assert step(optimizer, x) == pytest.approx(0.7 - 0.1 * second)


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_a_learning_rate_can_be_changed(kind: type) -> None:
    x = parameter()
    optimizer = kind([x], lr=0.1)
    optimizer.lr = 0.0

    assert step(optimizer, x) == 1


def test_its_learning_rate_can_be_read() -> None:
    assert SGD([parameter()], lr=0.25).lr == 0.25
