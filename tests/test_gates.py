"""The gates that the newest edition of the course puts before its Olympics, passed by our modules under its names.

What is expected is computed here, by hand or with numpy, and never by what is tested.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Layer, Linear
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT
from tinytorch.datasets.digits import load_digits
from tinytorch.olympics import SimpleMLP
from tinytorch.perf.acceleration import im2col_conv2d, vectorized_matmul
from tinytorch.perf.benchmarking import Benchmark, BenchmarkResult, pareto_frontier
from tinytorch.perf.compression import Compressor
from tinytorch.perf.memoization import KVCache, disable_kv_cache, enable_kv_cache
from tinytorch.perf.profiling import Profiler
from tinytorch.perf.quantization import Quantizer


class DigitMLP(Layer):
    """A list of layers, and what is between them written out, as the course's networks are."""

    def __init__(self) -> None:
        self.layers = [Linear(64, 32, rng=0), Linear(32, 10, rng=1)]
        self.relu = ReLU()

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.layers
        return second(self.relu(first(x)))


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    train, test = load_digits()
    return (*_arrays(train), *_arrays(test))


def _arrays(dataset) -> tuple[np.ndarray, np.ndarray]:
    inputs, labels = dataset.batch(np.arange(len(dataset)))
    return np.asarray(inputs).reshape(len(dataset), -1), np.asarray(labels)


@pytest.fixture(scope="module")
def trained(digits) -> DigitMLP:
    model, (x, y, _, _) = DigitMLP(), digits
    optimizer, loss = Adam(model.parameters(), lr=0.01), CrossEntropyLoss()
    for _ in range(20):
        for start in range(0, len(x), 64):
            optimizer.zero_grad()
            loss(model(Tensor(x[start : start + 64])), Tensor(y[start : start + 64])).backward()
            optimizer.step()
    return model


def accuracy(model: Layer, digits) -> float:
    return float((np.argmax(model(Tensor(digits[2])).data, axis=1) == digits[3]).mean())


def test_the_baseline_has_learned(trained: DigitMLP, digits) -> None:
    assert accuracy(trained, digits) >= 0.8


def test_parameters_and_operations_follow_from_the_shapes(trained: DigitMLP) -> None:
    assert Profiler().count_parameters(trained) == 64 * 32 + 32 + 32 * 10 + 10
    assert Profiler().count_flops(trained, (1, 64)) == 4_736
    assert Profiler().measure_latency(trained, Tensor(np.ones((1, 64))), warmup=3, iterations=10) > 0


def test_the_loss_is_numpy_s(trained: DigitMLP, digits) -> None:
    scores, labels = trained(Tensor(digits[0][:32])).data.astype(np.float64), digits[1][:32]
    shifted = scores - scores.max(axis=1, keepdims=True)
    expected = -(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))[np.arange(32), labels].mean()

    assert float(CrossEntropyLoss()(Tensor(scores), Tensor(labels)).data) == pytest.approx(expected, rel=1e-4)


def test_codes_are_whole_numbers_that_give_the_weights_back(trained: DigitMLP, digits) -> None:
    found = Quantizer.quantize_model(trained)["quantized_layers"]
    restored, stored_bytes = copy.deepcopy(trained), 0
    for number, parameter in enumerate(restored.parameters()):
        entry = found[f"param_{number}"]
        codes = np.asarray(entry["quantized"].data, np.float64)
        values = Quantizer.dequantize_tensor(entry["quantized"], entry["scale"], entry["zero_point"]).data
        stored_bytes += codes.size + 8

        assert (codes == np.round(codes)).all()
        assert -128 <= codes.min() <= codes.max() <= 127
        assert np.abs(values.reshape(parameter.shape) - parameter.data).max() <= 1.001 * entry["scale"]
        parameter.data = values.reshape(entry["original_shape"])

    assert stored_bytes < sum(parameter.data.nbytes for parameter in trained.parameters()) / 3.9
    assert accuracy(restored, digits) >= accuracy(trained, digits) - 0.03


def test_half_of_the_weights_become_zero_in_place(trained: DigitMLP) -> None:
    pruned = copy.deepcopy(trained)
    Compressor.magnitude_prune(pruned, sparsity=0.5)
    weights = np.concatenate([layer.weight.data.ravel() for layer in pruned.layers])

    assert (weights == 0).mean() == pytest.approx(0.5, abs=0.02)
    assert Compressor.measure_sparsity(pruned) == pytest.approx((weights == 0).mean())


