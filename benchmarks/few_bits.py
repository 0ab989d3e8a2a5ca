"""What a small network keeps of its accuracy: cut at once or in stages, then in few bits by three kinds of rounding.

    python benchmarks/few_bits.py --results few_bits.jsonl            # 4 minutes; can be stopped and continued
    python benchmarks/few_bits.py --results few_bits.jsonl --table

The baseline of `digits_mlp` (64-1024x4-10), 16 neurons in each hidden layer, 360 test images: one image is 0.3 %.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.metrics import accuracy
from tinytorch.perf.compression import prune_neurons
from tinytorch.perf.quantization import quantization_aware_tune, quantize_model
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.task import baseline_of

TASK = "digits_mlp"
KEEP, EPOCHS = 16, 60
STAGES = (1, 2, 4, 6)
BITS = (8, 4, 3, 2)
ROUNDING: dict[str, Callable[..., Any]] = {
    "nearest": lambda model, train, bits: quantize_model(model, bits=bits, symmetric=False),
    "compensated": lambda model, train, bits: quantize_model(
        model, bits=bits, symmetric=False, rounding="compensated", train_data=train
    ),
    "aware": lambda model, train, bits: quantization_aware_tune(model, train, bits=bits, symmetric=False, epochs=20),
}


def lines(seeds: int, done: set[str]) -> Iterator[dict[str, Any]]:
    """What is not done yet: for each seed the accuracy after every number of stages, then in few bits."""
    train, test = find_task(TASK).load_data()
    baseline = baseline_of(find_task(TASK))
    for seed in range(seeds):
        if f"seed {seed}" in done:
            continue
        found: dict[str, Any] = {"name": f"seed {seed}", "stages": {}, "bits": {}}
        for stages in STAGES:
            options = {"stages": stages, "stage_epochs": 10, "epochs": EPOCHS, "seed": seed}
            small = prune_neurons(baseline, keep=KEEP, train_data=train, **options)
            found["stages"][str(stages)] = accuracy(small, test)
        for bits in BITS:
            models = {name: rounded(small, train, bits) for name, rounded in ROUNDING.items()}
            found["bits"][str(bits)] = {name: accuracy(model, test) for name, model in models.items()}
            found["bits"][str(bits)]["bytes"] = footprint(models["aware"]).kept_bytes
        yield found


def table(found: list[dict[str, Any]]) -> Iterator[str]:
    """Two tables of Markdown: the range over all seeds."""
    yield "| stages | accuracy |"
    yield "|---|---|"
    for stages in STAGES:
        yield f"| {stages} | {shown([line['stages'][str(stages)] for line in found])} |"
    yield ""
    yield f"| bits | {' | '.join(ROUNDING)} | bytes |"
    yield "|---|---|---|---|---|"
    for bits in BITS:
        rows = [line["bits"][str(bits)] for line in found]
        cells = " | ".join(shown([row[name] for row in rows]) for name in ROUNDING)
        yield f"| {bits} | {cells} | {rows[0]['bytes']:,} |"


def shown(shares: list[float]) -> str:
    """A range in per cent."""
    return f"{100 * min(shares):.1f} to {100 * max(shares):.1f} %"


def main() -> None:
    """Measure what is not in the file yet, and show what is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="a file of lines of JSON, appended to")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    known = [json.loads(line) for line in options.results.read_text().splitlines()] if options.results.exists() else []
    if not options.table:
        with threadpool_limits(1, user_api="blas"):
            for line in lines(options.seeds, {line["name"] for line in known}):
                known.append(line)
                with options.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
    print("\n".join(table(known)))


if __name__ == "__main__":
    main()
