"""Question 1: int8 is 4 times smaller, and so are 25 % of the weights. Are both together 16 times smaller?

    python docs/experiments/composition.py

Every model here is made and its bytes are counted. Accuracy is without any fine-tuning but where neurons are removed.
"""

from __future__ import annotations

from typing import Any

from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.metrics import accuracy
from tinytorch.datasets.digits import load_digits
from tinytorch.perf.compression import prune_neurons, prune_weights, sparsify
from tinytorch.perf.quantization import quantize_model
from tinytorch.workloads.cache import cached_baseline
from tinytorch.workloads.models import load_model
from tinytorch.workloads.registry import find_task

SPARSITY = 0.75


def models(baseline: Any, train: Any) -> dict[str, Any]:
    """What the two techniques give, alone and together, in one storage after the other."""
    zeros = prune_weights(baseline, sparsity=SPARSITY)
    half = prune_neurons(baseline, keep=0.5, train_data=train, epochs=3)
    return {
        "baseline": baseline,
        "int8": quantize_model(baseline),
        "75 % zeros, kept as floats": zeros,
        "75 % zeros, kept as int8": quantize_model(zeros),
        "75 % zeros, CSR rows": sparsify(zeros, form="csr"),
        "75 % zeros, CSR rows, int8": quantize_model(sparsify(zeros, form="csr")),
        "75 % zeros, a bit each, int8": quantize_model(sparsify(zeros)),
        "half of the neurons": half,
        "half of the neurons, int8": quantize_model(half),
    }


def main() -> None:
    """Make them, count, print."""
    train, test = load_digits()
    baseline: Any = load_model(str(cached_baseline(find_task("digits_mlp")).path))
    whole = footprint(baseline).kept_bytes
    for name, model in models(baseline, train).items():
        kept = footprint(model).kept_bytes
        print(f"{name:<30} {kept:>10,} bytes {whole / kept:6.2f}x  {accuracy(model, test):6.1%}")


if __name__ == "__main__":
    main()
