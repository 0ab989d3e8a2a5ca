"""`words`: a small GPT that tells for each of 64 letters its place in its word, one token after the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Linear
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.core.transformers import Completion
from tinytorch.datasets.private import private_prompts
from tinytorch.datasets.words import (
    LENGTH,
    LETTERS,
    TOKENS,
    WORDS_SHA256,
    fresh_samples,
    load_words,
    text_of,
    with_answers,
)
from tinytorch.progress import Progress, silent
from tinytorch.workloads.networks import EMBED_DIM, small_gpt
from tinytorch.workloads.strategies import FUSION, INT8, KV_CACHE, SMALL_CACHE, Strategy, learned_codes, prune_heads
from tinytorch.workloads.task import Recipe, Task, steps_of

BATCHES = 100  # of an epoch: the text has far more prompts than training needs
AROUND = 3  # letters on each side of the asked one that are to be named, too
NAMED = 2 * AROUND + 1
LONGEST_GRADIENT = 1.0
FIRST_WEIGHT = 0.5  # of naming letters, beside 1 of places
WEIGHTED_PART = 0.6  # of all epochs, in which that weight falls to 0


def build_model(seed: int) -> Completion:
    """The untrained GPT: 113,664 parameters, 454,656 bytes."""
    return small_gpt(TOKENS, LENGTH, seed)


def fit_aligned(model: Completion, train: TensorDataset, recipe: Recipe, progress: Progress = silent) -> Completion:
    """Train `model` in place on prompts that are cut anew for every batch, and hand it back, switched to inference.

    The letter that is asked for stands 64 tokens back, and nothing but a lower loss says so: in 1,300 steps it is not
    found. So the model's last layer is made wider for the time of training, and names the letters around it, too.
    That part counts less with every epoch, and is cut off in the end.
    """
    gpt, generator = model.gpt, np.random.default_rng(recipe.seed)
    head = Linear(EMBED_DIM, TOKENS + NAMED * LETTERS, bias=False, rng=generator)
    gpt.lm_head = head
    optimizer, schedule = steps_of(recipe, model.parameters())
    loss = PlaceAndLetters()
    trainer = Trainer(model, optimizer, loss, schedule, grad_clip_norm=LONGEST_GRADIENT)
    for epoch in range(recipe.epochs):
        loss.weight = FIRST_WEIGHT * max(0.0, 1 - epoch / (WEIGHTED_PART * recipe.epochs))
        trainer.train_epoch(cuts(recipe.batch_size, generator))
        progress("train", (epoch + 1) / recipe.epochs)
    gpt.lm_head = Linear.from_arrays(np.ascontiguousarray(head.weight.data[:, :TOKENS]), None)
    return model.eval()


class PlaceAndLetters:
    """Cross entropy of the places, and with a `weight` that of the letters around; of scores (N, T, 42 + 7 * 26)."""

    def __init__(self) -> None:
        self.weight = 0.0
        self._cross_entropy = CrossEntropyLoss()

    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Labels (N, T, 8): the place first, then the letters."""
        places: Tensor = self._cross_entropy(scores[..., :TOKENS], labels[..., 0])
        if not self.weight:
            return places
        letters = scores[..., TOKENS:].reshape(*labels.shape[:2], NAMED, LETTERS)
        return places + self._cross_entropy(letters, labels[..., 1:]) * self.weight


def cuts(batch_size: int, generator: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    """The batches of one epoch: inputs (N, 127), and labels (N, 64, 8) of which the first is the answer."""
    text = text_of("train")
    around = np.clip(np.arange(LENGTH)[:, None] + np.arange(-AROUND, AROUND + 1), 0, LENGTH - 1)
    for _ in range(BATCHES):
        prompts, answers = text.prompts(generator.choice(text.starts, batch_size))
        yield with_answers(prompts, answers), np.concatenate([answers[..., None], prompts[:, around]], axis=-1)


NARROW = prune_heads(
    heads=3, hidden=64, width=48, stages=2, epochs=4, batch_size=16, learning_rate=2e-3, schedule="cosine"
)
HALF_BYTES = learned_codes(4, epochs=1, batch_size=16, learning_rate=5e-4)
CODES = "time: codes become floats in every call"

TASK = Task(
    name="words",
    title="Letters of English and their places in words, by a generating transformer",
    version=1,
    load_data=load_words,
    dataset_sha256=WORDS_SHA256,
    build_model=build_model,
    recipe=Recipe(epochs=90, batch_size=16, learning_rate=3e-3, seed=0, weight_decay=0.01),
    freshen="tinytorch.datasets.words:other_cuts",
    vocabulary=TOKENS,
    fresh=fresh_samples,
    weights_sha256="31eab4bb11870a4715800c840ab07df0913797a6af9c19cf098166c2d703b51b",
    fit=fit_aligned,
    load_private=private_prompts,
    strategies=(
        Strategy("latency_sprint", (NARROW, KV_CACHE, FUSION), "four points of accuracy"),
        Strategy("memory_challenge", (NARROW, HALF_BYTES), f"five points of accuracy; {CODES}"),
        Strategy("accuracy_contest", (KV_CACHE,), "131 kB for the cache"),
        Strategy("all_around", (INT8, SMALL_CACHE, FUSION), "memory for the cache"),
        Strategy("extreme_push", (NARROW, INT8, SMALL_CACHE, FUSION), "four points of accuracy"),
        Strategy("planned", (SMALL_CACHE, FUSION), "memory for the cache"),
        Strategy("int8", (INT8,), CODES),
    ),
)
