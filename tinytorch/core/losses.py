"""Losses: how wrong outputs are, as one number to be made smaller."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from tinytorch.core.arguments import checked, whole
from tinytorch.core.conversion import whole_numbers
from tinytorch.core.ops import Array
from tinytorch.core.recording import is_recording
from tinytorch.core.tensor import Tensor, apply, concatenate
from tinytorch.errors import ShapeError, UsageError
from tinytorch.showing import nearest

Reduction = Literal["mean", "sum", "none"]
IGNORED = -100  # the label that PyTorch leaves out


class Loss:
    """Base: write `forward`, which gives a tensor of one element.

    `reduction` says what becomes of the losses of all elements: their mean, their sum, or "none", all of them as they
    are. UsageError for another word.
    """

    reduction: Reduction = "mean"

    def __init__(self, reduction: Reduction = "mean") -> None:
        if reduction not in get_args(Reduction):
            name = type(self).__qualname__
            raise UsageError(
                f"{name} has no reduction {reduction!r}", mend=nearest(str(reduction), get_args(Reduction))
            )
        self.reduction = reduction

    def __call__(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """`forward`. UsageError for outputs that are no tensor."""
        if not isinstance(outputs, Tensor):
            name, got = type(self).__qualname__, type(outputs).__qualname__
            raise UsageError(f"{name} needs outputs as a tensor, and got a {got}", mend="write Tensor(...) around them")
        return self.forward(outputs, targets)

    def forward(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """How far `outputs` are from `targets`."""
        raise NotImplementedError(f"{type(self).__qualname__} has no forward()")

    def fitting(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """The targets as a tensor of the outputs' type; ShapeError unless both have one shape, and elements."""
        is_floating = isinstance(targets, Tensor) and targets.dtype.kind == "f"
        kind = outputs.dtype if outputs.dtype.kind == "f" else np.float32
        truth: Any = targets if is_floating else Tensor(np.asarray(targets), dtype=kind)
        if truth.shape != outputs.shape or not truth.size:
            shapes = f"{outputs.shape} and {truth.shape}"
            name = type(self).__qualname__
            raise ShapeError(f"{name} needs outputs and targets of one shape, not empty, got {shapes}")
        found: Tensor = truth
        return found

    def reduced(self, losses: Tensor) -> Tensor:
        """The losses of all elements as `reduction` says."""
        return losses if self.reduction == "none" else losses.sum() if self.reduction == "sum" else losses.mean()