def test_a_cache_gives_back_what_was_put_in_and_counts_its_bytes() -> None:
    cache = KVCache(batch_size=1, max_seq_len=8, num_layers=1, num_heads=2, head_dim=16)
    key, value = (Tensor(np.random.default_rng(seed).normal(size=(1, 2, 1, 16))) for seed in (0, 1))
    cache.update(0, key, value)
    cache.advance()

    assert all(np.array_equal(kept.data, given.data) for kept, given in zip(cache.get(0), (key, value), strict=True))
    assert round(cache.get_memory_usage()["total_mb"] * 2**20) == 2 * 2 * 8 * 16 * 4
    cache.reset()
    assert cache.seq_pos == 0


@pytest.fixture
def gpt() -> GPT:
    return GPT(vocab_size=28, embed_dim=32, num_layers=2, num_heads=2, max_seq_len=32)


SEQUENCE = np.random.default_rng(11).integers(0, 28, (1, 16))


def steps(model: GPT, cache: KVCache) -> Iterator[np.ndarray]:
    with cache.generation():
        for position in range(SEQUENCE.shape[1]):
            scores = model(Tensor(SEQUENCE[:, position : position + 1]), start_pos=cache.seq_pos)
            cache.advance()
            yield scores.data[:, -1]


def test_cached_scores_are_those_of_every_prefix_again(gpt: GPT) -> None:
    expected = [gpt(Tensor(SEQUENCE[:, : end + 1])).data[:, -1] for end in range(SEQUENCE.shape[1])]
    found = list(steps(gpt, enable_kv_cache(gpt)))
    disable_kv_cache(gpt)

    assert np.abs(np.stack(found) - np.stack(expected)).max() <= 1e-4
    assert np.array_equal(gpt(Tensor(SEQUENCE)).data[:, -1], expected[-1])


def test_scores_vary_read_the_past_and_never_the_future(gpt: GPT) -> None:
    scores = gpt(Tensor(SEQUENCE)).data[0]
    other_end, other_start, repeated = SEQUENCE.copy(), SEQUENCE.copy(), np.full_like(SEQUENCE, 3)
    other_end[:, 9:] = (other_end[:, 9:] + 1) % 28
    other_start[:, :8] = (other_start[:, :8] + 1) % 28

    assert min(scores.std(axis=0).mean(), scores.std(axis=1).mean()) >= 1e-2
    assert np.abs(gpt(Tensor(other_end)).data[0, :9] - scores[:9]).max() <= 1e-4
    assert np.abs(gpt(Tensor(other_start)).data[0, 8] - scores[8]).max() >= 1e-3
    assert np.ptp(gpt(Tensor(repeated)).data[0], axis=0).max() >= 1e-3


def test_quicker_products_are_the_same(digits) -> None:
    a, b = (np.random.default_rng(seed).normal(size=(32, 32)).astype(np.float32) for seed in (0, 1))
    layer, images = Conv2d(1, 4, kernel_size=3, padding=1), Tensor(digits[0][:4].reshape(4, 1, 8, 8))

    np.testing.assert_allclose(vectorized_matmul(Tensor(a), Tensor(b)).data, a @ b, atol=1e-3)
    found = im2col_conv2d(images, layer.weight, layer.bias, padding=1)
    np.testing.assert_allclose(found.data, layer(images).data, atol=1e-3)


def test_statistics_are_those_worked_out_by_hand() -> None:
    found = BenchmarkResult("fixture", [2.0, 4.0, 4.0, 5.0, 10.0])

    assert (found.mean, found.median, found.std) == (5, 4, pytest.approx(3))
    assert (found.min_val, found.max_val, found.count) == (2, 10, 5)


def test_the_front_is_the_one_worked_out_by_hand() -> None:
    points = {"p": (1.0, 3.0, 2.0), "q": (2.0, 1.0, 3.0), "r": (3.0, 3.0, 3.0), "s": (1.0, 3.0, 1.0)}

    assert list(pareto_frontier(points, (True, True, True))) == ["q", "s"]


def test_a_latency_lies_between_its_least_and_its_greatest() -> None:
    benchmark = Benchmark([SimpleMLP(64, 32, 10)], [(Tensor(np.ones((4, 64))), np.zeros(4))], measurement_runs=2)
    (found,) = benchmark.run_latency_benchmark(input_shape=(1, 64)).values()

    assert 0 < found.min_val <= found.median <= found.max_val
    assert found.min_val <= found.mean <= found.max_val
