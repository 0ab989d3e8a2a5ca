"""What a plan does: it moves weights as they are kept, and neither reads nor multiplies what meets a zero."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.model import Backend
from tinytorch.core.spatial import Conv2d, Flatten
from tinytorch.core.transformers import GPT, Completion
from tinytorch.perf.acceleration import compile_model
from tinytorch.perf.compression import factorize, sparsify
from tinytorch.perf.profiling.layers import profile_model
from tinytorch.perf.quantization import quantize_model

ROW = np.ones((1, 400), np.float32)


def network() -> Sequential:
    return Sequential(Linear(400, 300, rng=0), ReLU(), Linear(300, 10, rng=1)).eval()


def test_every_array_is_read_or_written_once() -> None:
    work = compile_model(network(), ROW).plan_work(ROW)
    weights, vectors = 400 * 300 + 300 + 300 * 10 + 10, (400 + 300) + (300 + 300) + (300 + 10)
    assert (work.weight_bytes, work.moved_bytes) == (4 * weights, 4 * (weights + vectors))


def test_kernels_do_not_read_what_meets_a_zero() -> None:
    compiled = compile_model(network(), ROW, backend="numba")
    half = ROW * (np.arange(400) % 2)
    hidden = network()[0](half).data > 0
    read = 200 * 300 + 300 / 2 + (300 * 10 + 10) * hidden.mean()
    assert compiled.plan_work(half).moved_bytes == pytest.approx(4 * (read + 700 + 600 + 310), abs=8)


def test_what_meets_a_zero_is_not_multiplied() -> None:
    half = ROW * (np.arange(400) % 2)
    hidden = network()[0](half).data > 0
    assert compile_model(network(), ROW, backend="numpy").plan_work(half).flops == 2 * (400 * 300 + 300 * 10)
    assert compile_model(network(), ROW, backend="numba").plan_work(half).flops == 2 * (200 * 300 + hidden.sum() * 10)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_products_with_codes_and_windows_count_as_those_with_floats(backend: Backend) -> None:
    images = np.ones((1, 2, 6, 6), np.float32)
    floats = Sequential(Conv2d(2, 3, 3, rng=0), Flatten(), Linear(48, 10, rng=1)).eval()
    flops = [
        compile_model(model, images, backend).plan_work(images).flops for model in (floats, quantize_model(floats))
    ]
    assert flops == [2 * (3 * 16 * 18 + 48 * 10)] * 2


def test_factors_multiply_one_after_the_other() -> None:
    model = factorize(Sequential(Linear(400, 300, rng=0)).eval(), rank=7)
    work = compile_model(model, ROW).plan_work(ROW)
    coded = compile_model(quantize_model(model), ROW).plan_work(ROW)
    assert work.flops == coded.flops == 2 * (400 * 7 + 7 * 300)
    assert coded.weight_bytes < work.weight_bytes / 3


def test_rows_leave_out_their_own_zeros() -> None:
    """Together they need all of the weights, and each a part."""
    rows = np.kron(np.eye(4, dtype=np.float32), np.ones((1, 100), np.float32))
    work = compile_model(Sequential(Linear(400, 30, rng=0)).eval(), rows, "numba").plan_work(rows)
    assert (work.flops, work.weight_bytes) == (2 * 400 * 30, 4 * (400 * 30 + 30))


def test_of_sparse_rows_those_that_meet_a_zero_are_left_out_whatever_they_keep() -> None:
    model = Sequential(Linear(400, 10, rng=0)).eval()
    model[0].weight.data[:300] = 0
    half = ROW * (np.arange(400) >= 350)
    work = compile_model(sparsify(model, form="csr"), ROW, "numba").plan_work(half)
    assert work.flops == 2 * 50 * 10


def test_a_sparse_weight_multiplies_with_what_it_keeps() -> None:
    model = Sequential(Linear(400, 10, rng=0)).eval()
    model[0].weight.data[::2] = 0
    assert compile_model(sparsify(model, form="csr"), ROW).plan_work(ROW).flops == 2 * 200 * 10


@pytest.mark.parametrize(("bits", "bytes_each"), [(8, 1), (4, 0.5), (2, 0.25)])
def test_codes_count_as_codes(bits: int, bytes_each: float) -> None:
    model = quantize_model(network(), bits=bits)
    moved = compile_model(model, ROW, backend="numpy").plan_work(ROW).moved_bytes
    kept = sum(layer.weight.nbytes + layer.bias.data.nbytes for layer in (model[0], model[2]))
    assert moved == kept + 4 * (700 + 600 + 310)
    assert kept == pytest.approx(123_000 * bytes_each, rel=0.06)


def test_a_generation_reads_its_weights_for_every_token() -> None:
    short, long = (
        compile_model(
            Completion(GPT(7, 32, 2, 2, 60, rng=0), prompt_length=16, new_tokens=new).eval(), np.zeros((1, 16), int)
        )
        for new in (1, 21)
    )
    tokens = np.zeros((1, 16), int)
    blocks = sum(array.nbytes for block in short.gpt.blocks for array in block.weights())
    assert long.plan_work(tokens).moved_bytes - short.plan_work(tokens).moved_bytes == pytest.approx(
        20 * blocks, rel=0.2
    )


def test_a_generation_multiplies_for_each_token_once() -> None:
    tokens, gpt = np.zeros((1, 16), int), GPT(7, 32, 2, 2, 60, rng=0)
    short, long = (compile_model(Completion(gpt, 16, new).eval(), tokens, backend="numpy") for new in (1, 21))
    matrices = sum(array.size for block in gpt.blocks for array in block.weights() if array.ndim == 2) + 32 * 7
    assert long.plan_work(tokens).flops - short.plan_work(tokens).flops == 20 * 2 * matrices


def test_a_profile_of_a_plan_says_so_and_counts_what_it_moves() -> None:
    compiled = compile_model(quantize_model(network()), ROW, backend="numba")
    profile = profile_model(compiled, lambda: ROW, budget_ns=10_000_000)
    whole, *inside = profile.layers
    assert whole.moved_bytes == compiled.plan_work(ROW).moved_bytes == profile.moved_bytes
    assert (whole.in_plan, whole.flops) == (False, profile.flops)
    assert profile.flops == compiled.plan_work(ROW).flops
    assert all(layer.in_plan and layer.time_ns == layer.moved_bytes == 0 for layer in inside)
