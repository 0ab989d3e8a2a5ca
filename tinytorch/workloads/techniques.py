"""Every technique of the library: where it comes from, what it shrinks, and what it did when it was measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytorch.workloads.strategies import (
    FUSION,
    INT4,
    INT8,
    KV_CACHE,
    PRUNE_HEADS,
    PRUNE_WIDTH,
    SHARING,
    SMALL_CACHE,
    Step,
    compensated,
    learned_codes,
    prune,
    technique,
)

MEASURED_FILE = Path(__file__).with_name("techniques.json")
"""Written by `benchmarks/compression.py` and by nothing else."""

STRATEGIES = "tinytorch.workloads.strategies"
COMPRESSION = "tinytorch.perf.compression"
MAGNITUDE = technique(
    "Magnitude Pruning",
    f"{COMPRESSION}:prune_weights",
    tuned=True,
    sparsity=0.95,
    gradual_epochs=10,
    epochs=10,
    learning_rate=1e-3,
    schedule="cosine",
)
CODED = technique("Huffman Coding", f"{COMPRESSION}:huffman_code")
STAGED = prune(16, epochs=60, stages=5, stage_epochs=12, schedule="cosine")
LOW_RANK = technique(
    "Low Rank", f"{COMPRESSION}:factorize", tuned=True, rank=16, epochs=10, learning_rate=1e-3, schedule="cosine"
)
DISTILLED = Step("Knowledge Distillation", f"{STRATEGIES}:distilled", {"keep": 32, "epochs": 60})
ROWS = technique("Sparse Storage", f"{COMPRESSION}:sparsify", form="csr")
SPARSE = technique("Sparse Storage", f"{COMPRESSION}:sparsify")


@dataclass(frozen=True)
class Technique:
    """A technique as it is measured: its steps on the baseline of `task`, its reference, and what it shrinks."""

    name: str
    steps: tuple[Step, ...]
    reference: str
    shrinks: str
    task: str = "digits_mlp"


TECHNIQUES = (
    Technique("INT8 quantization", (INT8,), "Jacob et al. 2018", "memory; calls get slower in numpy"),
    Technique("INT4 quantization", (INT4,), "Banner et al. 2019", "memory; calls get slower in numpy"),
    Technique("INT3, compensated", (compensated(3),), "Frantar et al. 2023", "memory; calls get slower in numpy"),
    Technique("INT2, compensated", (compensated(2),), "Frantar et al. 2023", "memory; calls get slower in numpy"),
    Technique("INT2, aware training", (learned_codes(2, epochs=4),), "Esser et al. 2020", "memory; slower in numpy"),
    Technique("structured pruning", (prune(256, epochs=20),), "Li et al. 2017", "memory, time"),
    Technique("pruning to 16 neurons", (prune(16, epochs=60),), "Li et al. 2017", "memory, time"),
    Technique("pruning in stages", (STAGED,), "Li et al. 2017", "memory, time"),
    Technique("pruning in stages, INT2", (STAGED, learned_codes(2, epochs=30)), "Esser et al. 2020", "memory, most"),
    Technique("magnitude pruning, sparse", (MAGNITUDE, SPARSE), "Han et al. 2015", "memory; calls get slower in numpy"),
    Technique("magnitude pruning, rows", (MAGNITUDE, ROWS), "Han et al. 2015", "memory; multiplies as it is"),
    Technique("weight sharing", (SHARING,), "Han et al. 2016", "memory; calls get slower in numpy"),
    Technique("pruning, sharing, sparse", (MAGNITUDE, SPARSE, SHARING), "Han et al. 2016", "memory, most of it"),
    Technique("sharing, sparse, coded", (MAGNITUDE, SPARSE, SHARING, CODED), "Huffman 1952", "the file alone"),
    Technique(
        "low rank",
        (technique("Low Rank", f"{COMPRESSION}:factorize", rank=128),),
        "Eckart & Young 1936",
        "memory, time",
    ),
    Technique("data-aware low rank, tuned", (LOW_RANK,), "Chen et al. 2021", "memory, time"),
    Technique("low rank, INT8, compiled", (LOW_RANK, INT8, FUSION), "Chen et al. 2021", "memory, time"),
    Technique("operator fusion", (FUSION,), "Pisarchyk & Lee 2020", "time; keeps results of layers", task="digits_cnn"),
    Technique("INT8, compiled", (INT8, FUSION), "Jacob et al. 2018", "memory, time"),
    Technique("INT4, compiled", (INT4, FUSION), "Banner et al. 2019", "memory, time"),
    Technique("sharing, compiled", (SHARING, FUSION), "Han et al. 2016", "memory; values are looked up"),
    Technique("rows, compiled", (MAGNITUDE, ROWS, FUSION), "Han et al. 2015", "memory, time"),
    Technique("distillation", (DISTILLED,), "Hinton, Vinyals & Dean 2015", "memory, time"),
    Technique("pruning, INT8", (prune(128, epochs=30), INT8), "Jacob et al. 2018", "memory, time"),
    Technique("pruning, sharing", (prune(0.25, epochs=60), SHARING), "Han et al. 2016", "memory", task="digits_cnn"),
    Technique("heads and hidden neurons", (PRUNE_HEADS,), "Michel et al. 2019", "memory, time", task="tinygpt"),
    Technique("sharing, in a GPT", (SHARING,), "Han et al. 2016", "memory", task="tinygpt"),
    Technique("KV cache", (KV_CACHE,), "Pope et al. 2023", "time of a generation; takes memory", task="tinygpt"),
    Technique("KV cache, compiled", (KV_CACHE, FUSION), "Pope et al. 2023", "the same, more of it", task="tinygpt"),
    Technique(
        "INT8 cache, compiled", (SMALL_CACHE, FUSION), "Pope et al. 2023", "the same, less memory", task="tinygpt"
    ),
    Technique("heads, neurons and width", (PRUNE_WIDTH,), "Ashkboos et al. 2024", "memory, time", task="tinygpt"),
)


PAPERS = {
    "Ashkboos et al. 2024": "SliceGPT: Compress Large Language Models by Deleting Rows and Columns",
    "Banner et al. 2019": "Post training 4-bit quantization of convolutional networks for rapid-deployment",
    "Chen et al. 2021": "DRONE: Data-aware Low-rank Compression for Large NLP Models",
    "Eckart & Young 1936": "The approximation of one matrix by another of lower rank",
    "Esser et al. 2020": "Learned Step Size Quantization",
    "Frantar et al. 2023": "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers",
    "Han et al. 2015": "Learning both Weights and Connections for Efficient Neural Networks",
    "Han et al. 2016": "Deep Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization and "
    "Huffman Coding",
    "Hinton, Vinyals & Dean 2015": "Distilling the Knowledge in a Neural Network",
    "Huffman 1952": "A Method for the Construction of Minimum-Redundancy Codes",
    "Jacob et al. 2018": "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
    "Li et al. 2017": "Pruning Filters for Efficient ConvNets",
    "Michel et al. 2019": "Are Sixteen Heads Really Better than One?",
    "Pisarchyk & Lee 2020": "Efficient Memory Management for Deep Neural Net Inference",
    "Pope et al. 2023": "Efficiently Scaling Transformer Inference",
}  # fmt: skip
"""The titles of the papers that techniques refer to."""


def measured() -> dict[str, Any]:
    """What the last measuring found: `machine`, `date`, and for each technique `results`; empty where there is none."""
    if not MEASURED_FILE.is_file():
        return {}
    found: dict[str, Any] = json.loads(MEASURED_FILE.read_text("utf-8"))
    return found
