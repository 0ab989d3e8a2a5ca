"""Training learns, repeats itself, tells an observer, and refuses nonsense."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss, MSELoss
from tinytorch.core.metrics import accuracy
from tinytorch.core.optimizers import SGD, Adam, AdamW
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import (
    CosineSchedule,
    Trainer,
    clip_grad_norm,
)
from tinytorch.errors import RunError, UsageError
from tinytorch.progress import Progress, silent

POINTS = np.random.default_rng(3).standard_normal((200, 2)).astype(np.float32)
QUADRANTS = TensorDataset(POINTS, (POINTS[:, 0] * POINTS[:, 1] > 0).astype(np.int64))


def trained(progress: Progress = silent, epochs: int = 30) -> tuple[Sequential, list[float]]:
    rng = np.random.default_rng(0)
    model = Sequential(Linear(2, 32, rng=rng), ReLU(), Linear(32, 2, rng=rng))
    trainer = Trainer(model, Adam(model.parameters(), 0.01), CrossEntropyLoss(), progress=progress)
    return model, trainer.fit(DataLoader(QUADRANTS, 20, shuffle=True, seed=1), epochs)


def test_training_learns_what_no_line_can_separate() -> None:
    model, losses = trained()
    assert losses[-1] < 0.2 * losses[0]
    assert accuracy(model, QUADRANTS) > 0.95


def test_training_repeats_itself_exactly() -> None:
    first, second = trained(epochs=3)[0], trained(epochs=3)[0]
    for a, b in zip(first.weights(), second.weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_observer_hears_of_every_step() -> None:
    heard: list[tuple[str, float]] = []
    trained(lambda *told: heard.append(told), epochs=2)
    assert heard == [("train", step / 20) for step in range(1, 21)]


def test_training_leaves_no_gradients_behind() -> None:
    assert all(tensor.grad is None for tensor in trained(epochs=1)[0].parameters())


def test_a_loss_that_is_no_number_ends_training() -> None:
    model = Sequential(Linear(2, 2))
    bad = TensorDataset(np.full((4, 2), np.nan), np.zeros(4, np.int64))
    trainer = Trainer(model, SGD(model.parameters()), CrossEntropyLoss())
    with pytest.raises(RunError, match="diverged"):
        trainer.fit(DataLoader(bad), 1)


def noisy_trainer() -> tuple[Trainer, DataLoader]:
    """Everything that has a state: momenta, a schedule, dropout and shuffling."""
    rng = np.random.default_rng(0)
    model = Sequential(Linear(2, 16, rng=rng), ReLU(), Dropout(0.2, rng=rng), Linear(16, 2, rng=rng))
    schedule = CosineSchedule(0.02, 0.001, total_epochs=6, warmup_epochs=1)
    trainer = Trainer(model, AdamW(model.parameters()), CrossEntropyLoss(), schedule, grad_clip_norm=1.0)
    return trainer, DataLoader(QUADRANTS, 20, shuffle=True, seed=1)


def test_a_resumed_training_goes_exactly_the_same_way(tmp_path: Path) -> None:
    whole, whole_loader = noisy_trainer()
    expected = whole.fit(whole_loader, 6)

    first, loader = noisy_trainer()
    losses = first.fit(loader, 2)
    first.save_checkpoint(tmp_path / "checkpoint", loader)
    resumed, fresh = noisy_trainer()
    fresh.generator = np.random.default_rng(99)
    resumed.load_checkpoint(tmp_path / "checkpoint", fresh)
    losses += resumed.fit(fresh, 4)

    assert losses == expected
    assert (resumed.epoch, resumed.history) == (6, whole.history)
    for a, b in zip(resumed.model.weights(), whole.model.weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_needs_no_loader(tmp_path: Path) -> None:
    trainer, loader = noisy_trainer()
    trainer.train_epoch(loader)
    trainer.save_checkpoint(str(tmp_path / "checkpoint"))
    other, _ = noisy_trainer()
    other.load_checkpoint(str(tmp_path / "checkpoint"))
    assert other.optimizer.step_count == trainer.optimizer.step_count == 10


def test_a_checkpoint_makes_its_folder_and_names_what_is_in_the_way(tmp_path: Path) -> None:
    trainer, _ = noisy_trainer()
    trainer.save_checkpoint(tmp_path / "new" / "checkpoint")
    trainer.load_checkpoint(tmp_path / "new" / "checkpoint")
    with pytest.raises(UsageError, match=r"cannot write .*new"):
        trainer.save_checkpoint(tmp_path / "new")


def test_a_checkpoint_holds_nothing_that_is_executed(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    noisy_trainer()[0].save_checkpoint(path)
    with np.load(path, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "fU" for name in arrays.files)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def write_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps([1, 2]))


def write_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.ones(2))


def write_other_arrays(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, weight=np.ones(2))


def write_facts(path: Path, facts: object) -> None:
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    with path.open("wb") as file:
        np.savez(file, **{**arrays, "facts": np.array(json.dumps(facts))})


def write_a_list(path: Path) -> None:
    write_facts(path, [1])


def write_too_few_facts(path: Path) -> None:
    write_facts(path, {"format": 1})


def write_another_format(path: Path) -> None:
    with np.load(path) as stored:
        write_facts(path, {**json.loads(str(stored["facts"])), "format": 2})


def leave_out_an_array(path: Path) -> None:
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "optimizer.m_buffers.0"}
    with path.open("wb") as file:
        np.savez(file, **arrays)


DAMAGES = [
    cut, flip_a_byte, write_pickle, write_array, write_other_arrays, write_a_list, write_too_few_facts,
    write_another_format, leave_out_an_array,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused_and_changes_nothing(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "checkpoint"
    trainer, loader = noisy_trainer()
    trainer.save_checkpoint(path)
    damage(path)
    before = trainer.model.state_dict()
    trainer.train_epoch(loader)
    after = trainer.model.state_dict()
    with pytest.raises(UsageError, match="damaged"):
        trainer.load_checkpoint(path)
    assert not np.array_equal(before["layers.0.weight"], after["layers.0.weight"])
    np.testing.assert_array_equal(trainer.model.state_dict()["layers.0.weight"], after["layers.0.weight"])


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no checkpoint .*absent"):
        noisy_trainer()[0].load_checkpoint(tmp_path / "absent")


def test_the_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    noisy_trainer()[0].save_checkpoint(tmp_path / "checkpoint")
    model = Sequential(Linear(2, 2))
    other = Trainer(model, AdamW(model.parameters()), CrossEntropyLoss())
    with pytest.raises(UsageError, match="another model"):
        other.load_checkpoint(tmp_path / "checkpoint")


def test_the_checkpoint_of_another_optimizer_changes_nothing(tmp_path: Path) -> None:
    trainer, _ = noisy_trainer()
    trainer.save_checkpoint(tmp_path / "checkpoint")
    other, _ = noisy_trainer()
    other.optimizer = SGD(other.model.parameters())
    other.model.layers[0].weight.data += 1
    before = other.model.state_dict()
    with pytest.raises(UsageError, match="SGD needs the state"):
        other.load_checkpoint(tmp_path / "checkpoint")
    np.testing.assert_array_equal(other.model.state_dict()["layers.0.weight"], before["layers.0.weight"])


def test_an_optimizer_that_cannot_tell_its_state_is_named(tmp_path: Path) -> None:
    trainer, _ = noisy_trainer()
    trainer.optimizer = object()
    with pytest.raises(UsageError, match=r"object has no state_dict\(\)"):
        trainer.save_checkpoint(tmp_path / "checkpoint")


class Plain:
    """A model of a file that knows no Layer: its own class, `forward` alone, dropout with a mode of its own."""

    def __init__(self) -> None:
        self.first = Linear(2, 8, rng=np.random.default_rng(0))
        self.parts = {"dropout": PlainDropout()}
        self.last = Linear(8, 2, rng=np.random.default_rng(1))

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.last(self.parts["dropout"].forward(ReLU()(self.first(x))))
        return outputs


class PlainDropout:
    training = True

    def __init__(self) -> None:
        self.modes: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        self.modes.append(self.training)
        return x


def test_a_model_of_any_class_is_trained_and_evaluated(tmp_path: Path) -> None:
    model = Plain()
    params = [*model.first.parameters(), *model.last.parameters()]
    trainer = Trainer(model, SGD(params, lr=0.1), CrossEntropyLoss())
    batches = [(POINTS[:20], QUADRANTS.labels[:20])] * 3
    before = trainer.evaluate(batches)
    losses = [trainer.train_epoch(batches) for _ in range(10)]
    after = trainer.evaluate(batches)

    assert losses[-1] < losses[0]
    assert after[0] < before[0]
    assert 0 <= after[1] <= 1
    assert model.parts["dropout"].modes == [False] * 3 + [True] * 30 + [False] * 3
    trainer.save_checkpoint(tmp_path / "checkpoint")
    trainer.load_checkpoint(tmp_path / "checkpoint")


def test_accumulated_steps_are_those_of_larger_batches() -> None:
    models = [Sequential(Linear(2, 2, rng=np.random.default_rng(0))) for _ in range(2)]
    large, small = (Trainer(model, SGD(model.parameters(), lr=0.5), CrossEntropyLoss()) for model in models)
    large.train_epoch(DataLoader(QUADRANTS, 40))
    small.train_epoch(DataLoader(QUADRANTS, 10), accumulation_steps=4)
    np.testing.assert_allclose(models[0].weights()[0], models[1].weights()[0], rtol=1e-5)


def test_fitting_takes_a_step_for_every_batch() -> None:
    trainer, loader = noisy_trainer()
    trainer.fit(loader, 2)
    assert trainer.optimizer.step_count == 2 * len(loader)


def test_batches_that_are_left_over_are_a_step_of_their_own() -> None:
    model = Sequential(Linear(2, 2))
    trainer = Trainer(model, SGD(model.parameters()), CrossEntropyLoss())
    trainer.train_epoch(iter(DataLoader(QUADRANTS, 40)), accumulation_steps=3)
    assert trainer.optimizer.step_count == 2


@pytest.mark.parametrize("call", [lambda t: t.train_epoch([]), lambda t: t.evaluate([]), lambda t: t.fit([], 1)])
def test_there_must_be_batches(call: Callable[[Trainer], object]) -> None:
    with pytest.raises(UsageError, match="no batch"):
        call(noisy_trainer()[0])


def test_a_step_needs_a_batch() -> None:
    trainer, loader = noisy_trainer()
    with pytest.raises(UsageError, match="accumulation_steps as an integer from 1 on"):
        trainer.train_epoch(loader, accumulation_steps=0)


def test_accuracy_of_what_is_no_answer_is_no_number() -> None:
    model = Sequential(Linear(2, 1))
    trainer = Trainer(model, SGD(model.parameters()), MSELoss())
    loss, right = trainer.evaluate([(POINTS[:4], POINTS[:4, :1])])
    assert loss > 0
    assert np.isnan(right)


class Sum:
    """A model of two inputs."""

    def __init__(self) -> None:
        self.scale = Tensor([[1.0, 1.0]], requires_grad=True)

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        return (a + b) * self.scale


def test_a_model_may_have_several_inputs() -> None:
    model = Sum()
    trainer = Trainer(model, SGD([model.scale]), CrossEntropyLoss())
    trainer.train_epoch(DataLoader(TensorDataset(POINTS, POINTS, QUADRANTS.labels), 50))
    assert (model.scale.data != 1).all()


def test_the_schedule_sets_the_rate_of_every_epoch() -> None:
    trainer, loader = noisy_trainer()
    trainer.fit(loader, 3)
    rates = [trainer.scheduler.get_lr(epoch) for epoch in range(3)]  # type: ignore[union-attr]
    assert trainer.history["learning_rates"] == pytest.approx(rates)
    assert trainer.optimizer.lr == rates[-1]


def test_long_gradients_are_shortened_together_and_short_ones_stay() -> None:
    tensors = [Tensor(np.zeros(1), requires_grad=True) for _ in range(3)]
    tensors[0].grad, tensors[1].grad = np.array([3.0], np.float32), np.array([4.0], np.float32)

    assert clip_grad_norm(tensors, 1.0) == 5
    assert [tensors[0].grad[0], tensors[1].grad[0]] == pytest.approx([0.6, 0.8])
    assert clip_grad_norm(tensors, 2.0) == pytest.approx(1)
    assert tensors[1].grad[0] == pytest.approx(0.8)


def test_gradients_that_are_no_numbers_end_training() -> None:
    tensor = Tensor([0.0], requires_grad=True)
    tensor.grad = np.array([np.nan])
    with pytest.raises(RunError, match="diverged"):
        clip_grad_norm([tensor], 1.0)


def _squares(batches: list[int]) -> tuple[Trainer, list[tuple[np.ndarray, np.ndarray]]]:
    """A model without learning that answers 0, and batches of those sizes of truths 0, 1, 2 ..."""
    truths = np.arange(sum(batches), dtype=np.float32)[:, None]
    parts = np.split(truths, np.cumsum(batches)[:-1])
    layer = Linear.from_arrays(np.zeros((1, 1), np.float32))
    trainer = Trainer(layer, SGD(layer.parameters(), lr=1e-9), MSELoss())
    return trainer, [(part, part) for part in parts]


@pytest.mark.parametrize("sizes", [[4, 1], [5], [2, 2, 1]])
def test_every_sample_counts_as_much_in_the_mean_loss(sizes: list[int]) -> None:
    trainer, loader = _squares(sizes)
    assert trainer.evaluate(loader)[0] == pytest.approx(6)
    assert trainer.fit(loader, 1) == pytest.approx([6], rel=1e-3)


def test_every_sample_counts_as_much_in_a_step_of_several_batches() -> None:
    weights = []
    for sizes in ([4, 1], [5]):
        trainer, loader = _squares(sizes)
        trainer.optimizer.lr = 0.01
        trainer.train_epoch(loader, accumulation_steps=2)
        weights.append(trainer.model.weight.data.item())
    assert weights[0] == pytest.approx(weights[1], rel=1e-5)


def test_batches_that_come_once_are_for_one_epoch() -> None:
    trainer, loader = _squares([2, 2])
    assert len(trainer.fit((batch for batch in loader), 1)) == 1
    with pytest.raises(UsageError, match="generator is used up after one epoch, and 2 are wanted"):
        trainer.fit((batch for batch in loader), 2)


@pytest.mark.parametrize("epochs", [-1, 1.5, float("nan")])
def test_epochs_are_counted(epochs: Any) -> None:
    trainer, loader = _squares([2])
    with pytest.raises(UsageError, match=r"fit\(\) needs epochs as an integer from 0 on"):
        trainer.fit(loader, epochs)


def test_a_schedule_may_move_with_every_step() -> None:
    trainer, loader = _squares([1, 1, 1, 1])
    rates: list[float] = []
    trainer.scheduler, trainer.per_step = CosineSchedule(1e-3, 0, total_epochs=2), True
    step = trainer.optimizer.step
    trainer.optimizer.step = lambda: (rates.append(trainer.optimizer.lr), step())
    trainer.fit(loader, 2)
    assert rates == pytest.approx([CosineSchedule(1e-3, 0, 8).get_lr(done) for done in range(8)])


def test_a_schedule_per_step_needs_a_length() -> None:
    trainer, loader = _squares([1])
    trainer.scheduler, trainer.per_step = CosineSchedule(), True
    with pytest.raises(UsageError, match="how many batches"):
        trainer.fit((batch for batch in loader), 1)


@pytest.mark.parametrize("most", [-1, float("nan")])
def test_a_length_that_makes_no_sense_is_refused(most: float) -> None:
    with pytest.raises(UsageError, match="clip_grad_norm needs a max_norm from 0 on"):
        clip_grad_norm([Tensor([1.0])], most)


def test_a_length_without_end_shortens_nothing() -> None:
    p = Tensor([3.0], requires_grad=True)
    p.grad = np.array([5.0], np.float32)
    assert clip_grad_norm([p], math.inf) == 5
    assert p.grad == [5]


@pytest.mark.parametrize("size", [1e20, 1e-25])
def test_gradients_whose_squares_float32_does_not_hold_have_a_length(size: float) -> None:
    p = Tensor([0.0, 0.0], requires_grad=True)
    p.grad = np.array([3, 4], np.float32) * np.float32(size)
    assert clip_grad_norm([p], 1.0) == pytest.approx(5 * size)


def test_ignored_labels_count_in_no_figure() -> None:
    scores = Tensor([[5.0, 0.0], [0.0, 5.0], [9.0, 0.0], [0.0, 1.0]])
    labels = np.array([0, -100, -100, 0])
    layer = Linear.from_arrays(np.eye(2, dtype=np.float32))
    trainer = Trainer(layer, SGD(layer.parameters()), CrossEntropyLoss())
    found = [trainer.evaluate(DataLoader(TensorDataset(scores, labels), size)) for size in (4, 3)]
    assert found[0] == pytest.approx(found[1])
    assert found[0][1] == 0.5


@pytest.mark.parametrize(
    ("loader", "words"),
    [
        ((np.ones((3, 2)), np.ones(3)), "a batch must be"),
        ([(np.ones((3, 2)),)], "got a tuple of 1"),
        (QUADRANTS, "got a dataset"),
    ],
)
def test_what_gives_no_batches_is_refused(loader: Any, words: str) -> None:
    trainer, _ = _squares([2])
    with pytest.raises(UsageError, match=words) as caught:
        trainer.fit(loader, 1)
    assert "DataLoader(" in caught.value.mend


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((Adam, MSELoss()), "needs an optimizer behind the model"),
        ((MSELoss(), MSELoss()), "needs an optimizer behind the model"),
        ((SGD([Tensor([1.0], requires_grad=True)]), MSELoss(), lambda epoch: 0.1), "a schedule needs get_lr"),
        ((SGD([Tensor([1.0], requires_grad=True)]), MSELoss(), None, float("nan")), "grad_clip_norm"),
    ],
)
def test_what_a_trainer_cannot_work_with_is_refused(arguments: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Trainer(Linear(1, 1), *arguments)


def test_one_tensor_is_shortened_and_none_is_refused() -> None:
    p = Tensor([0.0], requires_grad=True)
    p.grad = np.array([4.0], np.float32)
    assert clip_grad_norm(p, 1.0) == 4
    assert p.grad == [1]
    with pytest.raises(UsageError, match="needs parameters, and got none"):
        clip_grad_norm(iter([]), 1.0)


def test_a_batch_of_padding_alone_is_refused() -> None:
    class Zero(CrossEntropyLoss):
        def forward(self, outputs: Tensor, targets: Any) -> Tensor:
            return (outputs * 0).sum()

    layer = Linear(2, 2)
    trainer = Trainer(layer, SGD(layer.parameters()), Zero())
    with pytest.raises(UsageError, match="every label of a batch is -100"):
        trainer.evaluate([(np.ones((2, 2)), np.array([-100, -100]))])


def test_a_checkpoint_without_a_loader_does_not_go_on_with_one(tmp_path: Path) -> None:
    """Its batches would come in another order, and nobody would be told. Nothing has changed then."""
    trainer, _ = noisy_trainer()
    trainer.save_checkpoint(tmp_path / "checkpoint")
    other, loader = noisy_trainer()
    other.train_epoch(loader)
    with pytest.raises(UsageError, match="saved without a loader"):
        other.load_checkpoint(tmp_path / "checkpoint", loader)

    assert other.epoch == 1


def test_an_optimizer_of_another_model_is_refused() -> None:
    """It would train for hours, and learn nothing. A part of the model is enough."""
    model = Sequential(Linear(4, 4), Linear(4, 4))
    with pytest.raises(UsageError, match="none of the model's parameters") as told:
        Trainer(model, SGD(Linear(4, 4).parameters()), MSELoss())

    assert "SGD(model.parameters())" in told.value.mend
    Trainer(model, SGD(model[1].parameters()), MSELoss())


def test_a_loss_is_an_object() -> None:
    model = Linear(4, 4)
    with pytest.raises(UsageError, match="got the class MSELoss"):
        Trainer(model, SGD(model.parameters()), MSELoss)
