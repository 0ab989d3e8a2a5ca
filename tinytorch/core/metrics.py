"""How many of a model's answers are right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.core.conversion import whole_numbers
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Layer, inference
from tinytorch.core.ops import Array
from tinytorch.core.tensor import no_grad
from tinytorch.errors import ShapeError, UsageError

AT_A_TIME = 32  # samples: results of all layers lie in memory, and larger batches are no faster
DECISION = 0.5  # a probability above it says yes


def correctness(outputs: Array, labels: Array) -> NDArray[np.bool_]:
    """Which answers are right, in the shape of `labels`: whole numbers (N,), or (N, ...) for several answers a sample.

    outputs: scores (N, ..., classes), of which the largest is the answer; or the answers themselves, integers in the
    shape of `labels`. Raises ShapeError when the two do not fit together, UsageError for scores that are not finite.
    """
    labels = whole_numbers(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise ShapeError(f"labels must be integers, one for each answer; these are {labels.dtype} {labels.shape}")
    if np.issubdtype(outputs.dtype, np.integer) and outputs.shape == labels.shape:
        return np.equal(outputs, labels)
    if np.issubdtype(outputs.dtype, np.inexact) and not np.isfinite(outputs).all():
        count = int((~np.isfinite(outputs)).sum())
        raise UsageError(f"the model's outputs must be finite; {count} are NaN or infinite")
    if not outputs.ndim or outputs.shape[:-1] != labels.shape:
        raise ShapeError(f"outputs {outputs.shape} need one integer label for each row, and labels are {labels.shape}")
    right: NDArray[np.bool_] = np.equal(outputs.argmax(axis=-1), labels)
    return right


def right_answers(outputs: Array, labels: Array, ignored: int | None = None) -> NDArray[Any]:
    """Which answers are right, whatever the outputs are: 1 or 0 for each label; nan where they are no answers.

    Scores of classes with one label (N, ...) for each row, or with rows of 0 and a single 1 in their place; or one
    output for each label 0 or 1, which says 1 above a half. Labels that are `ignored` are left out.
    """
    truth = whole_numbers(labels)
    if outputs.ndim > 1 and outputs.shape[-1] > 1:
        if truth.shape == outputs.shape and ((truth == 0) | (truth == 1)).all() and (truth.sum(axis=-1) == 1).all():
            truth = truth.argmax(axis=-1)
        if truth.shape == outputs.shape[:-1] and truth.dtype.kind in "iu":
            counted = np.ones(truth.size, bool) if ignored is None else (truth != ignored).ravel()
            right: NDArray[Any] = correctness(outputs, truth).ravel()[counted].astype(np.float64)
            return right
    elif outputs.size == truth.size and truth.dtype.kind in "iub" and ((truth == 0) | (truth == 1)).all():
        return np.asarray(np.equal(outputs.ravel() > DECISION, truth.ravel()), np.float64)
    return np.full(len(np.atleast_1d(labels)), np.nan)


def accuracy(model: Layer, dataset: TensorDataset) -> float:
    """Fraction of the labels (N, ...) that the model gives, in inference; it is left in the mode that it had."""
    batches = DataLoader(dataset, AT_A_TIME)
    with inference(model), no_grad():
        right = [correctness(np.asarray(model(inputs)), labels.data).ravel() for inputs, labels in batches]
    return float(np.concatenate(right).mean())
