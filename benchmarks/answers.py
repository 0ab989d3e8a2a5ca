"""What it costs to look at timed answers: in each call, and of a whole measuring.

    python benchmarks/answers.py [TASK ...]

prints for each task how much longer a call of its fastest strategy's model takes when the bytes of its answer are
taken, both timed in turns; and which share fetching and comparing answers is of a whole measuring.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from threadpoolctl import threadpool_limits

from tinytorch.benchmarking import measure, session
from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.core.model import as_call
from tinytorch.core.tensor import Tensor
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import run_competition
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import apply
from tinytorch.workloads.task import baseline_of

TASKS = ("fashion_mlp", "fashion_cnn", "digits_cnn")
ROUNDS, CALLS = 2000, 40


def extra_ns(name: str) -> tuple[float, float]:
    """Nanoseconds of a call, and what taking its bytes adds: the least of many rounds in turns."""
    task = find_task(name)
    train, test = task.load_data()
    model: Any = apply(task.strategy("latency_sprint").steps, baseline_of(task), train)
    call, inputs = as_call(model), [Tensor(test.inputs[row : row + 1]) for row in range(CALLS)]
    answered, plain_ns, answered_ns = measure.answers(call), [], []
    with measure.quiet(), threadpool_limits(1, user_api="blas"):
        for _ in range(ROUNDS):
            plain_ns.append(measure.time_calls(call, inputs))
            answered_ns.append(measure.time_answers(answered, inputs)[0])
    return min(plain_ns) / CALLS, (min(answered_ns) - min(plain_ns)) / CALLS


def share(name: str) -> tuple[float, float]:
    """Seconds of a measuring at the default tier, and the share of fetching and comparing answers."""
    task, spent = find_task(name), {"measuring": 0.0, "looking": 0.0}
    owners = {"measure_models": "measuring", "_draw": "looking", "compare_answers": "looking"}
    before = {function: getattr(session, function) for function in owners}
    for function, kind in owners.items():
        setattr(session, function, _timed(before[function], kind, spent))
    try:
        contender = Contender.reference(task.strategy("all_around"))
        module = sys.modules[run_competition.__module__]
        module.measure_models = session.measure_models  # type: ignore[attr-defined]
        run_competition(Challenge(task, contender, Settings(TIERS["default"])))
    finally:
        for function, original in before.items():
            setattr(session, function, original)
    return spent["measuring"], spent["looking"] / spent["measuring"]


def _timed(function: Callable[..., Any], kind: str, spent: dict[str, float]) -> Callable[..., Any]:
    @wraps(function)
    def timed(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            spent[kind] += time.perf_counter() - start

    return timed


def main() -> None:
    """Print a line for each task."""
    for name in sys.argv[1:] or TASKS:
        call_ns, more_ns = extra_ns(name)
        seconds, looking = share(name)
        print(
            f"{name}: a call takes {call_ns:,.0f} ns, with its bytes {more_ns:+,.0f}; "
            f"measuring {seconds:.1f} s, of which looking at answers {looking:.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
