"""Benchmark, as a script or a notebook uses it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tinytorch.benchmarking import Benchmark, comparison
from tinytorch.competition import calculate_normalized_scores
from tinytorch.competition.scoring.scores import paired_models
from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ModelError, ShapeError, UsageError

GENERATOR = np.random.default_rng(0)
INPUTS = GENERATOR.random((20, 8), dtype=np.float32)
LABELS = GENERATOR.integers(0, 3, 20)


def network(width: int = 16) -> Sequential:
    return Sequential(Linear(8, width, rng=GENERATOR), ReLU(), Linear(width, 3, rng=GENERATOR))


class LocalModel:
    """A model that can be copied and not be sent."""

    def __init__(self) -> None:
        self.weight = np.ones((8, 3), dtype=np.float32)
        self.activation = lambda x: x

    def __deepcopy__(self, memo: dict[int, object]) -> LocalModel:
        return LocalModel()

    def __reduce__(self) -> str:
        raise TypeError("it holds a lock")

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self.activation(x @ self.weight)


def test_a_framework_model_is_measured_in_worker_processes(tiny_tier) -> None:
    results = Benchmark([network()], [(INPUTS, LABELS)], tier=tiny_tier).run()

    assert (results.protocol.mode, results.protocol.threads) == ("worker processes", 1)


def test_the_results_have_all_metrics_with_their_intervals(four_processes) -> None:
    results = Benchmark([network()], [(INPUTS, LABELS)], ["latency", "memory", "accuracy"], tier=four_processes).run()

    for metric in ("latency", "memory", "accuracy"):
        assert results[metric].ci_lower <= results[metric].mean <= results[metric].ci_upper


def test_memory_counts_every_weight(tiny_tier) -> None:
    results = Benchmark([network(16)], [(INPUTS, LABELS)], ["memory"], tier=tiny_tier).run()

    assert results["memory"].kept_bytes == 4 * (8 * 16 + 16 + 16 * 3 + 3)


def test_only_what_was_asked_for_is_measured(tiny_tier) -> None:
    assert set(Benchmark([network()], [(INPUTS, LABELS)], ["accuracy"], tier=tiny_tier).run()) == {"accuracy"}


def test_a_model_that_cannot_be_sent_is_measured_here_and_the_caller_is_told_why(tiny_tier) -> None:
    with pytest.warns(UserWarning, match="cannot be sent .* it holds a lock; measured in this process") as told:
        results = Benchmark([LocalModel()], [(INPUTS, LABELS)], tier=tiny_tier).run()

    assert (results.protocol.mode, [warning.filename for warning in told]) == ("this process", [__file__])


def test_where_there_are_no_worker_processes_models_are_measured_here(
    tiny_tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("os.fork")
    with pytest.warns(UserWarning, match="in worker processes needs Linux or macOS; measured in this process"):
        results = Benchmark([network()], [(INPUTS, LABELS)], tier=tiny_tier).run()

    assert results.protocol.mode == "this process"


class Unloadable(LocalModel):
    """A model that can be sent and not be rebuilt."""

    def __reduce__(self) -> tuple[object, ...]:
        return int, ("no number",)


def test_a_model_that_no_worker_can_rebuild_is_measured_here(tiny_tier) -> None:
    with pytest.warns(UserWarning, match="cannot rebuild the models"):
        results = Benchmark([Unloadable()], [(INPUTS, LABELS)], ["memory"], tier=tiny_tier).run()

    assert results.protocol.mode == "this process"


class Locked(LocalModel):
    """A model that can neither be sent nor be copied."""

    def __deepcopy__(self, memo: dict[int, object]) -> LocalModel:
        raise TypeError("it holds a lock")


def test_a_model_that_can_neither_be_sent_nor_copied_is_refused(tiny_tier) -> None:
    with pytest.raises(ModelError, match=r"cannot be sent .*; and it cannot be copied here: it holds a lock"):
        Benchmark([Locked()], [(INPUTS, LABELS)], ["memory"], tier=tiny_tier).run()


class Stubborn(LocalModel):
    """A model whose own code fails where it is copied, with whatever it likes."""

    def __reduce__(self) -> str:
        raise ZeroDivisionError("no state")

    def __deepcopy__(self, memo: dict[int, object]) -> LocalModel:
        raise KeyError("no copy")


def test_whatever_a_model_raises_where_it_is_sent_is_told_as_ours(tiny_tier) -> None:
    with pytest.raises(ModelError, match="no state; and it cannot be copied here: 'no copy'"):
        Benchmark([Stubborn()], [(INPUTS, LABELS)], ["memory"], tier=tiny_tier).run()


OBJECTS = np.empty(2, object)
OBJECTS[:] = [{}, {}]


@pytest.mark.parametrize("inputs", [OBJECTS, [[1], [1, 2]]], ids=["objects", "unequal"])
def test_inputs_that_are_no_numbers_are_refused(inputs: object) -> None:
    with pytest.raises(UsageError, match=r"unequal length inside|arrays of numbers"):
        Benchmark([LocalModel()], [(inputs, np.zeros(2, int))])


@pytest.mark.filterwarnings("ignore:.*measured in this process")
def test_in_this_process_there_is_one_unit_and_no_interval(tiny_tier) -> None:
    comparison = Benchmark([LocalModel()], [(INPUTS, LABELS)], tier=tiny_tier).compare(LocalModel(), LocalModel())

    assert comparison.baseline.protocol.processes == 1
    assert (comparison.speedup.ci_lower, comparison.speedup.p_value) == (None, None)
    assert "1 unit measured" in comparison.speedup.reason


SCRIPT = """
import numpy as np
from tinytorch import Linear
from tinytorch.benchmarking import Benchmark
from tinytorch.benchmarking.schedule import Tier
data = np.ones((9, 4), np.float32), np.zeros(9, int)
print(Benchmark([Linear(4, 2)], [data], tier=Tier("test", 1, processes=1)).run().protocol.mode)
"""
OF_ITS_OWN = SCRIPT.replace("[Linear(4, 2)]", "[Mine(4, 2)]").replace(
    "data =",
    "FACTOR = 2.0\nclass Mine(Linear):\n    def forward(self, x):\n        return super().forward(x) * FACTOR\ndata =",
)


@pytest.mark.parametrize("program", [SCRIPT, OF_ITS_OWN], ids=["our class", "a class of its own"])
@pytest.mark.parametrize("way", ["script", "-c", "stdin"])
def test_it_measures_in_workers_wherever_it_is_called_from(way: str, program: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(program)
    arguments = {"script": ["script.py"], "-c": ["-c", program], "stdin": ["-"]}[way]
    done = subprocess.run(
        [sys.executable, *arguments], input=program, capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert done.stdout == "worker processes\n"


def test_classes_beside_the_caller_are_found_by_workers(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from tinytorch import Linear\nclass Mine(Linear):\n    pass\n")
    program = SCRIPT.replace("[Linear(4, 2)]", "[Mine(4, 2)]").replace(
        "import numpy", "from mine import Mine\nimport numpy"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert done.stdout == "worker processes\n"


def test_every_model_is_measured(tiny_tier) -> None:
    results = Benchmark([network(32), network(8), network(4)], [(INPUTS, LABELS)], tier=tiny_tier).run()

    assert [other["memory"].kept_bytes < results["memory"].kept_bytes for other in results.others] == [True, True]
    assert len({each["latency"].session for each in (results, *results.others)}) == 1


def test_progress_is_told(tiny_tier) -> None:
    told: list[str] = []
    Benchmark([network()], [(INPUTS, LABELS)], tier=tiny_tier).run(progress=lambda stage, share: told.append(stage))

    assert {*told} == {"survey", "measure"}


def test_a_batch_that_takes_too_long_is_refused_with_the_limit_and_the_option_that_raises_it(
    tmp_path: Path, tiny_tier
) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\nclass Slow:\n    def __call__(self, x):\n        time.sleep(3 * (len(x) > 1))\n        return x\n"
    )
    program = """
