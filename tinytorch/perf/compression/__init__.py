"""Compression: models with fewer weights, or with weights that take less (module 16)."""

from tinytorch.perf.compression.curriculum import (
    Compressor,
    compress_model,
    low_rank_approximate,
    magnitude_prune,
    measure_sparsity,
    structured_prune,
)
from tinytorch.perf.compression.distillation import KnowledgeDistillation
from tinytorch.perf.compression.huffman import huffman_code
from tinytorch.perf.compression.inputs import Selection, prune_inputs
from tinytorch.perf.compression.low_rank import FactoredWeight, factorize
from tinytorch.perf.compression.magnitude import prune_weights, sparsity_of
from tinytorch.perf.compression.sharing import SharedWeight, share_weights
from tinytorch.perf.compression.sparse import SparseWeight, sparsify
from tinytorch.perf.compression.structured import prune_neurons
from tinytorch.perf.compression.transformers import prune_transformer
from tinytorch.perf.compression.tuning import fine_tune

__all__ = [
    "Compressor",
    "FactoredWeight",
    "KnowledgeDistillation",
    "Selection",
    "SharedWeight",
    "SparseWeight",
    "compress_model",
    "factorize",
    "fine_tune",
    "huffman_code",
    "low_rank_approximate",
    "magnitude_prune",
    "measure_sparsity",
    "prune_inputs",
    "prune_neurons",
    "prune_transformer",
    "prune_weights",
    "share_weights",
    "sparsify",
    "sparsity_of",
    "structured_prune",
]
