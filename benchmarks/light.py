"""How near baselines and plans come to light speed in many sessions: no share may lie above 100 %.

    python benchmarks/light.py --results light.jsonl --sessions 100
    python benchmarks/light.py --results light.jsonl --table

One line of JSON is appended for each session; what is in the file counts, so that it can be stopped and continued.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tinytorch.benchmarking.light import light_speed
from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import run_competition
from tinytorch.workloads.registry import find_task

CONTENDERS = [
    ("fashion_mlp", "planned"), ("digits_mlp", "all_around"), ("digits_cnn", "planned"), ("fashion_mlp", "int8"),
    ("digits_mlp", "planned"), ("fashion_cnn", "planned"), ("digits_mlp", "latency_sprint"), ("tinygpt", "planned"),
    ("words", "planned"), ("digits_cnn", "extreme_push"),
]  # fmt: skip


def main() -> None:
    """Measure the sessions that are missing, or show what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="a file of lines of JSON, appended to")
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--table", action="store_true", help="show the file as a table of Markdown")
    options = parser.parse_args()
    known = options.results.read_text("utf-8").splitlines() if options.results.exists() else []
    if options.table:
        print("\n".join(table([json.loads(line) for line in known])))
        return
    for number, (task, strategy) in islice(enumerate(cycle(CONTENDERS)), len(known), options.sessions):
        line = measure(task, strategy)
        with options.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(number + 1, task, strategy, "done", flush=True)


def measure(task: str, strategy: str) -> dict[str, Any]:
    """The shares of one session."""
    found = find_task(task)
    settings = Settings(TIERS["fast"], metrics=("latency", "memory"))
    run = run_competition(Challenge(found, Contender.reference(found.strategy(strategy)), settings))
    shares = {}
    for role in ("baseline", "optimized"):
        light = light_speed(getattr(run, role))
        if light is None or light.interval is None:
            raise RuntimeError(f"{task} {strategy}: the {role} model was not measured whole")
        shares[role] = [light.share, light.interval.lower, light.interval.upper, light.least_ns, light.bound]
    return {"task": task, "strategy": strategy, **shares}


def table(lines: list[dict[str, Any]]) -> Iterator[str]:
    """A line of Markdown for each pair: the least, the middle and the largest share of all its sessions."""
    by_pair: dict[tuple[str, str], list[float]] = defaultdict(list)
    for line in lines:
        by_pair[line["task"], "baseline"].append(line["baseline"][0])
        by_pair[line["task"], line["strategy"]].append(line["optimized"][0])
    yield "| task | model | sessions | least | middle | largest |"
    yield "|---|---|---|---|---|---|"
    for (task, model), shares in sorted(by_pair.items()):
        ordered = sorted(shares)
        chosen = (ordered[0], ordered[len(ordered) // 2], ordered[-1])
        least, middle, largest = (f"{100 * each:.0f} %" for each in chosen)
        yield f"| `{task}` | {model} | {len(ordered)} | {least} | {middle} | {largest} |"


if __name__ == "__main__":
    main()
