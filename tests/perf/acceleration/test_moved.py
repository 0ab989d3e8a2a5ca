"""What a plan moves: weights as they are kept, and not what meets a zero."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.transformers import GPT, Completion
from tinytorch.perf.acceleration import compile_model
from tinytorch.perf.profiling.layers import profile_model
from tinytorch.perf.quantization import quantize_model

ROW = np.ones((1, 400), np.float32)


def network() -> Sequential:
    return Sequential(Linear(400, 300, rng=0), ReLU(), Linear(300, 10, rng=1)).eval()


def test_every_array_is_read_or_written_once() -> None:
    moved = compile_model(network(), ROW).moved_bytes(ROW)
    weights, vectors = 400 * 300 + 300 + 300 * 10 + 10, (400 + 300) + (300 + 300) + (300 + 10)
    assert moved == 4 * (weights + vectors)


def test_kernels_do_not_read_what_meets_a_zero() -> None:
    compiled = compile_model(network(), ROW, backend="numba")
    half = ROW * (np.arange(400) % 2)
    hidden = network()[0](half).data > 0
    read = 200 * 300 + 300 / 2 + (300 * 10 + 10) * hidden.mean()
    assert compiled.moved_bytes(half) == pytest.approx(4 * (read + 700 + 600 + 310), abs=8)


@pytest.mark.parametrize(("bits", "bytes_each"), [(8, 1), (4, 0.5), (2, 0.25)])
def test_codes_count_as_codes(bits: int, bytes_each: float) -> None:
    model = quantize_model(network(), bits=bits)
    moved = compile_model(model, ROW, backend="numpy").moved_bytes(ROW)
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
    assert long.moved_bytes(tokens) - short.moved_bytes(tokens) == pytest.approx(20 * blocks, rel=0.2)


def test_a_profile_of_a_plan_says_so_and_counts_what_it_moves() -> None:
    compiled = compile_model(quantize_model(network()), ROW, backend="numba")
    profile = profile_model(compiled, lambda: ROW, budget_ns=10_000_000)
    whole, *inside = profile.layers
    assert whole.moved_bytes == compiled.moved_bytes(ROW) == profile.moved_bytes
    assert (whole.in_plan, whole.flops) == (False, profile.flops)
    assert profile.flops > 2 * 123_000
    assert all(layer.in_plan and layer.time_ns == layer.moved_bytes == 0 for layer in inside)
