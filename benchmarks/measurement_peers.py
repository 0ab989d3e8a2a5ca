"""One comparison by another tool, for `measurement.py`: `PYTHON measurement_peers.py TOOL MODEL DIFFERENCE`.

Runs in an environment that has the tool and numpy, on this repository's models. Each tool gets about 8 s for both
models and is used as its documentation shows; a tool that reports no interval gets Welch's t interval over what it
reports. Prints `[ratio, lower, upper]` of the second model's time over the first's.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np  # noqa: E402 - after the thread variables
from contenders import PAIRS  # noqa: E402

from tinytorch import Tensor, no_grad  # noqa: E402

SECONDS_EACH = 4.0
Interval = tuple[float, float, float]
Call = Callable[[], object]


def calls(model: str, difference: str) -> tuple[Call, Call]:
    """Both models as functions of nothing."""
    pair = PAIRS[model]
    inputs = Tensor(np.random.default_rng(1).random((1, 64), dtype=np.float32))

    def bind(network: Callable[[Tensor], object]) -> Call:
        def call() -> object:
            with no_grad():
                return network(inputs)

        return call

    first, second = pair.same() if difference == "none" else pair.slower()
    return bind(first.eval()), bind(second.eval())


def welch(first: Sequence[float], second: Sequence[float]) -> Interval:
    """Ratio of means with Welch's interval on the log scale (delta method), as most people would test it."""
    means = np.mean(first), np.mean(second)
    errors = [float(np.std(times, ddof=1) / math.sqrt(len(times)) / np.mean(times)) for times in (first, second)]
    half_width = (
        1.96 * math.hypot(*errors) if min(len(first), len(second)) > 30 else _t_half_width(first, second, errors)
    )
    log_ratio = math.log(means[1] / means[0])
    return math.exp(log_ratio), math.exp(log_ratio - half_width), math.exp(log_ratio + half_width)


def _t_half_width(first: Sequence[float], second: Sequence[float], errors: list[float]) -> float:
    from scipy.special import stdtrit

    parts = [error**4 / (len(times) - 1) for error, times in zip(errors, (first, second), strict=True)]
    return float(stdtrit(math.hypot(*errors) ** 4 / sum(parts), 0.975)) * math.hypot(*errors)


def naive(model: str, difference: str) -> Interval:
    """A loop over the first model, then a loop over the second, timed call by call."""

    def loop(call: Call) -> list[float]:
        times, end = [], time.perf_counter() + SECONDS_EACH
        while (start := time.perf_counter()) < end:
            call()
            times.append(time.perf_counter() - start)
        return times[10:]

    first, second = calls(model, difference)
    return welch(loop(first), loop(second))


def torch(model: str, difference: str) -> Interval:
    """`Timer.blocked_autorange` of each model; the times of its blocks."""
    from torch.utils.benchmark import Timer

    first, second = (Timer("call()", globals={"call": call}) for call in calls(model, difference))
    return welch(*(timer.blocked_autorange(min_run_time=SECONDS_EACH).times for timer in (first, second)))


def pyperf(model: str, difference: str) -> Interval:
    """`Runner.bench_func` of each model in its own 8 processes with 3 values; all values."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for index in "01":
            path = Path(folder) / f"{index}.json"
            command = [sys.executable, __file__, "pyperf-script", model, difference, index, "-p", "8", "-o", str(path)]
            subprocess.run([*command, "--quiet"], check=True, stdout=subprocess.DEVNULL)
            runs = json.loads(path.read_text())["benchmarks"][0]["runs"]
            found.append([value for run in runs for value in run.get("values", [])])
    return welch(*found)


def pyperf_script(model: str, difference: str, index: int) -> None:
    """What pyperf runs in each of its processes."""
    from pyperf import Runner

    runner = Runner(program_args=[__file__, "pyperf-script", model, difference, str(index)])
    runner.bench_func("model", calls(model, difference)[index])


def pytest_benchmark(model: str, difference: str) -> Interval:
    """The `benchmark` fixture, one test for each model; the times of its rounds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        test = Path(folder) / "test_models.py"
        here = str(Path(__file__).parent)
        test.write_text(
            f"import sys; sys.path.insert(0, {here!r})\nfrom measurement_peers import calls\n"
            f"first, second = calls({model!r}, {difference!r})\n"
            "def test_first(benchmark): benchmark(first)\ndef test_second(benchmark): benchmark(second)\n"
        )
        options = [f"--benchmark-json={path}", f"--benchmark-max-time={SECONDS_EACH}", "--benchmark-save-data"]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(test)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        found = {one["name"]: one["stats"]["data"] for one in json.loads(path.read_text())["benchmarks"]}
    return welch(found["test_first"], found["test_second"])


TOOLS = {"naive": naive, "torch": torch, "pyperf": pyperf, "pytest-benchmark": pytest_benchmark}

if __name__ == "__main__":
    if sys.argv[1] == "pyperf-script":
        name, kind, number, *rest = sys.argv[2:]
        sys.argv[1:] = rest
        pyperf_script(name, kind, int(number))
    else:
        print(json.dumps(TOOLS[sys.argv[1]](*sys.argv[2:])))
