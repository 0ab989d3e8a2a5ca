"""The curriculum's classes measure, and say where they could not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import SupportsIndex

import numpy as np
import pytest

from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.errors import SetupMissingError, UsageError
from tinytorch.perf.benchmarking import Benchmark, BenchmarkSuite, MLPerf, TinyMLPerf, mlperf
from tinytorch.perf.benchmarking import benchmark as fronts

INPUTS = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
DATASET = (INPUTS, np.zeros(20, np.int64))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fronts, "BUDGET_NS_PER_PROCESS", 20_000_000)
    monkeypatch.setattr("tinytorch.perf.benchmarking.mlperf.MOST_PROCESSES", 1)


def model(width: int = 6) -> Sequential:
    return Sequential(Linear(6, width), Linear(width, 3))


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkSuite:
    made = BenchmarkSuite([model(), model(900)], [DATASET], tmp_path_factory.mktemp("suite"))
    made.benchmark.measurement_runs = 4
    made.run_full_benchmark()
    return made


def test_each_process_is_one_value(suite: BenchmarkSuite) -> None:
    found = suite.results["latency"]["model_1"]

    assert (found.count, found.metadata["measured_in"]) == (4, "worker processes")
    assert found.ci_lower < found.mean < found.ci_upper


@pytest.mark.filterwarnings("ignore:.*measured in this process")
def test_a_model_that_cannot_be_sent_is_one_value_measured_here() -> None:
    class Local(Sequential):
        def __reduce_ex__(self, protocol: SupportsIndex) -> str:
            raise TypeError("it holds a lock")

        def __deepcopy__(self, memo: object) -> Sequential:
            return Sequential(*self.layers)

    (found,) = Benchmark([Local(Linear(6, 3))], [DATASET], measurement_runs=4).run_latency_benchmark().values()

    assert (found.count, found.metadata["measured_in"]) == (1, "this process")


class Evaluating(Sequential):
    def evaluate(self, dataset: object) -> float:
        return 0.75


def test_a_model_may_evaluate_itself_and_that_is_said() -> None:
    (found,) = Benchmark([Evaluating(Linear(6, 3))], [{"name": "test"}]).run_accuracy_benchmark().values()

    assert (found.values, found.metadata["measured_in"]) == ([0.75], "the model's own evaluate()")


def test_a_dataset_may_be_a_list_of_batches() -> None:
    batches = [(Tensor(INPUTS[:5]), Tensor(np.zeros(5))), (Tensor(INPUTS[5:]), Tensor(np.zeros(15)))]
    made = model()
    whole, parted = (Benchmark([made], [data]).run_accuracy_benchmark()["model_0"] for data in (DATASET, batches))

    assert whole.values == parted.values


def test_inputs_without_labels_have_a_latency_and_no_accuracy() -> None:
    made = Benchmark([model()], [[(Tensor(INPUTS), None)]], measurement_runs=1)

    assert made.run_latency_benchmark(input_shape=(1, 6))["model_0"].mean > 0
    with pytest.raises(UsageError, match="without labels"):
        made.run_accuracy_benchmark()


def test_every_model_has_a_name_of_its_own() -> None:
    models = [model() for _ in range(4)]
    for made, name in zip(models, ("same", "same", "same_1"), strict=False):
        made.name = name

    assert len({*Benchmark(models, [DATASET]).model_names}) == 4


def test_models_are_compared_by_any_metric(suite: BenchmarkSuite) -> None:
    rows = suite.benchmark.compare_models("memory")

    assert [row["model"] for row in rows] == ["model_0", "model_1"]
    assert rows[1]["mean"] * 2**20 == pytest.approx(4 * (6 * 900 + 900 + 900 * 3 + 3))


def test_a_report_has_a_row_for_each_model(suite: BenchmarkSuite) -> None:
    text = suite.generate_report()

    assert len(text.splitlines()) == 6
    assert (suite.output_dir / "benchmark_report.md").read_text() == text


def test_plots_are_drawn_without_a_screen(suite: BenchmarkSuite) -> None:
    suite.plot_results()
    figure = suite.plot_pareto_frontier()

    assert (suite.output_dir / "benchmark_comparison.png").stat().st_size > 1000
    assert [text.get_text() for text in figure.axes[0].texts] == ["model_0", "model_1"]


def test_without_matplotlib_the_report_is_named(suite: BenchmarkSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SetupMissingError) as caught:
        suite.plot_results()

    assert "generate_report()" in caught.value.mend


CALLS = {
    "no models": lambda: Benchmark([], [DATASET]),
    "no data": lambda: Benchmark([model()], []).run_accuracy_benchmark(),
    "unknown metric": lambda: Benchmark([model()], [DATASET]).compare_models("energy"),
    "nothing measured": lambda: BenchmarkSuite([model()], [DATASET]).generate_report(),
    "unknown scenario": lambda: MLPerf().run_standard_benchmark(model(), "image_clasification"),
    "data of no scenario": lambda: MLPerf(datasets={"faces": DATASET}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_wrong_call_is_explained(call) -> None:
    with pytest.raises(UsageError) as caught:
        call()

    assert caught.value.mend or "needs" in caught.value.message


def sound_model() -> Sequential:
    return Sequential(Linear(640, 2))


def test_without_data_accuracy_is_not_invented(tmp_path: Path) -> None:
    scenarios = MLPerf()
    found = scenarios.run_standard_benchmark(sound_model(), "anomaly_detection", num_runs=10)
    report = scenarios.generate_compliance_report({"anomaly_detection": found}, tmp_path / "report.json")

    assert (found["accuracy"], found["accuracy_met"], found["compliant"]) == (None, None, None)
    assert found["mean_latency_ms"] > 0
    assert "open (no data was given" in report
    assert json.loads((tmp_path / "report.json").read_text())["compliant"] == []


def test_noise_is_of_the_seed_that_the_report_names(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    monkeypatch.setattr(
        "tinytorch.perf.benchmarking.mlperf.Benchmark",
        lambda models, datasets, **options: seen.append(datasets[0][0]) or Benchmark(models, datasets, **options),
    )
    for seed in (1, 1, 2):
        MLPerf(random_seed=seed).run_standard_benchmark(sound_model(), "anomaly_detection", num_runs=10)
    first, again, other = (inputs.data for inputs in seen)

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("label", "compliant"), [(0, True), (1, False)])
def test_with_data_a_scenario_is_met_or_missed(label: int, compliant: bool) -> None:
    made = sound_model()
    made.layers[0].weight.data[:] = 0
    made.layers[0].bias.data[:] = [1, 0]
    data = (np.zeros((8, 640), np.float32), np.full(8, label))
    found = MLPerf(datasets={"anomaly_detection": data}).run_standard_benchmark(made, "anomaly_detection", 10)

    assert (found["accuracy"], found["compliant"]) == (float(compliant), compliant)


def test_data_may_be_given_with_the_call() -> None:
    inputs = [Tensor(np.zeros((1, 640))) for _ in range(4)]
    found = MLPerf().run_standard_benchmark(sound_model(), "anomaly_detection", 10, inputs, np.zeros(4, int))

    assert found["accuracy"] in (0.0, 1.0)


@pytest.mark.parametrize("dataset", ["cifar", {"name": "mock"}, None, [], (1, 2, 3)], ids=repr)
def test_what_has_no_inputs_is_as_good_as_no_dataset(dataset: object) -> None:
    benchmark = Benchmark([Sequential(Linear(28, 3))], [dataset], measurement_runs=1)

    assert all(found.mean > 0 for found in benchmark.run_memory_benchmark().values())
    with pytest.raises(UsageError, match="dataset"):
        benchmark.run_accuracy_benchmark()


NOT_THE_SCENARIO_S = {
    "another shape": {"test_inputs": [np.zeros((1, 4))], "labels": [0]},
    "inputs without labels": {"test_inputs": [np.zeros((1, 640))]},
    "labels without inputs": {"labels": [0]},
    "no run": {"num_runs": 0},
}


@pytest.mark.parametrize("options", NOT_THE_SCENARIO_S.values(), ids=NOT_THE_SCENARIO_S)
def test_what_is_no_data_of_a_scenario_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"needs"):
        MLPerf().run_standard_benchmark(Sequential(Linear(640, 4)), "anomaly_detection", **options)


def test_a_model_that_does_not_score_the_labels_is_refused_before_it_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mlperf, "Benchmark", None)
    with pytest.raises(UsageError, match="labels go from 9 to 9, and the model scores 4 classes"):
        MLPerf().run_standard_benchmark(
            Sequential(Linear(640, 4)), "anomaly_detection", test_inputs=[np.zeros((1, 640))], labels=[9]
        )


def test_a_scenario_that_does_not_fit_is_told_and_the_others_run() -> None:
    found = TinyMLPerf().run_all_benchmarks(sound_model())

    assert "needs inputs" in found["keyword_spotting"]["error"]
    assert found["anomaly_detection"]["latency_met"]
