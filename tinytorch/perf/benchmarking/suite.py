"""The curriculum's BenchmarkSuite: every metric of some models, as a report and as plots (with matplotlib)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytorch import drawing
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write
from tinytorch.perf.benchmarking.benchmark import Benchmark, Results, Shape
from tinytorch.perf.benchmarking.results import BenchmarkResult, pareto_frontier
from tinytorch.units import METRICS, three_digits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS = {"latency": "ms", "memory": "MiB", "accuracy": "share of right answers"}
MORE_IS_BETTER = {"accuracy"}
WITHOUT_PLOTS = "python -m pip install matplotlib; generate_report() needs none"


class BenchmarkSuite:
    """Measures latency, memory and accuracy of `models` on `datasets`; files go to `output_dir`."""

    def __init__(
        self, models: Sequence[object], datasets: Sequence[Any], output_dir: str | Path = "benchmark_results"
    ) -> None:
        self.benchmark = Benchmark(models, datasets)
        self.output_dir = Path(output_dir)

    @property
    def results(self) -> dict[str, Results]:
        """Metric -> model -> result, of what was measured so far."""
        return self.benchmark.results

    def run_full_benchmark(self, input_shape: Shape | None = None) -> dict[str, Results]:
        """Measure everything; latency and memory with inputs of a shape, if one is given."""
        self.benchmark.run_latency_benchmark(input_shape)
        self.benchmark.run_memory_benchmark(input_shape)
        self.benchmark.run_accuracy_benchmark()
        return self.results

    def generate_report(self) -> str:
        """A table in Markdown, also written to `benchmark_report.md` in the output folder."""
        self._check_measured(METRICS)
        head = ["| model | " + " | ".join(f"{metric} ({UNITS[metric]})" for metric in METRICS) + " |"]
        rows = [self._row(name) for name in self.benchmark.model_names]
        text = "\n".join(["# Benchmark report", "", *head, "|---" * (len(METRICS) + 1) + "|", *rows, ""])
        self.output_dir.mkdir(parents=True, exist_ok=True)
        atomic_write(self.output_dir / "benchmark_report.md", text.encode())
        return text

    def plot_results(self, save_plots: bool = True) -> Figure:
        """A bar for each model and metric, with its interval; SetupMissingError without matplotlib."""
        self._check_measured(METRICS)
        with drawing.defaults(WITHOUT_PLOTS):
            return self._saved(self._bars(), "benchmark_comparison.png", save_plots)

    def _bars(self) -> Figure:
        figure = _figure(len(METRICS))
        for axes, metric in zip(figure.axes, METRICS, strict=True):
            results = list(self.results[metric].values())
            errors = [[each.mean - _lower(each) for each in results], [_upper(each) - each.mean for each in results]]
            axes.bar(self.benchmark.model_names, [each.mean for each in results], yerr=errors, capsize=4)
            axes.set_title(f"{metric} ({UNITS[metric]})")
        return figure

    def plot_pareto_frontier(
        self, x_metric: str = "latency", y_metric: str = "accuracy", save_plots: bool = True
    ) -> Figure:
        """Models by two metrics; those that no other beats are joined by a line."""
        self._check_measured((x_metric, y_metric))
        with drawing.defaults(WITHOUT_PLOTS):
            return self._saved(self._frontier(x_metric, y_metric), "pareto_frontier.png", save_plots)

    def _frontier(self, x_metric: str, y_metric: str) -> Figure:
        xs, ys = ([result.mean for result in self.results[metric].values()] for metric in (x_metric, y_metric))
        best = pareto_frontier(
            list(zip(xs, ys, strict=True)), [metric not in MORE_IS_BETTER for metric in (x_metric, y_metric)]
        )
        figure = _figure(1)
        (axes,) = figure.axes
        axes.scatter(xs, ys)
        axes.plot(*zip(*sorted((xs[i], ys[i]) for i in best), strict=True), "--")
        for name, x, y in zip(self.benchmark.model_names, xs, ys, strict=True):
            axes.annotate(name, (x, y))
        axes.set(xlabel=f"{x_metric} ({UNITS[x_metric]})", ylabel=f"{y_metric} ({UNITS[y_metric]})")
        return figure

    def _row(self, name: str) -> str:
        return "| " + " | ".join([name, *(_words(self.results[metric][name]) for metric in METRICS)]) + " |"

    def _check_measured(self, metrics: Sequence[str]) -> None:
        missing = [metric for metric in metrics if metric not in self.results]
        if missing:
            raise UsageError(f"not measured yet: {', '.join(missing)}", mend="call run_full_benchmark() first")

    def _saved(self, figure: Figure, name: str, is_wanted: bool) -> Figure:
        if is_wanted:
            self.output_dir.mkdir(parents=True, exist_ok=True)
            figure.savefig(self.output_dir / name)
        return figure


def _figure(columns: int) -> Figure:
    """An empty figure, made without a screen."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * columns, 4), layout="constrained")
    figure.subplots(1, columns)
    return figure


def _words(result: BenchmarkResult) -> str:
    if result.ci_lower is None or result.ci_upper is None or result.ci_lower == result.ci_upper:
        return three_digits(result.mean)
    return f"{three_digits(result.mean)} [{three_digits(result.ci_lower)}, {three_digits(result.ci_upper)}]"


def _lower(result: BenchmarkResult) -> float:
    return float(result.mean if result.ci_lower is None else result.ci_lower)


def _upper(result: BenchmarkResult) -> float:
    return float(result.mean if result.ci_upper is None else result.ci_upper)
