"""How accuracy falls with bytes and time: the curve of each task with shipped data, and where its knee is.

    python benchmarks/curves.py --results curves.jsonl
    python benchmarks/curves.py --results curves.jsonl --table

Every model is the baseline made smaller and fine-tuned as the task's strategies are, kept as floats, in 8 bits and in
4. Times are for orientation: the tenth percentile of single calls of its compiled plan, one model after the other. One
line of JSON is appended for each model; what is in the file is not made again: it can be stopped and continued.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.metrics import accuracy
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.perf.acceleration import compile_model, fastest_backend
from tinytorch.perf.memoization import with_kv_cache
from tinytorch.perf.quantization import quantize_model
from tinytorch.workloads.fashion_mlp import tuned
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import Step, apply, prune_heads
from tinytorch.workloads.task import Task, baseline_of

Line = dict[str, Any]

POINTS: dict[str, dict[str, Step]] = {
    "fashion_mlp": {f"{keep} neurons": tuned(keep, epochs=20) for keep in (256, 128, 64, 48, 32, 24, 16, 8)},
    "fashion_cnn": {
        f"{part} of the channels": tuned(keep, epochs=8)
        for part, keep in (("1/2", 0.5), ("3/8", 0.375), ("1/4", 0.25), ("1/8", 0.125))
    },
    "words": {
        f"{heads} heads, {hidden} neurons": prune_heads(
            heads, hidden, epochs=2, batch_size=16, learning_rate=2e-3, schedule="cosine"
        )
        for heads, hidden in ((4, 128), (4, 64), (3, 64), (2, 64), (2, 32))
    },
}
WHOLE = "the baseline"
LIMIT = 0.85  # what most events ask for


def main() -> None:
    """Make what is not in the file yet, or show what is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="a file of lines of JSON, appended to")
    parser.add_argument("--table", action="store_true", help="show the file as tables of Markdown")
    options = parser.parse_args()
    lines = [json.loads(line) for line in options.results.read_text().splitlines()] if options.results.exists() else []
    if options.table:
        print("\n".join(table(lines)))
        return
    done = {(line["task"], line["model"]) for line in lines}
    for name, points in POINTS.items():
        for model, step in {WHOLE: None, **points}.items():
            if (name, model) not in done:
                line = measured(find_task(name), model, step)
                with options.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                print(name, model, "done", flush=True)


def measured(task: Task, name: str, step: Step | None) -> Line:
    """One model in its three forms."""
    train, test = task.load_data()
    baseline = baseline_of(task)
    with threadpool_limits(1, user_api="blas"):
        model = apply([step], baseline, train) if step else baseline
        forms = {
            "float": model,
            "int8": quantize_model(copy.deepcopy(model)),
            "int4": quantize_model(copy.deepcopy(model), bits=4, ranges="mse"),
        }
        found = {form: [footprint(each).kept_bytes, accuracy(quick(each, task), test)] for form, each in forms.items()}
        return {"task": task.name, "model": name, **found, "plan_us": plan_us(quick(model, task), test.inputs)}


def quick(model: Any, task: Task) -> Any:
    """A copy; of what generates, one that remembers, which answers the same."""
    return with_kv_cache(copy.deepcopy(model)) if task.vocabulary else copy.deepcopy(model)


def plan_us(model: Any, inputs: np.ndarray) -> float:
    """Microseconds of one call of the compiled plan."""
    plan = compile_model(model, inputs[:1], fastest_backend())
    samples = [Tensor(inputs[number % len(inputs)][None]) for number in range(400)]
    times = []
    with no_grad():
        for sample in samples:
            start = time.perf_counter_ns()
            plan(sample)
            times.append(time.perf_counter_ns() - start)
    return round(float(np.percentile(times, 10)) / 1e3, 2)


def table(lines: list[Line]) -> Iterator[str]:
    """A table of Markdown for each task; the smallest model of each form that keeps to the limit is its knee."""
    for task in POINTS:
        mine = [line for line in lines if line["task"] == task]
        yield f"| `{task}` | floats | 8 bits | 4 bits | plan of floats |"
        yield "|---|---|---|---|---|"
        knees = {
            form: min((line[form][0] for line in mine if line[form][1] >= LIMIT), default=None)
            for form in ("float", "int8", "int4")
        }
        for line in mine:
            cells = [cell(line[form], knee) for form, knee in knees.items()]
            yield f"| {line['model']} | {' | '.join(cells)} | {line['plan_us']:,} us |"
        yield ""


def cell(seen: tuple[int, float], knee: int | None) -> str:
    """Accuracy and bytes, set in bold at the knee."""
    kept_bytes, share = seen
    text = f"{share:.1%}, {kept_bytes / 1e3:,.1f} kB".replace("%", " %")
    return f"**{text}**" if kept_bytes == knee else text


if __name__ == "__main__":
    main()
