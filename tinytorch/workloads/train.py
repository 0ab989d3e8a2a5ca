"""Makes the baseline of a task again, as it was made once: `python -m tinytorch.workloads.train TASK`.

Writes the weights as float16, and tells in a line of JSON what it took and what came of it.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np

from tinytorch.core.archive import archive_of
from tinytorch.core.metrics import accuracy
from tinytorch.core.model import parameter_count
from tinytorch.core.state import load_state_dict, state_dict
from tinytorch.files import atomic_write, sha256
from tinytorch.workloads.registry import TASKS, find_task
from tinytorch.workloads.task import train_baseline


def main() -> None:
    """Train the task that the command line names, write its weights and tell about it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("-o", "--output", type=Path, help="the archive to write; without it TASK.npz here")
    options = parser.parse_args()
    output = options.output or Path(f"{options.task}.npz")
    sys.stdout.write(json.dumps(made(options.task, output)) + "\n")


def made(name: str, output: Path) -> dict[str, object]:
    """Train the task `name`, write its weights to `output`, and say what came of it."""
    task, start = find_task(name), time.perf_counter()
    model = train_baseline(task, lambda stage, share: show(stage, share, time.perf_counter() - start))
    seconds = time.perf_counter() - start
    _, test = task.load_data()
    trained = accuracy(model, test)
    rounded = {key: array.astype(np.float16) for key, array in state_dict(model).items()}
    load_state_dict(model, rounded)
    content = archive_of(rounded)
    atomic_write(output, content)
    return {
        "task": name, "seed": task.recipe.seed, "seconds": round(seconds, 1), "parameters": parameter_count(model),
        "accuracy": trained, "accuracy_as_float16": accuracy(model, test), "bytes": len(content),
        "sha256": sha256(content), "numpy": np.__version__, "machine": platform.machine(),
    }  # fmt: skip


def show(stage: str, share: float, seconds: float) -> None:
    """How far training is, on one line of the terminal."""
    sys.stderr.write(f"\r{stage} {share:4.0%} after {seconds:.0f} s")


if __name__ == "__main__":
    main()
