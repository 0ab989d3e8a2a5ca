"""Placements in this process: copies, inputs, what is counted, and whether the framework is still itself."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tinytorch.benchmarking import integrity, placements
from tinytorch.benchmarking.placements import Placements, Subjects
from tinytorch.benchmarking.records.work import COUNTED_SAMPLES, Work
from tinytorch.benchmarking.schedule import BlockShape, Schedule
from tinytorch.core import layers, ops
from tinytorch.core.layers import Dropout, Linear
from tinytorch.core.tensor import Tensor
from tinytorch.datasets.digits import with_noise
from tinytorch.errors import ModelError

INPUTS = np.random.default_rng(0).random((12, 4), dtype=np.float32)
PLAN = Schedule(sessions=1, processes=1, copies=2, visits=10, block=BlockShape(2, 1, 3), calls_per_sample=(1, 1))
ONE_COPY = replace(PLAN, copies=1)


class Watched:
    """A model that remembers its inputs."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def __call__(self, inputs: Tensor) -> Tensor:
        self.seen.append(inputs.data.tobytes())
        return inputs * 2


class Lazy:
    """A model that makes its table at the first call."""

    table: np.ndarray | None = None

    def __call__(self, inputs: Tensor) -> Tensor:
        if self.table is None:
            self.table = np.ones(250_000, np.float32)
        return inputs


def placed(*builders: Callable[[], Any], freshen: Any = None, seed: int = 1, copies: int = 2) -> Placements:
    subjects = Subjects(builders, INPUTS, as_tensor=True, freshen=freshen)
    return Placements(subjects, copies, seed, integrity.snapshot())


@pytest.mark.parametrize(("call_ns", "samples"), [(1, len(INPUTS)), (2_000_000_000, 2), (10**12, 1)])
def test_what_an_inference_does_is_the_mean_of_as_many_samples_as_there_is_time_for(call_ns: int, samples: int) -> None:
    counts = [(10 * number, number, number) for number in range(COUNTED_SAMPLES)]
    left = iter(counts)
    subjects = Subjects((Watched,), INPUTS, as_tensor=True, count=lambda model, sample: next(left))
    found = Placements(subjects, 1, 1, integrity.snapshot()).counted(0, call_ns)

    assert found == Work.mean(counts[:samples])


def test_without_a_way_to_count_nothing_is_counted() -> None:
    assert placed(Watched).counted(0, 1) is None


def test_copies_are_built_in_changing_order() -> None:
    """Who is built first lies elsewhere in memory."""
    built: list[str] = []
    placed(lambda: built.append("a") or Watched(), lambda: built.append("b") or Watched(), copies=12)
    orders = {"".join(built[start : start + 2]) for start in range(0, 24, 2)}

    assert orders == {"ab", "ba"}


def test_models_are_switched_to_inference() -> None:
    layer = Dropout(0.5)
    placed(lambda: layer)

    assert not layer.training


def test_a_first_inference_counts_for_nothing() -> None:
    """What it builds is kept memory, not working memory."""
    description = placed(Lazy).describe(0)

    assert description.kept_bytes == 1_000_000
    assert description.peak_working_bytes < 100_000


def test_memory_that_grows_while_timing_is_seen_afterwards() -> None:
    here = placed(Lazy)
    before = here.inspect().kept_bytes
    here.visit(replace(PLAN, calls_per_sample=(1,)), seed=1)

    assert (before, here.inspect().kept_bytes) == ([0], [1_000_000])


def test_globals_of_a_models_modules_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("entry")
    module.table = np.ones(250_000, np.float32)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "entry", module)
    subjects = Subjects((Watched, Watched), INPUTS, as_tensor=True, modules=((), ("entry",)))

    assert Placements(subjects, 1, 1, integrity.snapshot()).inspect().kept_bytes == [0, 1_000_000]


def test_timed_inputs_never_repeat_where_new_ones_can_be_made() -> None:
    model = Watched()
    here = placed(lambda: model, Watched, freshen=with_noise, copies=1)
    for seed in range(5):
        here.visit(ONE_COPY, seed)

    assert len(set(model.seen)) == len(model.seen) == 5 * PLAN.block.samples


def test_given_inputs_are_taken_in_turn_where_no_new_ones_can_be_made() -> None:
    model = Watched()
    placed(lambda: model, Watched, copies=1).visit(ONE_COPY, seed=1)

    assert set(model.seen) <= {INPUTS[row : row + 1].tobytes() for row in range(12)}
    assert len(set(model.seen)) > 2


def test_new_images_are_close_to_the_given_ones() -> None:
    fresh = with_noise(INPUTS, np.random.default_rng(0))

    assert fresh.dtype == np.float32
    assert 0 < np.abs(fresh - INPUTS).max() < 0.01


