"""Every technique on the baseline of its task, measured as athletes measure: what it wins and what it costs.

    python benchmarks/compression.py                 # measures what is not in the file yet, and can be continued
    python benchmarks/compression.py --again         # measures all
    python benchmarks/compression.py --table         # shows the file as a table of Markdown

It writes `tinytorch/workloads/techniques.json`, which `tito olympics techniques` shows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tinytorch.benchmarking import system
from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.scoring.scores import compared
from tinytorch.files import atomic_write
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import run_competition
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import Strategy
from tinytorch.workloads.techniques import MEASURED_FILE, TECHNIQUES, Technique, measured

Results = dict[str, dict[str, Any]]


def main() -> None:
    """Measure, or show what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", choices=TIERS, default="default")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        print("\n".join(table(measured()["results"])))
        return
    known = {} if options.again else measured().get("results", {})
    results: Results = {}
    for technique in TECHNIQUES:
        results[technique.name] = known.get(technique.name) or measure(technique, options.tier)
        write({**known, **results})
        print(technique.name, "done", flush=True)
    write(results)


def measure(technique: Technique, tier: str) -> dict[str, Any]:
    """One run, in figures."""
    contender = Contender.reference(Strategy(technique.name, technique.steps))
    run = run_competition(Challenge(find_task(technique.task), contender, Settings(TIERS[tier])))
    first, second = run.baseline.metrics, run.optimized.metrics
    found = compared(run)
    if found.speedup is None or not (first.memory and second.memory and first.accuracy and second.accuracy):
        raise RuntimeError(f"{technique.name} was not measured whole")
    files = [memory.artifact_bytes or 0 for memory in (first.memory, second.memory)]
    return {
        "task": technique.task,
        "speedup": [found.speedup.estimate, found.speedup.ci_lower, found.speedup.ci_upper],
        "compression_ratio": first.memory.mean / second.memory.mean,
        "file_ratio": files[0] / files[1],
        "accuracy": [first.accuracy.mean, second.accuracy.mean],
    }


def write(results: Results) -> None:
    """The file, as a whole."""
    description = system.describe(1)
    document = {
        "machine": f"{description.cpu_model}, {description.logical_cores} cores, numpy {description.numpy}",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "results": results,
    }
    atomic_write(MEASURED_FILE, json.dumps(document, indent=1).encode() + b"\n")


def table(results: Results) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| technique | task | kept | file | speedup (95 %) | accuracy |"
    yield "|---|---|---|---|---|---|"
    for name, found in results.items():
        estimate, lower, upper = found["speedup"]
        before, after = (100 * accuracy for accuracy in found["accuracy"])
        yield (
            f"| {name} | `{found['task']}` | {found['compression_ratio']:.2f}x | {found['file_ratio']:.2f}x "
            f"| {estimate:.2f} ({lower:.2f} to {upper:.2f}) | {before:.1f} % -> {after:.1f} % |"
        )


if __name__ == "__main__":
    main()