import numpy as np
from slow import Slow
from tinytorch.benchmarking import Benchmark
from tinytorch.errors import RunError
try:
    Benchmark([Slow()], [(np.ones((9, 4)), np.zeros((9, 4)))], tier="fast", request_limit_s=2).run()
except RunError as error:
    print(error.message, "|", error.mend)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert "no answer within 2 s" in done.stdout
    assert "request_limit_s above 2" in done.stdout


class Slow:
    """A model that takes long for what it does."""

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        time.sleep(0.01)
        return inputs


def test_a_measurement_that_takes_much_longer_than_its_tier_is_announced_where_it_was_asked_for(tiny_tier) -> None:
    with pytest.warns(UserWarning, match="measuring will take about") as told:
        Benchmark([Slow()], [(INPUTS, INPUTS)], ["latency"], tier=tiny_tier).run()

    assert [warning.filename for warning in told] == [__file__]


class Unsteady:
    """A model that answers one sample otherwise than many."""

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        return inputs if len(inputs) > 1 else inputs + 1


def test_a_model_that_answers_otherwise_when_timed_is_refused(tiny_tier) -> None:
    with pytest.raises(ModelError, match="another output for sample 0 alone"):
        Benchmark([Unsteady()], [(INPUTS, INPUTS)], tier=tiny_tier).run()


def test_scores_use_the_baseline_that_was_given(tiny_tier) -> None:
    """Results of two benchmarks are never exchanged, though their first models have one shape."""
    data = [(INPUTS, LABELS)]
    mine, theirs = Benchmark([network(64)], data, tier=tiny_tier), Benchmark([network(64)], data, tier=tiny_tier)
    baseline, optimized = mine.run(), theirs.run(network(8))
    scores = calculate_normalized_scores(baseline, optimized)

    assert scores["speedup"] == pytest.approx(baseline["latency"].mean / optimized["latency"].mean, rel=1e-12)


