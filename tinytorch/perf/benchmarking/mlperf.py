"""The curriculum's MLPerf: four scenarios with a target accuracy and a limit of latency.

The course gives no data for them. Latency is measured on seeded noise of the scenario's shape, which is honest for a
model whose time does not depend on its values; accuracy is measured on data that is given, and otherwise is None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.core.arguments import whole
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write
from tinytorch.perf.benchmarking.benchmark import Benchmark, as_pair, check_answers, noise
from tinytorch.showing import nearest

LEAST_RUNS_PER_PROCESS, MOST_PROCESSES = 10, 10
NO_DATA = "no data was given for it, so accuracy could not be measured"


@dataclass(frozen=True)
class Scenario:
    """What a model is asked for; the shape is that of one sample, with the batch before it."""

    input_shape: tuple[int, ...]
    target_accuracy: float
    max_latency_ms: float
    description: str


SCENARIOS = {
    "keyword_spotting": Scenario((1, 16000), 0.90, 100, "a word that wakes a device, in a second of sound"),
    "visual_wake_words": Scenario((1, 96, 96, 3), 0.80, 200, "whether somebody is in a picture"),
    "anomaly_detection": Scenario((1, 640), 0.85, 50, "a machine that sounds wrong"),
    "image_classification": Scenario((1, 32, 32, 3), 0.75, 150, "small pictures of ten kinds"),
}


class MLPerf:
    """Runs scenarios on a model. `datasets`: scenario -> (inputs, labels) to measure accuracy with."""

    def __init__(self, random_seed: int = 42, datasets: Mapping[str, Any] | None = None) -> None:
        self.random_seed = random_seed
        self.datasets = dict(datasets or {})
        self.benchmarks = {name: asdict(scenario) for name, scenario in SCENARIOS.items()}
        for name in self.datasets:
            _scenario(name)

    def run_standard_benchmark(
        self, model: object, benchmark_name: str, num_runs: int = 100, test_inputs: Any = None, labels: Any = None
    ) -> dict[str, Any]:
        """One scenario's figures; `compliant` is None where they cannot say so, with the reason in `why`.

        Data may be given here, too: a list of inputs, each with its batch of one, and their labels. Latency is measured
        in a fresh process for every ten of `num_runs`, ten at most.
        """
        scenario, data = _scenario(benchmark_name), self.datasets.get(benchmark_name)
        whole("a scenario needs num_runs", num_runs, 1)
        if (test_inputs is None) != (labels is None):
            raise UsageError("accuracy needs inputs and labels", mend="give test_inputs and labels, or neither")
        if test_inputs is not None and labels is not None:
            data = Tensor(np.concatenate([np.asarray(each) for each in test_inputs])), np.asarray(labels)
        processes = max(1, min(MOST_PROCESSES, num_runs // LEAST_RUNS_PER_PROCESS))
        given = noise(scenario.input_shape, self.random_seed) if data is None else data
        match as_pair(given):
            case (inputs, labels):
                _check_shape(np.shape(inputs), scenario, benchmark_name)
                check_answers(model, inputs, None if data is None else labels)
        benchmark = Benchmark([model], [given], measurement_runs=processes)
        (latency,) = benchmark.run_latency_benchmark().values()
        accuracy = None if data is None else next(iter(benchmark.run_accuracy_benchmark().values())).mean
        is_fast = latency.mean < scenario.max_latency_ms
        is_right = None if accuracy is None else accuracy >= scenario.target_accuracy
        return {
            "benchmark_name": benchmark_name, "model_name": benchmark.model_names[0], "accuracy": accuracy,
            "mean_latency_ms": latency.mean, "std_latency_ms": latency.std, "latency_met": is_fast,
            "target_accuracy": scenario.target_accuracy, "max_latency_ms": scenario.max_latency_ms,
            "accuracy_met": is_right, "compliant": _both(is_fast, is_right),
            "why": NO_DATA if is_right is None else "", "random_seed": self.random_seed,
        }  # fmt: skip

    def run_all_benchmarks(self, model: object) -> dict[str, dict[str, Any]]:
        """Every scenario; of one that the model's shape does not fit, its `error`."""
        return {name: self._tried(model, name) for name in SCENARIOS}

    def generate_compliance_report(
        self, results: Mapping[str, Mapping[str, Any]], output_path: str | Path = "mlperf_report.json"
    ) -> str:
        """Write all results to a JSON file, and say in a few lines what they show."""
        verdicts = {name: result.get("compliant") for name, result in results.items()}
        met = [name for name, verdict in verdicts.items() if verdict]
        report = {"random_seed": self.random_seed, "timestamp": datetime.now(UTC).isoformat(), "benchmarks": results,
                  "compliant": met}  # fmt: skip
        atomic_write(Path(output_path), json.dumps(report, indent=2).encode() + b"\n")
        lines = [f"{name}: {_verdict(results[name])}" for name in results]
        return "\n".join(["MLPerf scenarios", *lines, f"{len(met)} of {len(results)} met"])

    def _tried(self, model: object, name: str) -> dict[str, Any]:
        try:
            return self.run_standard_benchmark(model, name)
        except (ValueError, RuntimeError) as error:
            return {"benchmark_name": name, "compliant": None, "error": str(error)}


def _scenario(name: str) -> Scenario:
    if name not in SCENARIOS:
        raise UsageError(f"there is no scenario {name!r}", mend=nearest(name, SCENARIOS))
    return SCENARIOS[name]


def _check_shape(shape: tuple[int, ...], scenario: Scenario, name: str) -> None:
    """UsageError for data that are none of the scenario's."""
    if shape[1:] != scenario.input_shape[1:]:
        wanted = ", ".join(map(str, scenario.input_shape[1:]))
        raise UsageError(f"{name} needs inputs (N, {wanted}), got {shape}", mend="give data of the scenario's shape")


def _both(is_fast: bool, is_right: bool | None) -> bool | None:
    return False if not is_fast or is_right is False else is_right


def _verdict(result: Mapping[str, Any]) -> str:
    if "error" in result:
        return f"could not run: {result['error']}"
    found = {True: "met", False: "missed", None: f"open ({result['why']})"}[result["compliant"]]
    return f"{found}, {result['mean_latency_ms']:.3g} ms"
