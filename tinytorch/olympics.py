"""The curriculum's names for module 20, as thin fronts over `tinytorch.benchmarking` and `tinytorch.competition`.

Its submission has no event and no raw samples: nobody can check it. One that can be checked is made by
`tito olympics submit`, or by `tinytorch.competition.generate_submission`. Sizes under `_mb` are MiB here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from threadpoolctl import threadpool_limits

from tinytorch import benchmarking
from tinytorch.benchmarking.measure import CLOCK, quiet, time_block
from tinytorch.benchmarking.schedule import Tier
from tinytorch.benchmarking.statistics import percentile, percentile_floor
from tinytorch.benchmarking.system import describe
from tinytorch.competition import OlympicEvent
from tinytorch.competition.names import parse_event
from tinytorch.competition.rules.events import check_constraints
from tinytorch.competition.rules.quantities import checked_quantity
from tinytorch.competition.scoring.classroom import (
    ReportMetrics,
    improvements_of,
    validate_submission_schema,
)
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Layer, Linear
from tinytorch.core.model import as_call, inference, parameter_count, tensors_of
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write
from tinytorch.perf.benchmarking.benchmark import check_answers
from tinytorch.units import MEGABYTES_PER_MEBIBYTE, milliseconds

__all__ = [
    "BenchmarkReport",
    "OlympicEvent",
    "SimpleMLP",
    "generate_submission",
    "qualifies_event",
    "save_submission",
    "validate_submission_schema",
]

SUBMISSION_TYPE = "capstone_benchmark"
BUDGET_NS_PER_RUN, LEAST_BUDGET_NS, MOST_BUDGET_NS = 10_000_000, 400_000_000, 8_000_000_000
PROCESSES = 4
SINGLE_CALLS_BUDGET_NS, DISCARDED, MOST_DIFFERENT = 2_000_000_000, 5, 64


class SimpleMLP(Layer):
    """A perceptron with one hidden layer: (batch, input_size) -> (batch, output_size)."""

    def __init__(self, input_size: int = 10, hidden_size: int = 20, output_size: int = 3) -> None:
        super().__init__()
        self.fc1, self.relu, self.fc2 = Linear(input_size, hidden_size), ReLU(), Linear(hidden_size, output_size)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes."""
        scores: Tensor = self.fc2(self.relu(self.fc1(x)))
        return scores

    def count_parameters(self) -> int:
        """How many numbers it learns."""
        return parameter_count(self)


class BenchmarkReport:
    """One model's figures in `metrics`, empty until `benchmark_model` has measured them."""

    def __init__(self, model_name: str = "model") -> None:
        self.model_name = model_name
        self.metrics: dict[str, Any] = {}
        self.system_info = _system_info()
        self.timestamp = datetime.now(UTC).isoformat()

    def benchmark_model(self, model: Any, X_test: Any, y_test: Any, num_runs: int = 100) -> dict[str, Any]:  # noqa: N803
        """Measure a model on data that it has not seen, and give the metrics.

        The mean is the quiet time in several fresh processes, about 10 ms of calls for each of `num_runs`. Median,
        deviation and percentiles are of at least so many single calls in this process, one after the other; a
        percentile is None where a slow model gave too few of them (662 for p99).
        """
        check_answers(model, X_test, y_test)
        found = self._measure(model, X_test, y_test, ["latency", "memory", "accuracy"], num_runs)
        latency, throughput = found["latency"], found["throughput"]
        self.metrics = {
            "parameter_count": sum(tensor.size for tensor in tensors_of(model))
            if found.model_record.parameters is None
            else found.model_record.parameters,
            "model_size_mb": found["memory"].mean / MEGABYTES_PER_MEBIBYTE,
            "accuracy": found["accuracy"].mean,
            **_latency_figures(latency.mean, _single_calls_ms(model, X_test, num_runs)),
            "throughput_samples_per_sec": throughput.mean,
        }
        return self.metrics

    def measure_latency(self, model: Any, X_test: Any, num_runs: int = 100) -> dict[str, float | None]:  # noqa: N803
        """The times of `benchmark_model` alone, milliseconds."""
        found = self._measure(model, X_test, np.zeros(len(np.asarray(X_test))), ["latency"], num_runs)
        return _latency_figures(found["latency"].mean, _single_calls_ms(model, X_test, num_runs))

    def measure_memory(self, model: Any, X_test: Any) -> float:  # noqa: N803
        """MiB that a model keeps between inferences."""
        found = self._measure(model, X_test, np.zeros(len(np.asarray(X_test))), ["memory"], 1)
        return float(found["memory"].mean / MEGABYTES_PER_MEBIBYTE)

    def _measure(self, model: Any, inputs: Any, labels: Any, metrics: Sequence[str], runs: int) -> Any:
        if runs < 1:
            raise UsageError(f"num_runs must be at least 1, got {runs}")
        given = _as_tensor(inputs)
        budget = min(max(BUDGET_NS_PER_RUN * runs, LEAST_BUDGET_NS), MOST_BUDGET_NS)
        tier = Tier("report", budget, processes=PROCESSES)
        return benchmarking.Benchmark([model], [(given, np.asarray(labels))], metrics, tier=tier).run()