def test_another_model_of_one_benchmark_is_not_taken_for_its_first(tiny_tier) -> None:
    benchmark = Benchmark([network(64), network(32)], [(INPUTS, LABELS)], tier=tiny_tier)
    second, third = benchmark.run().others[0], benchmark.run(network(8))
    scores = calculate_normalized_scores(second, third)

    assert scores["compression_ratio"] == second["memory"].mean / third["memory"].mean


def test_a_first_model_that_was_changed_meanwhile_is_not_taken_for_what_it_was(tiny_tier) -> None:
    model = network(64)
    benchmark = Benchmark([model], [(INPUTS, LABELS)], tier=tiny_tier)
    baseline = benchmark.run()
    model.layers[:] = network(8).layers
    scores = calculate_normalized_scores(baseline, benchmark.run(model))

    assert scores["compression_ratio"] > 2


@pytest.mark.filterwarnings("ignore:.*measured in this process")
def test_what_was_measured_in_this_process_is_taken_as_it_was_given(tiny_tier) -> None:
    """No artifact shows which model it was."""
    benchmark = Benchmark([LocalModel()], [(INPUTS, LABELS)], ["memory"], tier=tiny_tier)
    baseline, optimized = benchmark.run(), benchmark.run(LocalModel())

    assert paired_models(baseline, optimized)[0] is baseline.model_record


def test_a_benchmark_looks_at_its_yardstick_before_it_calls_a_model_a_lottery(
    tiny_tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    monkeypatch.setattr(comparison, "is_lottery", lambda *given: seen.append(given[3]) or False)
    benchmark = Benchmark([LocalModel()], [(INPUTS, LABELS)], ["latency"], tier=tiny_tier)
    with pytest.warns(UserWarning, match="measured in this process instead"):
        found = benchmark.compare(LocalModel(), LocalModel())

    assert seen == [found.baseline.protocol.yardstick.typical_excess]


def test_a_first_model_that_nobody_changed_is_compared_in_pairs(tiny_tier) -> None:
    benchmark = Benchmark([network(64)], [(INPUTS, LABELS)], tier=tiny_tier)
    baseline, optimized = benchmark.run(), benchmark.run(network(8))

    assert paired_models(baseline, optimized)[0] == optimized.partner.model_record


def test_another_model_is_interleaved_with_the_first(tiny_tier) -> None:
    benchmark = Benchmark([network(64)], [(INPUTS, LABELS)], tier=tiny_tier)
    results = benchmark.run(network(8))

    assert results["latency"].session == results.partner["latency"].session


def test_a_comparison_has_a_speedup_with_its_interval(four_processes) -> None:
    comparison = Benchmark([network()], [(INPUTS, LABELS)], tier=four_processes).compare(network(), network())

    assert comparison.speedup.ci_lower < comparison.speedup.estimate < comparison.speedup.ci_upper
    assert len(comparison.speedup.log_ratios) == four_processes.processes


def test_the_accuracy_is_that_of_the_model(tiny_tier) -> None:
    model = network()
    expected = np.mean(model(Tensor(INPUTS)).data.argmax(axis=1) == LABELS)

    assert Benchmark([model], [(INPUTS, LABELS)], ["accuracy"], tier=tiny_tier).run()["accuracy"].mean == expected


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (([], [(INPUTS, LABELS)]), UsageError),
        (([network()], []), UsageError),
        (([network()], [(INPUTS, LABELS)], ["speed"]), UsageError),
        (([3], [(INPUTS, LABELS)]), UsageError),
        (([network()], [INPUTS]), UsageError),
        (([network()], [(INPUTS, LABELS[:3])]), ShapeError),
        (([network()], [TensorDataset(INPUTS)]), UsageError),
        (([network()], [TensorDataset(INPUTS, INPUTS, LABELS)]), UsageError),
        (([network()], [TensorDataset(INPUTS[:0], LABELS[:0])]), UsageError),
    ],
)
def test_bad_arguments_are_refused_at_once(arguments, error) -> None:
    with pytest.raises(error):
        Benchmark(*arguments)


@pytest.mark.parametrize("is_local", [False, True], ids=["in workers", "here"])
def test_the_callers_model_stays_in_the_mode_that_it_had(is_local: bool, tiny_tier) -> None:
    model = Sequential(Dropout(0.5), Linear(8, 3))
    model.keeps_it_here = (lambda: None) if is_local else None  # what no other process can import
    Benchmark([model], [(INPUTS, LABELS)], ["accuracy"], tier=tiny_tier).run()

    assert [layer.training for layer in model.walk()] == [True, True, True]


def test_an_unknown_tier_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown tier"):
        Benchmark([network()], [(INPUTS, LABELS)], tier="quick")
