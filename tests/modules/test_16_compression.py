"""What the course promises of module 16, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.perf.compression import (
    KnowledgeDistillation,
    low_rank_approximate,
    magnitude_prune,
    measure_sparsity,
    structured_prune,
)


def model() -> Sequential:
    return Sequential(Linear(64, 32), ReLU(), Linear(32, 10))


def share_of_zeros(pruned: Sequential) -> float:
    weights = np.concatenate([np.ravel(layer.weight.data) for layer in pruned.layers if isinstance(layer, Linear)])
    return float((weights == 0).mean())


@pytest.mark.parametrize("sparsity", [0.25, 0.5, 0.9])
def test_so_many_weights_become_zero(sparsity: float) -> None:
    pruned = model()
    magnitude_prune(pruned, sparsity)

    assert share_of_zeros(pruned) == pytest.approx(sparsity, abs=0.02)


def test_the_largest_weights_stay() -> None:
    pruned = Sequential(Linear(32, 16))
    before = np.array(pruned.layers[0].weight.data)
    magnitude_prune(pruned, 0.5)
    after = np.asarray(pruned.layers[0].weight.data)

    assert np.abs(before[after == 0]).max() <= np.abs(before[after != 0]).min()
    np.testing.assert_array_equal(after[after != 0], before[after != 0])


def test_weights_are_compared_across_layers() -> None:
    pruned = model()
    first, second = pruned.layers[0], pruned.layers[2]
    second.weight.data = np.sign(second.weight.data) * 1000
    magnitude_prune(pruned, 0.5)

    assert (np.asarray(second.weight.data) != 0).all()
    assert (np.asarray(first.weight.data) == 0).mean() == pytest.approx(0.5 * 2368 / 2048, abs=0.01)


def test_biases_are_not_pruned() -> None:
    pruned = model()
    pruned.layers[0].bias.data = np.full(32, 1e-6, np.float32)
    magnitude_prune(pruned, 0.9)

    assert (np.asarray(pruned.layers[0].bias.data) != 0).all()


@pytest.mark.parametrize("sparsity", [0.2, 0.8])
def test_sparsity_is_measured(sparsity: float) -> None:
    pruned = model()
    magnitude_prune(pruned, sparsity)

    assert measure_sparsity(pruned) in (pytest.approx(sparsity, abs=0.05), pytest.approx(100 * sparsity, abs=5))


def test_whole_neurons_are_silenced() -> None:
    pruned = Sequential(Linear(32, 16))
    structured_prune(pruned, 0.5)
    columns = np.asarray(pruned.layers[0].weight.data)

    assert (~columns.any(axis=0)).sum() == 8


def test_the_neurons_with_the_shortest_weights_are_silenced() -> None:
    pruned, signs = Sequential(Linear(32, 16), Linear(16, 8)), np.random.default_rng(0).choice([-1.0, 1.0], (32, 16))
    first, second = pruned.layers
    first.weight.data = np.float32(signs * np.arange(16, 0, -1))
    second.weight.data = np.float32(signs[:16, :8] * np.arange(1, 9))
    structured_prune(pruned, 0.25)

    assert np.flatnonzero(~np.asarray(first.weight.data).any(axis=0)).tolist() == [12, 13, 14, 15]
    assert np.flatnonzero(~np.asarray(second.weight.data).any(axis=0)).tolist() == [0, 1]


def test_a_low_rank_comes_near() -> None:
    weight = np.random.default_rng(0).normal(size=(40, 4)) @ np.random.default_rng(1).normal(size=(4, 30))
    u, s, v = (np.asarray(part) for part in low_rank_approximate(weight, rank_ratio=0.2))

    assert len(s) == 6
    np.testing.assert_allclose((u * s) @ v, weight, atol=1e-3)


def value(loss: Tensor | float) -> float:
    return float(np.asarray(loss.data if isinstance(loss, Tensor) else loss))


def test_a_student_that_agrees_with_its_teacher_has_less_to_learn() -> None:
    teacher, labels = Tensor([[4.0, 0.0, -2.0]]), Tensor([0])
    distillation = KnowledgeDistillation(model(), model(), temperature=3.0, alpha=0.7)
    same, other = (
        distillation.distillation_loss(Tensor(scores), teacher, labels)
        for scores in ([[4.0, 0.0, -2.0]], [[-2.0, 0.0, 4.0]])
    )

    assert value(same) < value(other)


SAYS, KNOWS = [1.0, 2.0, 0.0], [4.0, 0.0, -2.0]


def of_alpha(alpha: float, temperature: float = 3.0, samples: int = 1) -> float:
    distillation = KnowledgeDistillation(model(), model(), temperature=temperature, alpha=alpha)
    scores, teacher, labels = Tensor([SAYS] * samples), Tensor([KNOWS] * samples), Tensor([0] * samples)
    return value(distillation.distillation_loss(scores, teacher, labels))


def test_the_teacher_s_part_is_the_divergence_of_what_it_knows_from_what_is_said() -> None:
    knows, says = (np.exp(np.array(scores) / 3) / np.exp(np.array(scores) / 3).sum() for scores in (KNOWS, SAYS))
    divergence = float((knows * np.log(knows / says)).sum())

    assert of_alpha(1.0) in (pytest.approx(divergence, rel=1e-3), pytest.approx(9 * divergence, rel=1e-3))


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_more_of_the_same_samples_cost_the_same(alpha: float) -> None:
    assert of_alpha(alpha, samples=4) == pytest.approx(of_alpha(alpha), rel=1e-3)


def test_without_a_teacher_it_is_cross_entropy() -> None:
    assert of_alpha(0.0) == pytest.approx(np.log(np.exp([1.0, 2.0, 0.0]).sum()) - 1, rel=1e-3)


def test_both_losses_are_mixed_by_alpha() -> None:
    assert of_alpha(0.5) == pytest.approx((of_alpha(0.0) + of_alpha(1.0)) / 2, rel=1e-3)


def test_a_temperature_softens() -> None:
    assert abs(of_alpha(1.0, temperature=1.0) - of_alpha(1.0, temperature=5.0)) > 0.05
