"""This checkout beside a former one: the same training steps and inferences, in processes of their own, in turns.

    git worktree add /tmp/former COMMIT
    python benchmarks/former.py /tmp/former                # 8 rounds, three minutes
    python benchmarks/former.py /tmp/former --rounds 20 --core 1

Each process tells the least time of every job; what is printed is the least over all rounds, and its ratio: below 1
this checkout is faster. On a shared machine the least of many short rounds repeats within some per cent, a median does
not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
Job = tuple[Callable[[], Any], int]  # what is timed, and how often in one go


def jobs() -> dict[str, Job]:
    """All that is timed, by name."""
    import numpy as np

    from tinytorch.core.dataloader import DataLoader, TensorDataset
    from tinytorch.core.losses import CrossEntropyLoss
    from tinytorch.core.optimizers import Adam
    from tinytorch.core.training import Trainer
    from tinytorch.perf.acceleration import compile_model
    from tinytorch.workloads.registry import find_task

    rng = np.random.default_rng(0)
    digits, tokens = rng.standard_normal((96, 64)).astype(np.float32), rng.integers(0, 10, (16, 127))
    samples: dict[str, tuple[Any, Any]] = {
        "digits_mlp": (digits, rng.integers(0, 10, 96)),
        "digits_cnn": (digits.reshape(-1, 1, 8, 8), rng.integers(0, 10, 96)),
        "tinygpt": (tokens, rng.integers(0, 10, (16, 64))),
    }
    found: dict[str, Job] = {}
    for name, (inputs, labels) in samples.items():
        model = find_task(name).build_model(0).train()
        trainer = Trainer(model, Adam(model.parameters(), 1e-4), CrossEntropyLoss())
        loader = DataLoader(TensorDataset(inputs, labels), 8)
        found[f"train {name}"] = partial(trainer.train_epoch, loader), 1
        plain, one = find_task(name).build_model(0).eval(), inputs[:1]
        planned = compile_model(plain, one)
        found[f"plan {name}"] = partial(planned, one), 20
        found[f"eager {name}"] = partial(plain, one), 1 if name == "tinygpt" else 20
    return found | kernels(rng, tokens[:1])


def kernels(rng: Any, prompt: Any) -> dict[str, Job]:
    """Plans by the compiled back end: networks of the engines' table, and some as strategies make them."""
    import numpy as np

    from tinytorch.core.transformers import GPT, Completion
    from tinytorch.perf.acceleration import compile_model
    from tinytorch.perf.compression import prune_neurons, prune_transformer
    from tinytorch.perf.memoization import with_kv_cache
    from tinytorch.perf.quantization import quantize_model
    from tinytorch.workloads.networks import perceptron
    from tinytorch.workloads.registry import find_task

    row, image = (rng.standard_normal(shape).astype(np.float32) for shape in ((1, 64), (1, 1, 8, 8)))
    gpt = Completion(GPT(64, 128, num_layers=4, num_heads=4, max_seq_len=128, rng=0), prompt_length=64, new_tokens=64)
    narrow = prune_transformer(find_task("tinygpt").build_model(0), heads=1, hidden=16)
    models: dict[str, tuple[Any, Any, int]] = {
        "64-32-10": (perceptron((64, 32, 10), 0), row, 200),
        "64-16x4-10 int8": (quantize_model(perceptron((64, 16, 16, 16, 16, 10), 0)), row, 200),
        "64-1024x3-10 int8": (quantize_model(perceptron((64, 1024, 1024, 1024, 10), 0)), row, 5),
        "64-256x4-10 int4": (quantize_model(perceptron((64, 256, 256, 256, 256, 10), 0), bits=4), row, 20),
        "digits_cnn, narrow": (prune_neurons(find_task("digits_cnn").build_model(0), keep=0.25), image, 50),
        "gpt 4 x 128": (with_kv_cache(gpt), prompt, 1),
        "tinygpt, narrow": (with_kv_cache(narrow), prompt[:, :64], 3),
        "tinygpt, int8": (with_kv_cache(quantize_model(narrow)), prompt[:, :64], 3),
    }
    return {
        f"kernels {name}": (partial(compile_model(model.eval(), inputs, "numba"), inputs), count)
        for name, (model, inputs, count) in models.items()
    }


def told() -> dict[str, float]:
    """The least time in seconds of every job, in this process."""
    times = {}
    for name, (call, count) in jobs().items():
        call()
        spent = []
        for _ in range(10):
            start = time.perf_counter()
            for _ in range(count):
                call()
            spent.append((time.perf_counter() - start) / count)
        times[name] = min(spent)
    return times


def asked(checkout: Path, core: int | None) -> dict[str, float]:
    """What a process with the framework of that checkout tells."""
    environment = dict(os.environ, PYTHONPATH=str(checkout), OPENBLAS_NUM_THREADS="1")
    command = [] if core is None else ["taskset", "-c", str(core)]
    command += [sys.executable, str(Path(__file__).resolve()), "--tell"]
    answer = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def main() -> None:
    """Time both checkouts in turns, in random order, and print a line for every job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("former", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--core", type=int, help="the only core to run on")
    parser.add_argument("--tell", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tell:
        print(json.dumps(told()))
        return
    if options.former is None:
        parser.error("name the folder of the former checkout")
    checkouts = {"former": options.former.resolve(), "now": HERE}
    least: dict[str, dict[str, float]] = {name: {} for name in checkouts}
    for _ in range(options.rounds):
        for name in random.sample(list(checkouts), 2):
            for job, seconds in asked(checkouts[name], options.core).items():
                least[name][job] = min(seconds, least[name].get(job, seconds))
    for job, seconds in least["former"].items():
        now = least["now"][job]
        print(f"{job:26} former {seconds * 1e6:10.1f} us   now {now * 1e6:10.1f} us   ratio {now / seconds:.3f}")


if __name__ == "__main__":
    main()
