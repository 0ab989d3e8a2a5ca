"""Question 4: what of this is production work? Percentiles, an SLA, a memory budget, an audit.

    python docs/experiments/serving.py

A service promises: 99 of 100 answers within a limit (an SLA), in so much memory. The baseline of digits_mlp and a
smaller model answer single requests one after the other, which is MLPerf's SingleStream; every answer is timed.
"""

from __future__ import annotations

import argparse
import math
from itertools import cycle, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tinytorch.benchmarking.footprint import footprint
from tinytorch.benchmarking.measure import quiet, time_calls
from tinytorch.benchmarking.statistics import percentile_floor
from tinytorch.core.model import inference
from tinytorch.core.tensor import Tensor
from tinytorch.datasets.digits import load_digits
from tinytorch.perf.acceleration import compile_model, fastest_backend
from tinytorch.perf.compression import prune_neurons
from tinytorch.units import format_size, format_time
from tinytorch.workloads.cache import cached_baseline
from tinytorch.workloads.models import load_model
from tinytorch.workloads.registry import find_task

BUDGET_BYTES = 2_000_000
SMALL, DRAWS, SEED = 100, 2_000, 0
WARM_UP = 50

Times = NDArray[Any]


def answer_times(model: Any, inputs: Times, requests: int) -> Times:
    """Nanoseconds of each of many single requests."""
    samples = cycle([Tensor(inputs[row : row + 1]) for row in range(len(inputs))])
    with inference(model), quiet(), threadpool_limits(1, user_api="blas"):
        for sample in islice(samples, WARM_UP):
            model(sample)
        return np.array([time_calls(model, [sample]) for sample in islice(samples, requests)])


def spread_of_p99(times: Times, requests: int) -> tuple[float, float]:
    """The p99 that so few requests would have shown: where 90 % of the answers to that question lie."""
    generator = np.random.default_rng(SEED)
    order = math.ceil(0.99 * requests) - 1
    drawn = np.sort(generator.choice(times, (DRAWS, requests)), axis=1)[:, order]
    return float(np.quantile(drawn, 0.05)), float(np.quantile(drawn, 0.95))


def report(name: str, model: Any, times: Times, limit_ns: float) -> None:
    """What the service could promise with this model."""
    p50, p90, p99 = (float(np.quantile(times, share, method="inverted_cdf")) for share in (0.5, 0.9, 0.99))
    kept = footprint(model).kept_bytes
    print(f"{name}: mean {format_time(times.mean())}, p50 {format_time(p50)}, p90 {format_time(p90)}, "
          f"p99 {format_time(p99)}")  # fmt: skip
    kept_words = "kept" if (times <= limit_ns).mean() >= 0.99 else "broken"
    print(f"  SLA, 99 % within {format_time(limit_ns)}: {(times <= limit_ns).mean():.2%}, {kept_words}")
    print(
        f"  budget of {format_size(BUDGET_BYTES)}: {format_size(kept)}, {'kept' if kept <= BUDGET_BYTES else 'broken'}"
    )
    for requests in (SMALL, percentile_floor(0.99)):
        low, high = spread_of_p99(times, requests)
        print(f"  p99 from {requests} requests: anything from {format_time(low)} to {format_time(high)}")


def main() -> None:
    """Serve, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    requests = parser.parse_args().requests
    train, test = load_digits()
    baseline: Any = load_model(str(cached_baseline(find_task("digits_mlp")).path))
    smaller = prune_neurons(baseline, keep=256, train_data=train, epochs=20)
    models = {"baseline": baseline, "smaller": compile_model(smaller, test.inputs[:1], fastest_backend())}
    times = {name: answer_times(model, test.inputs, requests) for name, model in models.items()}
    limit_ns = float(times["baseline"].mean())  # as somebody would promise who knows the mean only
    for name, model in models.items():
        report(name, model, times[name], limit_ns)


if __name__ == "__main__":
    main()
