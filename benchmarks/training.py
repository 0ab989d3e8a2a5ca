"""Training the networks of the tasks: this framework against PyTorch eager or plain numpy, epoch by epoch in turns.

    python benchmarks/training.py --peer numpy
    python benchmarks/training.py --peer torch --python PEER/bin/python --task digits_cnn --threads 1

Each side is a process of its own (`trainers.py`). PyTorch is no dependency of ours: `PEER` is an environment of its own
with `pip install torch numpy threadpoolctl`. Both sides train on the same batches from the same weights, so their
losses must agree; the order within a turn changes every time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Side:
    """A process that trains one epoch whenever it is told to."""

    def __init__(self, python: str, name: str, task: str, threads: int) -> None:
        environment = {key: value for key, value in os.environ.items() if key not in THREAD_VARIABLES}
        if threads:
            environment |= dict.fromkeys(THREAD_VARIABLES, str(threads))
        self.name = name
        self.seconds: list[float] = []
        self.losses: list[float] = []
        self._process = subprocess.Popen(
            [python, ROOT / "benchmarks" / "trainers.py", name, task],
            env=environment | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def train(self) -> None:
        """One more epoch."""
        assert self._process.stdin
        assert self._process.stdout
        print(file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"the side {self.name} ended with exit code {self._process.wait()}")
        answer = json.loads(line)
        self.seconds.append(answer["seconds"])
        self.losses.append(answer["loss"])

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def main() -> None:
    """Train both sides in turns and print the ratio of their times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="digits_mlp")
    parser.add_argument("--peer", choices=("numpy", "torch"), default="numpy")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the peer")
    parser.add_argument("--threads", type=int, default=1, help="0: as many as each library likes")
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    ours = Side(sys.executable, "tinytorch", options.task, options.threads)
    peer = Side(options.python, options.peer, options.task, options.threads)
    for epoch in range(options.epochs + 1):
        for side in (ours, peer) if epoch % 2 else (peer, ours):
            side.train()
    for side in (ours, peer):
        side.close()
    report(ours, peer)


def report(ours: Side, peer: Side) -> None:
    """Every epoch but the first, which warms up."""
    pairs = list(zip(ours.seconds, peer.seconds, strict=True))
    for epoch, (a, b) in enumerate(pairs):
        losses = f"losses {ours.losses[epoch]:.5f} and {peer.losses[epoch]:.5f}"
        print(f"epoch {epoch}: tinytorch {a:.3f} s, {peer.name} {b:.3f} s, ratio {a / b:.2f}; {losses}")
    ratios = [a / b for a, b in pairs[1:]]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"median ratio of {len(ratios)} epochs: {statistics.median(ratios):.2f} ({spread}); below 1 we are faster")


if __name__ == "__main__":
    main()
