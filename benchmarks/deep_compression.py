"""Deep Compression (Han et al. 2016) of LeNet-300-100 and LeNet-5, on digits of 28x28 pixels of our own making.

    python benchmarks/deep_compression.py --results deep.jsonl
    python benchmarks/deep_compression.py --results deep.jsonl --table

The pipeline: magnitude pruning little by little, sparse storage, k-means sharing, Huffman coding of the file. The
images are the shipped 8x8 digits, three times as large, at random places; the paper's are MNIST. One line of JSON is
appended for each network and sparsity; what is in the file is not done again.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from tinytorch import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, TensorDataset
from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.metrics import accuracy
from tinytorch.datasets import load_digits
from tinytorch.perf.compression import fine_tune, huffman_code, prune_weights, share_weights, sparsify

SIDE, ENLARGED = 28, 3
COPIES = 6  # of every training image, each at a place of its own
SPARSITIES = (0.92, 0.95, 0.96)
CLUSTERS = 16
TRAINING: dict[str, Any] = {"epochs": 10, "learning_rate": 1e-3, "batch_size": 64}
PRUNING: dict[str, Any] = {"learning_rate": 2e-3, "batch_size": 64, "schedule": "cosine"}
PATIENCE: dict[str, dict[str, Any]] = {
    "LeNet-300-100": {"gradual_epochs": 30, "epochs": 30},
    "LeNet-5": {"gradual_epochs": 6, "epochs": 8},
}
PAPER = {"LeNet-300-100": 40, "LeNet-5": 39}  # table 1: how many times smaller the files became


def lenet_300_100() -> Sequential:
    """The perceptron of LeCun et al. 1998: 266,610 parameters."""
    rng = np.random.default_rng(0)
    return Sequential(
        Flatten(), Linear(784, 300, rng=rng), ReLU(), Linear(300, 100, rng=rng), ReLU(), Linear(100, 10, rng=rng)
    )


def lenet_5() -> Sequential:
    """The convolutional network as the paper took it from Caffe: 431,080 parameters."""
    rng = np.random.default_rng(0)
    return Sequential(
        Conv2d(1, 20, 5, rng=rng), MaxPool2d(2), Conv2d(20, 50, 5, rng=rng), MaxPool2d(2), Flatten(),
        Linear(800, 500, rng=rng), ReLU(), Linear(500, 10, rng=rng),
    )  # fmt: skip


NETWORKS: dict[str, Callable[[], Sequential]] = {"LeNet-300-100": lenet_300_100, "LeNet-5": lenet_5}


def enlarged(split: TensorDataset, copies: int, seed: int) -> TensorDataset:
    """Images (N * copies, 1, 28, 28): each digit three times as large, at places drawn from the seed."""
    rng = np.random.default_rng(seed)
    images = np.zeros((copies * len(split), 1, SIDE, SIDE), np.float32)
    for number in range(len(images)):
        digit = ndimage.zoom(split.inputs[number % len(split)].reshape(8, 8), ENLARGED, order=1)
        row, column = rng.integers(0, SIDE - len(digit) + 1, 2)
        images[number, 0, row : row + len(digit), column : column + len(digit)] = digit
    return TensorDataset(images, np.tile(split.labels, copies))


def compress(name: str, train: TensorDataset, test: TensorDataset, done: set[tuple[str, float]], results: Path) -> None:
    """Train a network, compress it to each sparsity, and append what became of it."""
    wanted = [sparsity for sparsity in SPARSITIES if (name, sparsity) not in done]
    if not wanted:
        return
    start, model = time.perf_counter(), NETWORKS[name]()
    fine_tune(model, train, **TRAINING)
    model.eval()
    print(name, f"trained in {time.perf_counter() - start:.0f} s", flush=True)
    for sparsity in wanted:
        pruned = prune_weights(model, sparsity=sparsity, train_data=train, **PRUNING, **PATIENCE[name])
        small = huffman_code(share_weights(sparsify(pruned), clusters=CLUSTERS))
        line = {
            "network": name, "sparsity": sparsity, "accuracy": [accuracy(model, test), accuracy(small, test)],
            "kept": footprint(model).kept_bytes / footprint(small).kept_bytes,
            "file": len(pickle.dumps(model, 5)) / len(pickle.dumps(small, 5)),
        }  # fmt: skip
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(name, sparsity, "done", flush=True)


def table(lines: list[dict[str, Any]]) -> str:
    """The lines as a table of Markdown."""
    rows = ["| network | weights that are zero | kept | file (paper) | accuracy |", "|---|---|---|---|---|"]
    for line in lines:
        before, after = (100 * each for each in line["accuracy"])
        name = line["network"]
        rows.append(
            f"| {name} | {100 * line['sparsity']:.0f} % | {line['kept']:.1f}x | {line['file']:.1f}x ({PAPER[name]}x) "
            f"| {before:.1f} % -> {after:.1f} % |"
        )
    return "\n".join(rows)


def main() -> None:
    """Compress what is not in the file yet, or show what is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    known = options.results.read_text("utf-8").splitlines() if options.results.exists() else []
    lines = [json.loads(line) for line in known]
    if options.table:
        print(table(lines))
        return
    train, test = (enlarged(split, copies, seed) for seed, (split, copies) in
                   enumerate(zip(load_digits(), (COPIES, 1), strict=True)))  # fmt: skip
    for name in NETWORKS:
        compress(name, train, test, {(line["network"], line["sparsity"]) for line in lines}, options.results)


if __name__ == "__main__":
    main()
