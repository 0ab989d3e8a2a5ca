"""Module 16: pruning, low rank, distillation.

A zero is not smaller than another number: memory shrinks only when something is stored in another way.
Test it:  tito module test compression
"""

import numpy as np

from tinytorch.core.tensor import Tensor


def measure_sparsity(model):
    """The share of weights that are zero."""
    raise NotImplementedError("measure_sparsity")


def magnitude_prune(model, sparsity=0.5):
    """Set that share of the weights to zero, the smallest of all layers (not biases), in place."""
    raise NotImplementedError("magnitude_prune")


def structured_prune(model, prune_ratio=0.5):
    """Set whole neurons, columns of each weight, to zero: those of the smallest norm, in place."""
    raise NotImplementedError("structured_prune")


def low_rank_approximate(weight_matrix, rank_ratio=0.5):
    """U, S, V with rank_ratio * min(rows, columns) values, so that (U * S) @ V comes near. numpy.linalg.svd."""
    raise NotImplementedError("low_rank_approximate")


class KnowledgeDistillation:
    """A small student learns from a teacher's scores: softened by a temperature they tell more than the right class."""

    def __init__(self, teacher_model, student_model, temperature=3.0, alpha=0.7):
        raise NotImplementedError("KnowledgeDistillation(...)")

    def distillation_loss(self, student_logits, teacher_logits, labels):
        """alpha * (divergence of the softened scores) + (1 - alpha) * cross entropy with the labels."""
        raise NotImplementedError("distillation_loss")
