"""Reference strategies on baselines that are trained again: what a referee's `TO-V15` asks of every entry.

    python benchmarks/redraws.py run [TASK...]    # five seeds, each strategy of each task
    python benchmarks/redraws.py report

A strategy holds on a redrawn baseline when its accuracy there is not below that on the published one, less what the
baseline itself lost and five points, by more than chance allows. Each result is one line of `redraws.jsonl`; Ctrl-C
loses one, and the next call goes on. Nothing is timed.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tinytorch.benchmarking.statistics import at_most_by_chance
from tinytorch.competition.rules.events import load_rules
from tinytorch.core.metrics import accuracy
from tinytorch.workloads.registry import TASKS, find_task
from tinytorch.workloads.strategies import apply
from tinytorch.workloads.task import Task, baseline_of, train_baseline

RECORD = Path(__file__).with_name("redraws.jsonl")
SEEDS = (11, 12, 13, 14, 15)
PUBLISHED = -1


def run(tasks: Sequence[str]) -> None:
    """What is not there yet."""
    for name in tasks:
        task = find_task(name)
        for seed in (PUBLISHED, *SEEDS):
            known = {line["strategy"] for line in _lines() if (line["task"], line["seed"]) == (name, seed)}
            wanted = [each for each in task.strategies if each.name not in known]
            if wanted:
                model = baseline_of(task) if seed == PUBLISHED else train_baseline(task, seed=seed)
                for strategy in wanted:
                    _write(task, seed, strategy.name, model)


def _write(task: Task, seed: int, strategy: str, baseline: Any) -> None:
    train, test = task.load_data()
    random.seed(seed % 2**31)
    np.random.seed(seed % 2**31)
    with threadpool_limits(1, user_api="blas"):
        made = apply(task.strategy(strategy).steps, copy.deepcopy(baseline), train)
        line = {"task": task.name, "seed": seed, "strategy": strategy, "baseline": accuracy(baseline, test),
                "optimized": accuracy(made, test), "samples": len(test)}  # fmt: skip
    with RECORD.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(line, flush=True)


def report() -> None:
    """Of each strategy: on how many it holds, and the worst of them."""
    lines, rules = _lines(), load_rules()
    published = {(line["task"], line["strategy"]): line for line in lines if line["seed"] == PUBLISHED}
    for (task, strategy), claim in published.items():
        own = [
            line for line in lines if line["seed"] != PUBLISHED and (line["task"], line["strategy"]) == (task, strategy)
        ]
        if not own:
            continue
        drops = [_drop(line, claim) for line in own]
        held = sum(_holds(line, claim, rules.refereeing.redrawn_drop, rules.verifying.accuracy_chance) for line in own)
        print(f"{task:12} {strategy:17} published {claim['optimized']:.1%}, holds on {held} of {len(own)}, "
              f"beyond the baseline's own change it lost {max(drops):+.1%} at most")  # fmt: skip


def _drop(line: dict[str, Any], claim: dict[str, Any]) -> float:
    lost: float = max(0.0, claim["baseline"] - line["baseline"])
    return float(claim["optimized"] - lost - line["optimized"])


def _holds(line: dict[str, Any], claim: dict[str, Any], drop: float, chance: float) -> bool:
    least = claim["optimized"] - max(0.0, claim["baseline"] - line["baseline"]) - drop
    right = round(line["optimized"] * line["samples"])
    return at_most_by_chance(right, line["samples"], max(0.0, least)) >= chance


def _lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORD.read_text().splitlines()] if RECORD.exists() else []


def main() -> None:
    """Run one of the experiments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "report"])
    parser.add_argument("tasks", nargs="*", default=[*TASKS])
    asked = parser.parse_args()
    if asked.what == "run":
        run(asked.tasks)
    else:
        report()


if __name__ == "__main__":
    main()