class MSELoss(Loss):
    """Mean of (output - target)^2 over all elements."""

    def forward(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """Both of one shape, else ShapeError -> tensor of one element."""
        difference = outputs - self.fitting(outputs, targets)
        return self.reduced(difference * difference)


class CrossEntropyLoss(Loss):
    """Mean of -log(softmax(logits)[label]) over a batch; or of -sum(probability * log(softmax(logits))).

    Answers with the label `ignore_index` do not count. `label_smoothing` is the part of the truth that is spread evenly
    over all classes (Szegedy et al. 2016, section 7). Raises UsageError unless it lies in 0..1.
    """

    ignore_index: int | None = IGNORED
    label_smoothing = 0.0

    def __init__(
        self, ignore_index: int | None = IGNORED, label_smoothing: float = 0.0, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(reduction)
        self.ignore_index = None if ignore_index is None else whole("CrossEntropyLoss needs ignore_index", ignore_index)
        self.label_smoothing = checked("CrossEntropyLoss needs a label_smoothing", label_smoothing, from_=0, to=1)

    def forward(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """Logits (N, ..., classes), labels (N, ...), whole numbers of any type -> tensor of one element, in nats.

        Labels may also be probabilities (N, ..., classes), one-hot rows for example. Raises ShapeError when they do not
        fit together, UsageError for labels that are not in 0..classes-1, or are no probabilities, or all ignored.
        """
        truth = _constant("CrossEntropyLoss", targets)
        if outputs.ndim > 1 and outputs.size and truth.shape == outputs.shape:
            return self.reduced(self._of_rows(log_softmax(outputs), _probabilities(truth)))
        classes = whole_numbers(truth)
        if outputs.ndim < 2 or classes.shape != outputs.shape[:-1] or not classes.size:
            raise ShapeError(
                f"CrossEntropyLoss needs logits (N, ..., classes) and labels (N, ...), got {outputs.shape} and "
                f"{classes.shape}",
                mend="classes stand last: logits of PyTorch's (N, classes, T) become so by transpose(1, 2)",
            )
        rows, labels = outputs.reshape(-1, outputs.shape[-1]) if outputs.ndim > 2 else outputs, classes.ravel()
        count = outputs.data.shape[-1]
        ignored = self.ignore_index
        is_plain = (
            self.reduction == "mean" and not self.label_smoothing and (ignored is None or not 0 <= ignored < count)
        )
        if is_plain and labels.dtype.kind in "iu" and labels.min() >= 0 and labels.max() < count:
            return apply("cross_entropy", rows, labels=labels)  # one row of the table: a third of the time
        counted = self._counted(labels, outputs)
        losses = self._of_labels(log_softmax(rows[np.flatnonzero(counted)]), labels[counted])
        if self.reduction != "none":
            return self.reduced(losses)
        places = np.where(counted, np.cumsum(counted) - 1, len(losses))  # of the others: a zero behind all
        each: Tensor = concatenate([losses, np.zeros(1)])[places].reshape(classes.shape)
        return each

    def _counted(self, labels: Array, outputs: Tensor) -> Array:
        """Which labels are not ignored (M,); UsageError where one is no class."""
        classes = outputs.shape[-1]
        counted: Array = np.ones(len(labels), bool) if self.ignore_index is None else labels != self.ignore_index
        if labels.dtype.kind not in "iu":
            raise UsageError(
                f"labels must be integers 0..{classes - 1}, for logits {outputs.shape}, not {labels.dtype}"
            )
        if (counted & ((labels < 0) | (labels >= classes))).any():
            reach = f"these reach {labels[counted].min()}..{labels[counted].max()}"
            raise UsageError(f"labels must be integers 0..{classes - 1}, for logits {outputs.shape}; {reach}")
        if not counted.any():
            mend = "leave out batches of padding alone"
            raise UsageError(f"every label is {self.ignore_index}, which is ignored: nothing is left", mend=mend)
        return counted

    def _of_labels(self, scores: Tensor, labels: Array) -> Tensor:
        """Losses (M,) of logarithms (M, classes)."""
        losses = -scores[np.arange(len(labels)), labels]
        if not self.label_smoothing:
            return losses
        return losses * (1 - self.label_smoothing) - scores.mean(axis=-1) * self.label_smoothing

    def _of_rows(self, scores: Tensor, truth: Array) -> Tensor:
        """Losses (N, ...) of logarithms and probabilities (N, ..., classes)."""
        smooth = truth * (1 - self.label_smoothing) + self.label_smoothing / truth.shape[-1]
        losses: Tensor = -(scores * smooth.astype(scores.dtype)).sum(axis=-1)
        return losses


class BinaryCrossEntropyLoss(Loss):
    """Mean of -(t log p + (1 - t) log(1 - p)) over all elements; each logarithm is at least -100, as in PyTorch.

    Near 0 and 1 the probabilities have lost digits: `BCEWithLogitsLoss` has not.
    """

    def forward(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """Probabilities p and targets t of one shape, both in 0..1 -> tensor of one element, in nats.

        Raises ShapeError when they do not fit together, UsageError for values outside 0..1.
        """
        truth = self.fitting(outputs, _constant("BinaryCrossEntropyLoss", targets)).data
        _check_shares("BinaryCrossEntropyLoss", "probabilities", outputs.data)
        _check_shares("BinaryCrossEntropyLoss", "targets", truth)
        return self.reduced(apply("binary_cross_entropy", outputs, targets=truth))


class BCEWithLogitsLoss(Loss):
    """`BinaryCrossEntropyLoss` of sigmoid(logits), computed from the logits without loss of digits."""

    def forward(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """Logits of any size and targets in 0..1 of one shape -> tensor of one element, in nats.

        Raises ShapeError when they do not fit together, UsageError for targets outside 0..1.
        """
        truth = self.fitting(outputs, _constant("BCEWithLogitsLoss", targets)).data
        _check_shares("BCEWithLogitsLoss", "targets", truth)
        return self.reduced(apply("binary_cross_entropy_of_logits", outputs, targets=truth))


def _constant(loss: str, targets: Tensor | Array) -> Array:
    """Targets as an array; UsageError where a gradient is wanted of them, which these losses do not have."""
    if isinstance(targets, Tensor) and targets.requires_grad and is_recording():
        raise UsageError(f"{loss} cannot give targets a gradient", mend="give targets.detach()")
    return np.asarray(targets)


def _check_shares(loss: str, name: str, values: Array) -> None:
    """UsageError unless all values lie in 0..1; nan does not."""
    if not (values.min() >= 0 and values.max() <= 1):
        mend = "put a Sigmoid behind the last layer, or use BCEWithLogitsLoss" if name == "probabilities" else ""
        raise UsageError(f"{loss} needs {name} in 0..1", mend=mend)


def _probabilities(rows: Array) -> Array:
    """Rows that are not negative and add up to 1; UsageError for others."""
    if not (rows.min() >= 0 and np.allclose(rows.sum(axis=-1), 1, atol=1e-4)):
        raise UsageError("labels in the shape of the logits must be probabilities: rows from 0 on that add up to 1")
    return rows


def log_softmax(inputs: Tensor, dim: int = -1) -> Tensor:
    """Logarithm of softmax along the axis `dim`, exact where the softmax itself would round to 0."""
    return apply("log_softmax", inputs, axis=dim)
