"""Module 16 in another style: a model is a list of its matrices."""

import numpy as np

from tinytorch.core.tensor import Tensor


def matrices(model):
    return [parameter for parameter in model.parameters() if len(parameter.shape) > 1]


def measure_sparsity(model):
    values = np.concatenate([np.ravel(matrix.data) for matrix in matrices(model)])
    return float(np.mean(values == 0))


def magnitude_prune(model, sparsity=0.5):
    sizes = np.sort(np.concatenate([np.abs(np.ravel(matrix.data)) for matrix in matrices(model)]))
    count = int(sparsity * len(sizes))
    limit = sizes[count - 1] if count else -1.0
    for matrix in matrices(model):
        matrix.data = np.where(np.abs(matrix.data) <= limit, np.float32(0), matrix.data)
    return model


def structured_prune(model, prune_ratio=0.5):
    for matrix in matrices(model):
        lengths = np.linalg.norm(matrix.data, axis=0)
        shortest = lengths.argsort()[: int(prune_ratio * len(lengths))]
        matrix.data = np.where(np.isin(np.arange(len(lengths)), shortest), np.float32(0), matrix.data)
    return model


def low_rank_approximate(weight_matrix, rank_ratio=0.5):
    u, s, v = np.linalg.svd(np.asarray(weight_matrix), full_matrices=False)
    keep = max(1, int(rank_ratio * len(s)))
    return u[:, :keep], s[:keep], v[:keep]


def chances(scores, temperature=1.0):
    powers = np.exp((scores - scores.max(axis=-1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=-1, keepdims=True)


class KnowledgeDistillation:
    def __init__(self, teacher_model, student_model, temperature=3.0, alpha=0.7):
        self.teacher_model, self.student_model = teacher_model, student_model
        self.temperature, self.alpha = temperature, alpha

    def distillation_loss(self, student_logits, teacher_logits, labels):
        says, knows = student_logits.data, teacher_logits.data
        softly, taught = chances(says, self.temperature), chances(knows, self.temperature)
        divergence = (taught * np.log(taught / softly)).sum(axis=-1).mean()
        right = chances(says)[np.arange(len(says)), labels.data.astype(int)]
        return Tensor(self.alpha * divergence - (1 - self.alpha) * np.log(right).mean())
