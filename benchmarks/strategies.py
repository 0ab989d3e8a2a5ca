"""Every event's reference strategy on every task, measured as athletes measure: does it qualify, and what does it win?

    python benchmarks/strategies.py --results strategies.jsonl
    python benchmarks/strategies.py --results strategies.jsonl --seeds 5
    python benchmarks/strategies.py --results strategies.jsonl --table

One line of JSON is appended for each run; what is in the file is not measured again, so that it can be stopped and
continued. With --seeds nothing is timed: every strategy is built from so many seeds of fine-tuning, and its accuracy
and its bytes are a line.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tinytorch.benchmarking.footprint import footprint
from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.run import Run
from tinytorch.competition.scoring.eligibility import eligibility
from tinytorch.competition.scoring.scores import compared, compute_scores
from tinytorch.core.metrics import accuracy
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import run_competition
from tinytorch.workloads.registry import TASKS, find_task
from tinytorch.workloads.strategies import FUSION, Step, apply
from tinytorch.workloads.task import Task, baseline_of

Line = dict[str, Any]


def main() -> None:
    """Measure what is not in the file yet, or show what is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="a file of lines of JSON, appended to")
    parser.add_argument("--tier", choices=TIERS, default="default")
    parser.add_argument("--task", action="append", choices=TASKS, help="only this one; may be repeated")
    parser.add_argument("--seeds", type=int, help="build each strategy from so many seeds instead of timing it")
    parser.add_argument("--table", action="store_true", help="show the file as a table of Markdown")
    options = parser.parse_args()
    if options.table:
        print("\n".join(table(known(options.results))))
        return
    for task in map(find_task, options.task or TASKS):
        if options.seeds is None:
            measure_task(task, options.tier, options.results)
        else:
            build_task(task, options.seeds, options.results)


def measure_task(task: Task, tier: str, results: Path) -> None:
    """Append the lines of one task's events that are missing."""
    done = {(line["task"], line["event"]) for line in known(results) if "seed" not in line}
    for event in OlympicEvent:
        if (task.name, event.value) not in done:
            contender = Contender.reference(task.strategy(event))
            append(results, line_of(run_competition(Challenge(task, contender, Settings(TIERS[tier]))), event))


def build_task(task: Task, seeds: int, results: Path) -> None:
    """Append the lines of one task's strategies, each from every seed, that are missing."""
    done = {(line["task"], line["event"], line["seed"]) for line in known(results) if "seed" in line}
    train, test = task.load_data()
    baseline = pickle.dumps(baseline_of(task))
    for seed in range(seeds):
        built: dict[str, bytes] = {}  # what a first step makes, strategies have in common
        for event in OlympicEvent:
            if (task.name, event.value, seed) in done:
                continue
            first, *rest = [seeded(step, seed) for step in task.strategy(event).steps if step != FUSION]
            start = time.perf_counter()
            with threadpool_limits(1, user_api="blas"):
                if repr(first) not in built:
                    built[repr(first)] = pickle.dumps(apply([first], pickle.loads(baseline), train))
                model = apply(rest, pickle.loads(built[repr(first)]), train)
                share = accuracy(model, test)
            seconds = time.perf_counter() - start
            append(results, {"task": task.name, "event": event.value, "seed": seed, "accuracy": share,
                             "kept_bytes": footprint(model).kept_bytes, "seconds": round(seconds, 1)})  # fmt: skip


def seeded(step: Step, seed: int) -> Step:
    """The same step, fine-tuned from another seed."""
    if not step.arguments.get("tuned") or "rounding" in step.arguments["options"]:
        return step
    options = {**step.arguments["options"], "seed": seed}
    return replace(step, arguments={**step.arguments, "options": options})


def line_of(run: Run, event: OlympicEvent) -> Line:
    """What one run shows."""
    second, found = run.optimized.metrics, compared(run)
    scores = compute_scores(run)
    (judged,) = (each for each in eligibility(run, scores) if each.event == event)
    speedup = found.speedup
    return {
        "task": run.task.name, "event": event.value,
        "techniques": run.source.techniques, "eligible": judged.is_eligible,
        "speedup": None if speedup is None else [speedup.estimate, speedup.ci_lower, speedup.ci_upper],
        "compression_ratio": scores.compression_ratio, "accuracy": second.accuracy and second.accuracy.mean,
        "latency_ms": second.latency and second.latency.mean, "score": judged.value,
        "same_kinds": run.baseline.layer_kinds == run.optimized.layer_kinds,
    }  # fmt: skip


def table(lines: list[Line]) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| task | event | techniques | speedup (95 %) | smaller | accuracy | qualifies | least of the seeds |"
    yield "|---|---|---|---|---|---|---|---|"
    for line in lines:
        if "seed" not in line:
            estimate, lower, upper = line["speedup"]
            qualifies = "yes" if line["eligible"] and line["same_kinds"] else "no"
            yield (
                f"| `{line['task']}` | `{line['event']}` | {', '.join(line['techniques'])} "
                f"| {estimate:.2f} ({lower:.2f} to {upper:.2f}) | {line['compression_ratio']:.2f}x "
                f"| {100 * line['accuracy']:.1f} % | {qualifies} | {least_of_seeds(lines, line)} |"
            )


def least_of_seeds(lines: list[Line], mine: Line) -> str:
    """The lowest accuracy of the same strategy, built from other seeds, and of how many."""
    shares = [
        line["accuracy"]
        for line in lines
        if "seed" in line and (line["task"], line["event"]) == (mine["task"], mine["event"])
    ]
    return f"{100 * min(shares):.1f} % of {len(shares)}" if shares else ""


def known(results: Path) -> list[Line]:
    """What the file holds."""
    return [json.loads(line) for line in results.read_text("utf-8").splitlines()] if results.exists() else []


def append(results: Path, line: Line) -> None:
    """Add a line, and say so."""
    with results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(line["task"], line["event"], "done", flush=True)


if __name__ == "__main__":
    main()
