"""Rounding that compensates: outputs move less than with the nearest codes, in every kind of layer."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Layer, Linear, Sequential
from tinytorch.core.metrics import accuracy
from tinytorch.core.spatial import Conv2d, Flatten
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, Completion
from tinytorch.datasets import load_digits
from tinytorch.errors import UsageError
from tinytorch.perf.compression import fine_tune
from tinytorch.perf.quantization import quantize_model
from tinytorch.perf.quantization.compensated import compensated

RNG = np.random.default_rng(0)
TRAIN, TEST = load_digits()
IMAGES = TensorDataset(TRAIN.inputs.reshape(-1, 1, 8, 8), TRAIN.labels)
TOKENS = RNG.integers(0, 7, (40, 11))


def error(model: Layer, other: Layer, inputs: np.ndarray) -> float:
    return float(np.square(model(inputs).data - other(inputs).data).mean())


def perceptron() -> Sequential:
    return Sequential(Linear(64, 20, rng=1), ReLU(), Linear(20, 10, rng=2)).eval()


def convolutions() -> Sequential:
    first, second = Conv2d(1, 6, 3, padding=1, rng=1), Conv2d(6, 4, 3, stride=2, rng=2)
    return Sequential(first, ReLU(), second, Flatten(), Linear(36, 10, rng=3)).eval()


def gpt() -> GPT:
    return GPT(7, 16, 2, 2, max_seq_len=12, rng=4).eval()


MODELS = {
    "linear": (perceptron, TRAIN.inputs),
    "convolutions": (convolutions, IMAGES.inputs),
    "gpt": (gpt, TOKENS),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("bits", [4, 2])
def test_outputs_move_less_than_with_the_nearest_codes(name: str, bits: int) -> None:
    make, inputs = MODELS[name]
    model, data = make(), TensorDataset(inputs, np.zeros(len(inputs), np.int64))
    tables = ["token_embedding", "position_embedding"] if name == "gpt" else []  # which compensate for nothing
    plain = quantize_model(model, bits=bits, skip=tables)
    better = quantize_model(model, bits=bits, skip=tables, rounding="compensated", train_data=data)
    assert error(model, better, inputs) < 0.8 * error(model, plain, inputs)


def test_three_bits_keep_the_accuracy_that_the_nearest_codes_lose() -> None:
    model = Sequential(Linear(64, 16, rng=1), ReLU(), Linear(16, 10, rng=2))
    fine_tune(model, TRAIN, epochs=20)
    plain = accuracy(quantize_model(model, bits=3), TEST)
    better = accuracy(quantize_model(model, bits=3, rounding="compensated", train_data=TRAIN), TEST)
    assert better > plain + 0.03


def test_inputs_that_have_nothing_to_do_with_one_another_compensate_for_nothing() -> None:
    numbers = RNG.standard_normal((9, 5)) * 3
    codes = compensated(numbers, np.diag(RNG.uniform(1, 2, 9)), -4, 3)
    np.testing.assert_array_equal(codes, np.rint(numbers).clip(-4, 3))


def test_an_input_that_is_always_zero_takes_the_nearest_and_disturbs_nobody() -> None:
    inputs = RNG.standard_normal((50, 4))
    inputs[:, 2] = 0
    numbers = RNG.standard_normal((4, 3)) * 5
    codes = compensated(numbers, inputs.T @ inputs, -100, 100)
    np.testing.assert_array_equal(codes[2], np.rint(numbers[2]))
    without = compensated(numbers[[0, 1, 3]], inputs[:, [0, 1, 3]].T @ inputs[:, [0, 1, 3]], -100, 100)
    np.testing.assert_array_equal(codes[[0, 1, 3]], without)


def test_two_equal_inputs_share_what_is_lost() -> None:
    codes = compensated(np.array([[0.4], [0.4]]), np.ones((2, 2)), -8, 7)
    assert codes.sum() == 1  # 0.8 together; the nearest codes would be 0 and 0


class Lazy(Layer):
    """Has a layer that it never calls, and one weight in two layers."""

    def __init__(self) -> None:
        self.first, self.unused = Linear(64, 64, rng=1), Linear(3, 3, rng=2)
        self.second = Linear(64, 64, rng=3)
        self.second.weight = self.first.weight

    def forward(self, inputs: Tensor) -> Tensor:
        return self.second(self.first(inputs).relu())


def test_what_is_shared_stays_shared_and_what_is_never_called_takes_the_nearest() -> None:
    model = Lazy().eval()
    both = quantize_model(model, bits=3, rounding="compensated", train_data=TRAIN)
    assert both.second.weight is both.first.weight
    plain = quantize_model(model, bits=3)
    np.testing.assert_array_equal(both.unused.weight.codes, plain.unused.weight.codes)
    assert (both.first.weight.codes != plain.first.weight.codes).any()


def test_a_completion_is_rounded_as_it_reads_whole_sequences() -> None:
    model = Completion(gpt(), prompt_length=6, new_tokens=6).eval()
    small = quantize_model(model, bits=4, rounding="compensated", train_data=TensorDataset(TOKENS, TOKENS))
    assert small(TOKENS[:2]).shape == (2, 6)
    alone = quantize_model(gpt(), bits=4, rounding="compensated", train_data=TensorDataset(TOKENS, TOKENS))
    np.testing.assert_array_equal(small.gpt(TOKENS).data, alone(TOKENS).data)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rounding": "compensated"}, "needs train_data"),
        ({"train_data": TRAIN}, "no effect"),
        ({"rounding": "up"}, "no rounding 'up'"),
    ],
)
def test_what_makes_no_sense_together_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        quantize_model(perceptron(), **options)


def test_biases_are_halved_where_that_is_far_below_a_step() -> None:
    model = perceptron()
    model[0].bias.data[:] = 0.1  # its error as float16 is 2e-5
    model[2].bias.data[:] = 3000.25  # as float16 it would move by 0.25
    small = quantize_model(model)
    assert (small[0].bias.data.dtype, small[2].bias.data.dtype) == (np.float16, np.float32)
    assert small(TRAIN.inputs[:3]).data.dtype == np.float32


@pytest.mark.parametrize(
    ("inputs", "words"),
    [(np.full((5, 64), np.inf), "finite"), (np.ones((5, 5)), "64"), (np.ones((0, 64)), "at least one")],
)
def test_data_that_show_nothing_are_refused(inputs: np.ndarray, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        quantize_model(perceptron(), bits=3, rounding="compensated", train_data=(inputs, np.zeros(len(inputs), int)))


def test_a_number_is_no_rounding_and_no_data_to_calibrate_on() -> None:
    with pytest.raises(UsageError, match="no rounding 3"):
        quantize_model(perceptron(), rounding=3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least one sample"):
        quantize_model(perceptron(), 5)
