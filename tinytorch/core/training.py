"""Training: the loop over epochs and batches, what keeps it steady, and what lets it go on another day."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinytorch.core.arguments import checked, shown, whole
from tinytorch.core.checkpoint import Checkpoint
from tinytorch.core.dataloader import DataLoader, Dataset
from tinytorch.core.layers import inference, set_training_mode
from tinytorch.core.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, MSELoss
from tinytorch.core.metrics import right_answers
from tinytorch.core.model import parameters_of
from tinytorch.core.ops import Array
from tinytorch.core.schedules import CosineSchedule, Schedule
from tinytorch.core.state import generators, load_state_dict, state_dict
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.errors import RunError, UsageError
from tinytorch.progress import Progress, part_of, silent

__all__ = ["BinaryCrossEntropyLoss", "CosineSchedule", "CrossEntropyLoss", "MSELoss", "Trainer", "clip_grad_norm"]

LARGEST_KEPT_BYTES = 31 * 2**20
SMALLEST_SQUARE = 1e-30  # of a gradient's length in float32: sums of smaller ones lose their digits
Batches = Iterable[Any]  # each (*inputs, labels): a DataLoader, a list of pairs


class Batch(NamedTuple):
    """What a batch came to: the mean loss of its samples, and how many they are."""

    loss: float
    samples: int


def clip_grad_norm(parameters: Tensor | Iterable[Tensor], max_norm: float = 1.0) -> float:
    """Shorten all gradients together to the length `max_norm` when they are longer; their length before.

    The gradients are taken as one vector (Pascanu, Mikolov & Bengio 2013). Raises RunError when it is not finite,
    UsageError for a `max_norm` below 0; without end it shortens nothing.
    """
    if max_norm != math.inf:
        checked("clip_grad_norm needs a max_norm", max_norm, from_=0)
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not given:
        raise UsageError("clip_grad_norm needs parameters, and got none", mend="give model.parameters() in every call")
    gradients: list[Array] = [np.asarray(parameter.grad) for parameter in given if parameter.grad is not None]
    norm = _norm(gradients)
    if not math.isfinite(norm):
        raise RunError(f"training diverged: the gradients' norm is {norm}", mend="use a smaller learning rate")
    if norm > max_norm:
        for gradient in gradients:
            gradient *= max_norm / norm
    return norm


def _norm(gradients: list[Array]) -> float:
    """The length of all gradients as one vector; where squares are too large for float32, or too small, in float64."""
    with np.errstate(over="ignore", under="ignore"):
        total = sum(float(np.vdot(gradient, gradient)) for gradient in gradients)
    if math.isfinite(total) and total > SMALLEST_SQUARE:
        return math.sqrt(total)
    return math.sqrt(sum(float(np.square(gradient, dtype=np.float64).sum()) for gradient in gradients))


class Trainer:
    """Makes `loss_fn(model(inputs), labels)` smaller, by `optimizer`.

    `scheduler` sets the learning rate of each epoch, or with `per_step` of each step: it is asked for 2.5 epochs then;
    `grad_clip_norm` limits the length of the gradients. Model, optimizer and loss may be of any class. `epoch` counts
    finished epochs, `history` keeps their figures.
    """

    per_step = False

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        loss_fn: Any,
        scheduler: Schedule | None = None,
        grad_clip_norm: float | None = None,
        progress: Progress = silent,
        per_step: bool = False,
    ) -> None:
        if scheduler is not None and not hasattr(scheduler, "get_lr"):
            mend = "give an object with get_lr(epoch), CosineSchedule for example"
            raise UsageError(f"a schedule needs get_lr(), and a {type(scheduler).__name__} has none", mend=mend)
        if not hasattr(optimizer, "step") or isinstance(optimizer, type):
            mend = "write Trainer(model, Adam(model.parameters()), CrossEntropyLoss())"
            raise UsageError(f"a Trainer needs an optimizer behind the model, and got {shown(optimizer)}", mend=mend)
        if grad_clip_norm is not None and grad_clip_norm != math.inf:
            checked("a Trainer needs grad_clip_norm", grad_clip_norm, from_=0)
        if isinstance(loss_fn, type):
            mend = f"write {loss_fn.__name__}()"
            raise UsageError(f"a Trainer needs a loss, and got the class {loss_fn.__name__}", mend=mend)
        _check_parameters(model, optimizer)
        self.model = model
        self.optimizer = optimizer
        self.loss_fn = loss_fn
        self.scheduler = scheduler
        self.grad_clip_norm = grad_clip_norm
        self.per_step = per_step
        self.progress = progress
        self.epoch = 0
        self.history: dict[str, list[float]] = {"train_loss": [], "eval_loss": [], "learning_rates": []}

    def fit(self, loader: Batches, epochs: int) -> list[float]:
        """Train for `epochs` passes over `loader`; mean loss of each. The model stays switched to training.

        Raises RunError when the loss is no longer a finite number, UsageError for a loader that gives its batches once
        alone, where more passes are wanted.
        """
        if isinstance(loader, Dataset):
            raise UsageError("training needs batches, and got a dataset", mend="write DataLoader(dataset, 32)")
        if whole("fit() needs epochs", epochs, 0) > 1 and iter(loader) is loader:
            mend = "give a DataLoader, or a list of batches"
            raise UsageError(
                f"a {type(loader).__name__} is used up after one epoch, and {epochs} are wanted", mend=mend
            )
        return [self._epoch(loader, 1, part_of(self.progress, "train", number, epochs)) for number in range(epochs)]

    def train_epoch(self, loader: Batches, accumulation_steps: int = 1) -> float:
        """Train for one pass over `loader`, each step by the mean gradient of `accumulation_steps` batches; mean loss.

        Every sample counts as much, in whichever batch it is; `loss_fn` is taken for the mean of a batch. Raises
        UsageError without batches, RunError when the loss is no longer a finite number.
        """
        whole("a step needs accumulation_steps", accumulation_steps, 1)
        return self._epoch(loader, accumulation_steps, self.progress)

    def evaluate(self, loader: Batches) -> tuple[float, float]:
        """Mean loss over the samples, and the fraction of answers that are right; the model keeps its mode.

        The fraction is nan where outputs are no answers to choose from (`metrics.right_answers`).
        """
        losses, right = list[Batch](), []
        with inference(self.model), no_grad():
            for batch in loader:
                loss, outputs, labels = self._loss(batch)
                losses.append(Batch(float(loss), self._counted(labels)))
                right.append(right_answers(np.asarray(outputs), np.asarray(labels), self._ignored))
        self.history["eval_loss"].append(_mean(losses))
        return self.history["eval_loss"][-1], float(np.concatenate(right).mean())

    def _epoch(self, loader: Batches, accumulation_steps: int, progress: Progress) -> float:
        _keep_freed_memory()
        set_training_mode(self.model, True)
        self.optimizer.zero_grad()
        batches, done, waiting = operator.length_hint(loader), list[Batch](), 0
        is_alone = accumulation_steps == 1
        self._set_rate(0, batches)
        for batch in loader:
            if self.per_step and not waiting:
                self._set_rate(len(done), batches)
            done.append(self._add_gradients(batch, is_alone))
            waiting += 1
            if waiting == accumulation_steps:
                self._step(done[-waiting:], is_alone)
                waiting = 0
            if batches:
                progress("train", len(done) / batches)
        if waiting:
            self._step(done[-waiting:], is_alone)
        self.history["train_loss"].append(_mean(done))
        self.history["learning_rates"].append(self.optimizer.lr)
        self.epoch += 1
        return self.history["train_loss"][-1]

    def _set_rate(self, done: int, batches: int) -> None:
        """The schedule's rate after `done` of the epoch's batches; UsageError where their number is unknown."""
        if self.per_step and not batches:
            mend = "give a loader with a length, or leave per_step out"
            raise UsageError("a schedule per step needs to know how many batches there are", mend=mend)
        if self.scheduler:
            self.optimizer.lr = self.scheduler.get_lr(self.epoch + done / batches if self.per_step else self.epoch)

    def _add_gradients(self, batch: Any, is_alone: bool) -> Batch:
        """Add the batch's gradients, as many times as it has samples unless it is a step alone."""
        loss, _, labels = self._loss(batch)
        found = Batch(float(loss), self._counted(labels))
        if not math.isfinite(found.loss):
            raise RunError(f"training diverged: the loss is {found.loss}", mend="use a smaller learning rate")
        loss.backward(None if is_alone else np.full(loss.shape, found.samples, np.float32))
        return found

    def _step(self, batches: Sequence[Batch], is_alone: bool) -> None:
        """Change the weights by the gradients of these batches, which were summed over samples unless each is alone."""
        if not is_alone:
            samples = sum(batch.samples for batch in batches)
            for param in self.optimizer.params:
                if param.grad is not None:
                    param.grad /= samples
        if self.grad_clip_norm is not None:
            clip_grad_norm(self.optimizer.params, self.grad_clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()

    @property
    def _ignored(self) -> int | None:
        """The label that the loss does not count."""
        found: int | None = getattr(self.loss_fn, "ignore_index", None)
        return found

    def _counted(self, labels: Tensor) -> int:
        """How much a batch counts: as many samples as it has, or where labels are ignored, as many of the others."""
        samples, ignored = labels.shape[0] if labels.ndim else 1, self._ignored
        if ignored is None or labels.dtype.kind == "b":
            return samples
        left_out = int(np.count_nonzero(labels.data == ignored))
        if left_out and left_out == labels.size:
            mend = "leave out batches of padding alone"
            raise UsageError(f"every label of a batch is {ignored}, which is ignored: nothing is left", mend=mend)
        return labels.size - left_out if left_out else samples

    def _loss(self, batch: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, outputs and labels of (*inputs, labels). UsageError for a batch that is nothing like it."""
        if not isinstance(batch, (tuple, list)) or len(batch) < 2:
            mend = "write DataLoader(TensorDataset(inputs, labels), 32), or a list of pairs (inputs, labels)"
            shape = f" of {len(batch)}" if isinstance(batch, (tuple, list)) else ""
            raise UsageError(f"a batch must be (inputs, labels), and got a {type(batch).__name__}{shape}", mend=mend)
        *inputs, labels = (field if isinstance(field, Tensor) else Tensor(field) for field in batch)
        outputs = _callable(self.model)(*inputs)
        return _callable(self.loss_fn)(outputs, labels), outputs, labels

    def save_checkpoint(self, path: str | Path, loader: DataLoader | None = None) -> None:
        """Write all that training goes on from: weights, optimizer, history, and the state of the random generators.

        With `loader` the orders of its batches go on, too. The file holds arrays and JSON, nothing that is executed.
        Raises UsageError for an optimizer that cannot tell its state, and for a path that cannot be written.
        """
        if not hasattr(self.optimizer, "state_dict"):
            raise UsageError(f"{type(self.optimizer).__name__} has no state_dict()", mend="derive it from Optimizer")
        Checkpoint(
            weights=state_dict(self.model),
            optimizer=self.optimizer.state_dict(),
            generators={name: item.bit_generator.state for name, item in self._generators(loader).items()},
            epoch=self.epoch,
            history=self.history,
        ).write(Path(path))

    def load_checkpoint(self, path: str | Path, loader: DataLoader | None = None) -> None:
        """Go on from what `save_checkpoint` wrote of the same model and optimizer, which stay the same objects.

        Nothing changes unless all of it fits. Raises UsageError for a file that is missing, damaged or no checkpoint,
        or that is of another model or optimizer, and for a `loader` where it was saved without one.
        """
        found, before = Checkpoint.read(Path(path)), state_dict(self.model)
        if loader is not None and "loader" not in found.generators:
            mend = "load it without a loader, whose batches then begin anew, or save it with one"
            raise UsageError(
                f"{path} was saved without a loader, and cannot go on with the order of its batches", mend=mend
            )
        load_state_dict(self.model, found.weights)
        try:
            self.optimizer.load_state_dict(found.optimizer)
        except UsageError:
            load_state_dict(self.model, before)
            raise
        for name, item in self._generators(loader).items():
            if name in found.generators:
                item.bit_generator.state = found.generators[name]
        self.epoch, self.history = found.epoch, found.history

    def _generators(self, loader: DataLoader | None) -> dict[str, np.random.Generator]:
        own = {f"model.{name}": item for name, item in generators(self.model).items()}
        return own if loader is None else {**own, "loader": loader.generator}


def _check_parameters(model: Any, optimizer: Any) -> None:
    """UsageError where the optimizer changes nothing of the model: it would train for hours, and learn nothing."""
    own = {id(each) for each in parameters_of(model)}
    groups = [each["params"] if isinstance(each, dict) else [each] for each in getattr(optimizer, "params", None) or ()]
    if own and groups and not any(id(each) in own for group in groups for each in group):
        mend = f"write {type(optimizer).__name__}(model.parameters()), of the model that the Trainer gets"
        raise UsageError("the optimizer has none of the model's parameters", mend=mend)


def _callable(item: Any) -> Callable[..., Any]:
    """What calls a model or loss, which may have `forward` alone."""
    found: Callable[..., Any] = item if callable(item) else item.forward
    return found


def _mean(batches: Sequence[Batch]) -> float:
    """The mean over samples of what are means of batches."""
    if not batches:
        raise UsageError("training and evaluating need data: the loader gave no batch")
    samples = sum(batch.samples for batch in batches)
    return math.fsum(batch.loss * batch.samples for batch in batches) / samples


def _keep_freed_memory() -> None:
    """Let the C library keep what one step frees for the next one, which would else get it page by page anew.

    glibc hands back to the system what is larger than its thresholds, and raises them to the size of a block that was
    freed, up to 32 MiB (mallopt(3), M_MMAP_THRESHOLD). The block is never written to, so that it costs no memory.
    """
    np.empty(LARGEST_KEPT_BYTES, np.uint8)
