"""Question 3: improve one metric alone, or find the bottleneck, remove it, and look again?

    python docs/experiments/bottleneck.py [--tier default] [--epochs 20]

All models are made from the baseline of digits_mlp and measured against it, side by side. The iteration asks the
profiler before each step: known in advance is only which technique helps against what.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from typing import Any

from tinytorch.benchmarking import Benchmark
from tinytorch.competition import calculate_normalized_scores
from tinytorch.core.tensor import Tensor
from tinytorch.datasets.digits import load_digits
from tinytorch.perf.acceleration import compile_model, fastest_backend
from tinytorch.perf.compression import prune_neurons
from tinytorch.perf.profiling import find_bottleneck, look_beside, profile_model
from tinytorch.perf.profiling.roofline import ADVICE
from tinytorch.perf.quantization import quantize_model
from tinytorch.workloads.cache import cached_baseline
from tinytorch.workloads.models import load_model
from tinytorch.workloads.registry import find_task

Make = Callable[[Any], Any]


def remedies(train: Any, epochs: int) -> dict[str, list[tuple[str, Make]]]:
    """What the profiler may advise: the techniques that do it, in the order in which they are tried."""
    prune = ("remove neurons", lambda model: prune_neurons(model, keep=256, train_data=train, epochs=epochs))
    int8 = ("int8", quantize_model)
    fuse = ("compile", lambda model: compile_model(model, train.inputs[:1], fastest_backend()))
    return {"memory": [prune, int8], "compute": [prune], "calls": [fuse]}


def alone(baseline: Any, train: Any, epochs: int) -> dict[str, Any]:
    """One metric after the other, each for itself: as far as it goes."""
    return {
        "memory alone: int4": quantize_model(baseline, bits=4),
        "latency alone: compile": compile_model(baseline, train.inputs[:1], fastest_backend()),
        "accuracy alone: train on": prune_neurons(baseline, keep=1024, train_data=train, epochs=min(6, epochs)),
    }


def advised(model: Any, train: Any) -> str:
    """What the profiler advises for a model, as a key of its advice."""
    inputs = itertools.cycle([Tensor(train.inputs[row : row + 1]) for row in range(64)])
    profile = profile_model(model, lambda: next(inputs))
    limits, _ = look_beside(model, lambda: next(inputs), profile.weight_bytes)
    found = find_bottleneck(profile, limits)
    return next(key for key, words in ADVICE.items() if words == found.advice)


def iterated(baseline: Any, train: Any, epochs: int) -> dict[str, Any]:
    """Profile, do what helps against what was found, and look again; where nothing is left against it, something else.

    Compiling is the end: a plan is made from weights as they are.
    """
    done: dict[str, Any] = {}
    known, model = remedies(train, epochs), baseline
    name = ""
    while name != "compile" and (left := [each for each in known.values() if each]):
        advice = advised(model, train)
        helps = known.get(advice) or left[0]
        name, make = helps[0]
        model = make(model)
        why = f"{advice}, so" if helps is known.get(advice) else f"{advice} still; what is left:"
        done[f"step {len(done) + 1}: {why} {name}"] = model
        known = {key: [each for each in some if each[0] != name] for key, some in known.items()}
    return done


def main() -> None:
    """Make, measure side by side, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", default="default")
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    train, test = load_digits()
    baseline: Any = load_model(str(cached_baseline(find_task("digits_mlp")).path))
    models = {**alone(baseline, train, options.epochs), **iterated(baseline, train, options.epochs)}
    results = Benchmark([baseline, *models.values()], [(Tensor(test.inputs), test.labels)], tier=options.tier).run()
    print(f"{'':<44} {'speed':>7} {'smaller':>8} {'accuracy':>9} {'all-around':>11}")
    for name, found in zip(models, results.others, strict=True):
        scores = calculate_normalized_scores(results, found)
        speed, smaller, every = (scores[key] for key in ("speedup", "compression_ratio", "all_around"))
        print(f"{name:<44} {speed:>6.2f}x {smaller:>7.2f}x {found['accuracy'].mean:>9.1%} {every:>11.2f}")


if __name__ == "__main__":
    main()
