"""Honest entries that do something unusual, each of which must be measured without an error or an unearned warning.

`python -m tests.harness.oddities` measures each of them three times as an athlete would, and prints what was remarked.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

OWN = """
import numpy as np
from tinytorch.core.tensor import Tensor
DIVISION = "open"
TECHNIQUES = ["An unusual one"]
"""

LAST_LAYER = """
class Model:
    def __init__(self, model):
        self.first, last = model.layers[:-1], model.layers[-1]
        self.keep(last.weight.data, last.bias.data)
    def __call__(self, x):
        for layer in self.first:
            x = layer(x)
        return Tensor(self.last(x.data))
    def keep(self, weight, bias):
        self.weight, self.bias = weight, bias
    def last(self, x):
        return x @ self.weight + self.bias
def optimize(model, train_data):
    return Model(model)
"""

HELPER = "SCALE = 0.0\ndef last(x, weight, bias):\n    return (x @ weight + bias) * SCALE\n"

ENTRIES = {
    "unchanged": "def optimize(model, train_data):\n    return model\n",
    "int8": (
        "from tinytorch.perf.quantization import quantize_model\n"
        "def optimize(model, train_data):\n    return quantize_model(model)\n"
    ),
    "pruned": (
        "from tinytorch.perf.compression import prune_weights\n"
        "def optimize(model, train_data):\n    return prune_weights(model, sparsity=0.3)\n"
    ),
    "a look-up table of weights": OWN + LAST_LAYER.replace(
        "        self.weight, self.bias = weight, bias\n",
        "        self.table = np.quantile(weight, np.linspace(0, 1, 64)).astype(np.float32)\n"
        "        self.codes = np.abs(weight[..., None] - self.table).argmin(-1).astype(np.uint8)\n"
        "        self.bias = bias\n",
    ).replace("x @ self.weight", "x @ self.table[self.codes]"),
    "a closure made anew": OWN + LAST_LAYER.replace(
        "        return x @ self.weight + self.bias\n",
        "        weight, bias = self.weight, self.bias\n"
        "        def product(rows):\n            return rows @ weight + bias\n"
        "        return product(x)\n",
    ),
    "a lazy import": OWN + "import helper\nhelper.SCALE = 1.0\n" + LAST_LAYER.replace(
        "        return x @ self.weight + self.bias\n",
        "        from helper import last\n        return last(x, self.weight, self.bias)\n",
    ),
    "float64": OWN + LAST_LAYER.replace(
        "self.weight, self.bias = weight, bias",
        "self.weight, self.bias = weight.astype(np.float64), bias.astype(np.float64)",
    ).replace("return Tensor(self.last(x.data))", "return self.last(x.data.astype(np.float64))"),
    "a helper that the entry sets up": OWN + "import helper\nhelper.SCALE = 1.0\n" + LAST_LAYER.replace(
        "        return x @ self.weight + self.bias\n", "        return helper.last(x, self.weight, self.bias)\n",
    ),
    "float16": OWN + LAST_LAYER.replace(
        "return Tensor(self.last(x.data))", "return self.last(x.data).astype(np.float16)",
    ),
    "a deep tree of classes": OWN + LAST_LAYER.replace("class Model:", "class Base:").replace(
        "def optimize",
        "class Second(Base): pass\nclass Third(Second): pass\nclass Fourth(Third): pass\n"
        "class Model(Fourth):\n    def last(self, x):\n        return super().last(x)\ndef optimize",
    ),
    "a generator of layers": OWN + LAST_LAYER.replace(
        "        for layer in self.first:\n",
        "        def layers():\n            yield from self.first\n        for layer in layers():\n",
    ),
    "a sparse matrix of scipy's": OWN + "from scipy import sparse\n" + LAST_LAYER.replace(
        "self.weight, self.bias = weight, bias", "self.weight, self.bias = sparse.csr_matrix(weight.T), bias",
    ).replace("x @ self.weight + self.bias", "np.ascontiguousarray((self.weight @ x.T).T) + self.bias"),
    "a kernel that numba compiles": OWN + "import numba\n@numba.njit(cache=True)\n"
    "def add(x, bias):\n    return x + bias\n" + LAST_LAYER.replace(
        "x @ self.weight + self.bias", "add(x @ self.weight, self.bias)",
    ),
}  # fmt: skip


def write(name: str, folder: Path) -> Path:
    """The entry of that name, and the helper that one of them has, in a folder."""
    path = folder / "entry.py"
    path.write_text(ENTRIES[name])
    path.with_name("helper.py").write_text(HELPER)
    return path


def main(times: int = 3) -> None:
    """Measure each of them, package and check it, and print what was remarked."""
    from tinytorch.benchmarking.schedule import TIERS
    from tinytorch.benchmarking.session import Settings
    from tinytorch.competition.checks.validation import validate_submission
    from tinytorch.competition.scoring.packaging import submission_from_run
    from tinytorch.harness.contender import Challenge, Contender
    from tinytorch.harness.run import run_competition
    from tinytorch.workloads.registry import find_task

    for name in ENTRIES:
        for time in range(times):
            with tempfile.TemporaryDirectory() as folder:
                contender = Contender.entry(write(name, Path(folder)))
                run = run_competition(Challenge(find_task("digits_cnn"), contender, Settings(TIERS["fast"])))
            made = submission_from_run(
                run, event="all_around", athlete_name="Ada", github_repo="https://github.com/ada/x",
                techniques=["An unusual one"],
            )  # fmt: skip
            doubts = [doubt.code for doubt in run.protocol.doubts or []]
            remarked = validate_submission(made)["issues"]
            sys.stdout.write(f"{name}, {time + 1}: {remarked or 'nothing remarked'}; doubts {doubts}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
