"""Compression: models with fewer weights, or with weights that take less (module 16)."""

from tinytorch.perf.compression.magnitude import prune_weights, sparsity_of
from tinytorch.perf.compression.structured import prune_neurons
from tinytorch.perf.compression.tuning import fine_tune

__all__ = ["fine_tune", "prune_neurons", "prune_weights", "sparsity_of"]
