"""Plans reuse memory without ever writing over what is still needed, and leave out what does nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.core.activations import ReLU, Tanh
from tinytorch.core.layers import Layer, Linear, Sequential
from tinytorch.core.spatial import BatchNorm2d, Conv2d, MaxPool2d
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import LayerNorm
from tinytorch.perf.acceleration import compile_model, fuse
from tinytorch.perf.acceleration.memory import ALIGNMENT_BYTES, Life, places
from tinytorch.perf.acceleration.plan import Plan, make_plan
from tinytorch.perf.acceleration.simplify import simplified
from tinytorch.perf.acceleration.trace import trace

LIVES = st.lists(
    st.builds(
        lambda size, first, length: Life(size, first, first + length),
        *[st.integers(0, 300)],
        st.integers(0, 9),
        st.integers(0, 5),
    ),
    max_size=12,
)


@given(lives=LIVES)
def test_what_lives_together_lies_apart(lives: list[Life]) -> None:
    placed, total = places(dict(enumerate(lives)))

    for number, life in enumerate(lives):
        assert placed[number] % ALIGNMENT_BYTES == 0
        assert placed[number] + life.size_bytes <= total
        for other in range(number):
            apart = placed[other] + lives[other].size_bytes <= placed[number] or (
                placed[number] + life.size_bytes <= placed[other]
            )
            assert apart or not life.meets(lives[other]) or not min(life.size_bytes, lives[other].size_bytes)


@given(lives=LIVES)
def test_no_more_is_taken_than_if_all_lay_apart(lives: list[Life]) -> None:
    _, total = places(dict(enumerate(lives)))

    assert total <= sum(-(-life.size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES for life in lives)


def test_a_chain_takes_the_memory_of_two_neighbours() -> None:
    _, total = places({number: Life(640, number, number + 1) for number in range(9)})

    assert total == 2 * 640


def plan_of(model: Layer, inputs: np.ndarray) -> Plan:
    return make_plan(simplified(trace(fuse(model), inputs)))


def names_of(plan: Plan) -> list[str]:
    return [instruction.name for instruction in plan.instructions]


def test_a_deep_network_takes_no_more_memory_than_its_two_widest_layers() -> None:
    model = Sequential(*(layer for _ in range(6) for layer in (Linear(256, 256), Tanh())))
    plan = plan_of(model, np.ones((4, 256), np.float32))

    assert plan.memory.nbytes == 2 * 4 * 256 * 4


def test_a_single_row_meets_its_bias_in_one_product() -> None:
    model = compile_model(Sequential(Linear(3, 4), ReLU(), Linear(4, 2)).eval(), np.ones((1, 3))).model
    plan = make_plan(trace(model, np.ones((1, 3), np.float32)), with_one=True)

    assert names_of(plan) == ["linear_with_one", "relu", "linear_with_one"]
    assert [instruction.inputs[0][-1] for instruction in plan.instructions if instruction.name != "relu"] == [1, 1]
    assert [instruction.inputs[1].shape for instruction in plan.instructions if instruction.name != "relu"] == [
        (4, 4),
        (5, 2),
    ]


def test_a_row_that_is_read_backwards_has_no_place_for_a_one() -> None:
    class Backwards(Layer):
        def __init__(self) -> None:
            self.linear = Linear(3, 2, rng=np.random.default_rng(0))

        def forward(self, inputs: Tensor) -> Tensor:
            return self.linear(inputs[:, ::-1])

    model, inputs = Backwards(), np.array([[1, 2, 3]], np.float32)

    np.testing.assert_allclose(compile_model(model, inputs)(inputs).data, model(inputs).data, atol=1e-6)


@pytest.mark.parametrize("samples", [2, 3])
def test_several_rows_have_no_place_for_a_one(samples: int) -> None:
    model = compile_model(Sequential(Linear(3, 4)).eval(), np.ones((1, 3))).model
    plan = make_plan(trace(model, np.ones((samples, 3), np.float32)), with_one=True)

    assert names_of(plan) == ["linear"]


def test_activations_write_over_their_inputs() -> None:
    plan = plan_of(Sequential(Linear(8, 8), ReLU(), Linear(8, 8)), np.ones((2, 8), np.float32))
    relu = plan.instructions[1]

    assert relu.output is relu.inputs[0]


class Twice(Layer):
    """Needs what went into its activation afterwards."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.exp() + inputs


def test_what_is_needed_later_is_not_written_over() -> None:
    plan = plan_of(Sequential(Tanh(), Twice()), np.ones((2, 3), np.float32))
    exponential, total = plan.instructions[1:]

    assert exponential.output is not exponential.inputs[0]
    assert total.output is exponential.output


def test_views_are_no_instructions() -> None:
    class Turned(Layer):
        def forward(self, inputs: Tensor) -> Tensor:
            return (inputs.transpose(1, 2).reshape(2, 3, 2, 2)[:, 1] * 2).reshape(2, 4)

    plan = plan_of(Turned(), np.ones((2, 4, 3), np.float32))

    assert names_of(plan) == ["mul"]


def test_fused_norms_are_left_out() -> None:
    model = Sequential(Conv2d(1, 2, 3), BatchNorm2d(2), ReLU()).eval()

    assert names_of(plan_of(model, np.ones((1, 1, 5, 5), np.float32))) == ["conv2d", "relu"]


def test_gains_of_one_and_shifts_of_zero_are_left_out() -> None:
    assert names_of(plan_of(LayerNorm(4), np.ones((2, 4), np.float32))) == ["normalize"]


def test_pooling_comes_before_relu() -> None:
    model = Sequential(Conv2d(1, 2, 3), ReLU(), MaxPool2d(2))

    assert names_of(plan_of(model, np.ones((1, 1, 6, 6), np.float32))) == ["conv2d", "max_pool2d", "relu"]


class Forked(Layer):
    def forward(self, inputs: Tensor) -> Tensor:
        kept = ReLU()(inputs)
        return MaxPool2d(2)(kept) + kept[:, :, :3, :3]


def test_a_relu_that_others_need_stays_where_it_is() -> None:
    plan = plan_of(Forked(), np.ones((1, 1, 6, 6), np.float32))

    assert names_of(plan)[:2] == ["relu", "max_pool2d"]


class Peeking(Layer):
    """Pools what it returns, for nothing."""

    def forward(self, inputs: Tensor) -> Tensor:
        kept = ReLU()(inputs)
        MaxPool2d(2)(kept)
        return kept


def test_a_relu_that_is_the_output_stays_where_it_is() -> None:
    inputs = np.linspace(-1, 1, 16, dtype=np.float32).reshape(1, 1, 4, 4)

    assert names_of(plan_of(Peeking(), inputs))[0] == "relu"
    np.testing.assert_array_equal(compile_model(Peeking(), inputs)(inputs).data, np.maximum(inputs, 0))


class Stretched(Layer):
    """Adds zeros, more of them than it was given."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + Tensor.zeros(4, 1, 3)


def test_zeros_that_stretch_are_added() -> None:
    assert compile_model(Stretched(), np.ones((2, 3)))(np.ones((2, 3))).shape == (4, 2, 3)


@pytest.mark.parametrize("samples", [1, 3])
def test_images_lie_one_after_the_other_with_channels_last(samples: int) -> None:
    plan = plan_of(Conv2d(2, 4, 3), np.ones((samples, 2, 6, 6), np.float32))

    assert plan.output.transpose(0, 2, 3, 1).flags.c_contiguous
