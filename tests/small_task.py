"""A task that the package does not have: one record and one builder. Digits backwards, four at a time."""

from __future__ import annotations

import numpy as np

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.transformers import GPT, Completion
from tinytorch.datasets.sequences import other_prompts, reversal, with_answers
from tinytorch.workloads.strategies import KV_CACHE, Strategy
from tinytorch.workloads.task import Recipe, Split, Task

LENGTH = 4
DIGITS = 10


def load_data() -> Split:
    """1024 prompts with their answers, and 40 to test with."""
    prompts = np.random.RandomState(0).randint(0, DIGITS, (1064, LENGTH))
    train, test = prompts[:1024], prompts[1024:]
    return TensorDataset(with_answers(train), reversal(train)), TensorDataset(test, reversal(test))


def build_model(seed: int) -> Completion:
    """The untrained model."""
    gpt = GPT(DIGITS, 32, num_layers=1, num_heads=2, max_seq_len=2 * LENGTH, rng=np.random.default_rng(seed))
    return Completion(gpt, LENGTH, LENGTH)


TASK = Task(
    name="small_task",
    title="Four digits backwards",
    version=1,
    load_data=load_data,
    dataset_sha256="a" * 64,
    build_model=build_model,
    recipe=Recipe(epochs=12, batch_size=32, learning_rate=5e-3, seed=0),
    freshen=f"{other_prompts.__module__}:{other_prompts.__name__}",
    vocabulary=DIGITS,
    strategies=(Strategy("all_around", (KV_CACHE,)),),
)