def qualifies_event(metrics: Mapping[str, Any], event: OlympicEvent | str) -> bool:
    """Whether a report's `metrics` satisfy what the event demands.

    Limits are those of our rules, but for the unit of sizes: a report has MiB, and so the limit is 10 MiB here.
    KeyError for a metric that is missing, ValueError for one that cannot be, or an event that there is not.
    """
    wanted = parse_event(event)
    names = {"latency": "latency_ms_median", "memory": "model_size_mb", "accuracy": "accuracy"}
    values = {metric: checked_quantity(metric, metrics[name]) for metric, name in names.items()}
    if not values["memory"]:
        raise UsageError("model_size_mb is 0: it must be above zero, as it was measured")
    return all(result.satisfied for result in check_constraints(wanted, values))


def generate_submission(
    baseline_report: BenchmarkReport,
    optimized_report: BenchmarkReport | None = None,
    student_name: str | None = None,
    techniques_applied: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The curriculum's submission: both reports' metrics and what one gained over the other."""
    submission: dict[str, Any] = {
        "tinytorch_version": version("tinytorch-olympics"), "submission_type": SUBMISSION_TYPE,
        "timestamp": datetime.now(UTC).isoformat(), "system_info": baseline_report.system_info,
        "baseline": _section(baseline_report),
    }  # fmt: skip
    if student_name is not None:
        submission["student_name"] = student_name
    if optimized_report is not None:
        submission["optimized"] = {**_section(optimized_report), "techniques_applied": list(techniques_applied or [])}
        submission["improvements"] = improvements_of(*map(_checked, (baseline_report, optimized_report))).model_dump()
    return submission


def save_submission(submission: Mapping[str, Any], filepath: str | Path = "submission.json") -> str:
    """Write it as JSON, the whole file or nothing, and give its path."""
    try:
        content = json.dumps(submission, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"this cannot be written as JSON: {error}") from error
    atomic_write(Path(filepath), content.encode() + b"\n")
    return str(filepath)


def _system_info() -> dict[str, Any]:
    """The machine, with the curriculum's names for what it names."""
    machine = describe().model_dump()
    names = {"operating_system": "platform", "python": "python_version", "numpy": "numpy_version"}
    return {names.get(name, name): value for name, value in machine.items()}


def _latency_figures(quiet_ms: float, calls_ms: Sequence[float]) -> dict[str, float | None]:
    return {
        "latency_ms_mean": quiet_ms,
        "latency_ms_std": float(np.std(calls_ms, ddof=1)),
        "latency_ms_median": percentile(calls_ms, 0.50),
        "latency_ms_p95": percentile(calls_ms, 0.95),
        "latency_ms_p99": percentile(calls_ms, 0.99),
    }


def _single_calls_ms(model: Any, inputs: Any, runs: int) -> list[float]:
    """Times of single calls on one sample after the other: `runs`, and more for percentiles while that is quick."""
    call, given = as_call(model), _as_tensor(inputs)
    samples = cycle([given[row : row + 1] for row in range(min(len(given.data), MOST_DIFFERENT))])
    with inference(model), quiet(), threadpool_limits(1, user_api="blas"):
        time_block(call, [[next(samples)]] * DISCARDED, 0)
        times: list[int] = []
        end = CLOCK() + SINGLE_CALLS_BUDGET_NS
        while len(times) < max(runs, 2) or (len(times) < percentile_floor(0.99) and CLOCK() < end):
            times += time_block(call, [[next(samples)]], 0)
    return [milliseconds(time) for time in times]


def _as_tensor(inputs: Any) -> Tensor:
    return inputs if isinstance(inputs, Tensor) else Tensor(np.asarray(inputs))


def _checked(report: BenchmarkReport) -> ReportMetrics:
    """The metrics of a report; UsageError for one that cannot be."""
    try:
        return ReportMetrics.model_validate(report.metrics)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        name = ".".join(map(str, wrong["loc"]))
        raise UsageError(f"{name} of {report.model_name} must be what was measured, got {wrong['input']!r}") from error


def _section(report: BenchmarkReport) -> dict[str, Any]:
    if not report.metrics:
        raise UsageError(f"the report of {report.model_name} has no metrics", mend="call its benchmark_model() first")
    return {"model_name": report.model_name, "metrics": dict(report.metrics)}
