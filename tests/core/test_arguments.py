"""What callers write beside data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.arguments import checked, generator_of, whole
from tinytorch.core.dataloader import RandomNoise
from tinytorch.core.embeddings import Embedding, PositionalEncoding
from tinytorch.core.layers import Linear
from tinytorch.core.spatial import Conv2d, SimpleCNN
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, MLP
from tinytorch.errors import UsageError

MAKERS: dict[str, Any] = {
    "Linear": lambda rng: Linear(3, 2, rng=rng).weight,
    "Conv2d": lambda rng: Conv2d(1, 2, 3, rng=rng).weight,
    "Embedding": lambda rng: Embedding(3, 2, rng=rng).weight,
    "PositionalEncoding": lambda rng: PositionalEncoding(3, 2, rng=rng).weight,
    "Tensor.randn": lambda rng: Tensor.randn(3, rng=rng),
    "Tensor.rand": lambda rng: Tensor.rand(3, rng=rng),
    "MLP": lambda rng: MLP(2, rng=rng).linear2.weight,
    "GPT": lambda rng: GPT(3, 2, 1, 1, rng=rng).lm_head.weight,
    "SimpleCNN": lambda rng: SimpleCNN(image_size=4, rng=rng).fc.weight,
    "RandomNoise": lambda rng: RandomNoise(rng=rng)(np.zeros(3)),
}


def test_a_generator_stands_for_itself() -> None:
    generator = np.random.default_rng(0)
    assert generator_of(generator) is generator


@pytest.mark.parametrize("seed", [0, 1, np.int64(0)])
@pytest.mark.parametrize("name", MAKERS)
def test_a_seed_repeats_every_draw(name: str, seed: Any) -> None:
    draws = [np.asarray(MAKERS[name](rng)) for rng in (seed, seed, np.random.default_rng(int(seed)))]
    np.testing.assert_array_equal(draws[0], draws[1])
    np.testing.assert_array_equal(draws[0], draws[2])


def test_one_seed_does_not_draw_the_same_for_every_layer() -> None:
    layer = MLP(4, 4, rng=0)
    assert (layer.linear1.weight.data != layer.linear2.weight.data).all()


@pytest.mark.parametrize("rng", ["0", 1.5, -1, True, np.random.RandomState(0)])
def test_what_is_no_source_of_draws_is_refused(rng: Any) -> None:
    with pytest.raises(UsageError, match="rng must be a numpy Generator, a seed from 0 on, or None"):
        Linear(2, 2, rng=rng)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None, True, 2.0])
def test_a_number_beyond_its_range_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match=r"a share must lie from 0 on and up to 1, got"):
        checked("a share must lie", value, from_=0, to=1)


@pytest.mark.parametrize("value", [2.0, "2", True, 0, None])
def test_a_size_is_an_integer(value: Any) -> None:
    with pytest.raises(UsageError, match=r"Linear needs its sizes as an integer from 1 on, not"):
        whole("Linear needs its sizes", value, 1)