def test_single_outputs_are_those_of_the_first_inputs() -> None:
    here = placed(lambda: Linear(4, 3, rng=np.random.default_rng(0)))

    np.testing.assert_allclose(here.predict_singly(0, 1_000), here.predict(0, 3), rtol=1e-5)
    assert len(here.predict_singly(0, placements.SINGLE_BUDGET_NS // 3)) == 3


PATCHES = {
    "tinytorch.core.layers.Linear.forward": (layers.Linear, "forward", lambda self, inputs: inputs),
    "tinytorch.core.layers.Linear.__getattr__": (layers.Linear, "__getattr__", lambda self, name: None),
    "numpy.matmul": (np, "matmul", lambda *arrays: arrays[0]),
    "tinytorch.benchmarking.measure.time_calls": (placements.measure, "time_calls", lambda *_: 1),
    "tinytorch.benchmarking.yardstick.network": (placements.yardstick, "network", lambda: Watched()),
}


@pytest.mark.parametrize("name", PATCHES)
def test_what_was_replaced_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, other = PATCHES[name]
    here = placed(Watched)
    monkeypatch.setattr(owner, attribute, other, raising=False)

    assert here.inspect().patched == [name]


def test_a_function_whose_code_was_rewritten_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    here = placed(Watched)
    monkeypatch.setattr(layers.Linear.forward, "__code__", (lambda self, inputs: inputs).__code__)

    assert here.inspect().patched == ["tinytorch.core.layers.Linear.forward"]


def test_an_operation_that_was_exchanged_in_its_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    here = placed(Watched)
    monkeypatch.setitem(ops.OPERATIONS, "matmul", ops.OPERATIONS["add"])

    assert "tinytorch.core.ops.OPERATIONS[matmul]" in here.inspect().patched


def test_using_the_framework_patches_nothing() -> None:
    """Nor does copying or saving it, for which Python keeps notes in a class."""
    linear = Linear(4, 3)
    here = placed(lambda: linear)
    pickle.dumps(linear)
    here.visit(replace(PLAN, calls_per_sample=(1,)), seed=1)

    assert here.inspect().patched == []


class Buffered:
    """A model whose answers are views of one buffer."""

    def __init__(self) -> None:
        self.buffer = np.zeros((1, 4), np.float32)

    def __call__(self, inputs: Tensor) -> np.ndarray:
        self.buffer[:] = inputs.data
        return self.buffer


class CopiesItsFirst(Buffered):
    """The same, but for its first answer."""

    calls = 0

    def __call__(self, inputs: Tensor) -> np.ndarray:
        self.calls += 1
        return super().__call__(inputs) if self.calls > 1 else super().__call__(inputs).copy()


@pytest.mark.parametrize("model", [Buffered, CopiesItsFirst])
@pytest.mark.parametrize("ask", [lambda placed: placed.predict_singly(0, 1), lambda placed: placed.predict(0, 1)])
def test_an_answer_stays_what_it_was(model: type, ask: Callable[[Placements], object]) -> None:
    """Whoever still holds it would be wrong, and would not know."""
    with pytest.raises(ModelError, match="became another when it was asked the next"):
        ask(placed(model))


def test_outputs_of_all_inputs_are_those_of_any_batches() -> None:
    here = placed(lambda: Linear(4, 3, rng=np.random.default_rng(0)))

    np.testing.assert_allclose(here.predict(0, 2), here.predict(0, len(INPUTS)), rtol=1e-5)


def test_outputs_that_do_not_fit_together_are_the_model_s_fault() -> None:
    """One row for the first batch, and two columns for the second."""
    shapes = iter([(1, 3), (1, 2)] * 9)
    here = placed(lambda: lambda inputs: np.zeros(next(shapes)))

    with pytest.raises(ModelError, match="outputs do not fit together"):
        here.predict(0, 1)


def test_a_pass_is_over_as_many_inputs_as_were_asked_for() -> None:
    seen: list[int] = []
    placed(lambda: lambda inputs: seen.append(len(inputs)) or np.zeros(1)).time_passes(0, 3)

    assert {*seen} == {3}


def test_another_process_makes_the_inputs_of_a_block_again() -> None:
    """What was timed there and then, its seed and number tell; here with a model alone."""
    linear = Linear(4, 3, rng=np.random.default_rng(0))
    together, alone = placed(Watched, lambda: linear, freshen=with_noise), placed(lambda: linear, freshen=with_noise)
    plan = replace(PLAN, calls_per_sample=(1, 3))
    together.visit(plan, seed=9)

    for block in range(plan.blocks_of_visit):
        answers = together.timed_outputs(1, block).view(np.float32)
        np.testing.assert_array_equal(answers, alone.outputs_of_block(0, plan, 1, 9, block).ravel())


def test_every_block_has_inputs_of_its_own() -> None:
    alone = placed(lambda: Linear(4, 3), freshen=with_noise)
    first, second, other_visit = (alone.outputs_of_block(0, PLAN, 0, *which) for which in ((9, 0), (9, 1), (8, 0)))

    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other_visit)


def test_the_weights_of_a_copy_that_lie_otherwise_have_another_digest() -> None:
    linear = Linear(4, 3)
    here = placed(lambda: linear, copies=1)
    ((before,),) = here.inspect().weights_sha256
    linear.weight.data = np.asfortranarray(linear.weight.data)

    assert here.inspect().weights_sha256 != [[before]]
