"""Sequences with one right answer: digits, and the same digits backwards; drawn from a seed."""

from __future__ import annotations

import numpy as np

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.ops import Array
from tinytorch.datasets.withheld import withholdable
from tinytorch.errors import SetupMissingError
from tinytorch.files import sha256

REVERSAL_SHA256 = "3919d302995564d87ea33a0846bf868cd64946d9aafa9ff7d79620ce91168c30"
DIGITS = 10
LENGTH = 64
TRAIN_SEQUENCES = 2048
TEST_SEQUENCES = 16
SEED = 2017


def load_reversal() -> tuple[TensorDataset, TensorDataset]:
    """Training split (2048 sequences) and test split (16), the same on every call and machine.

    Labels are the digits of a prompt backwards, int64 (N, 64). Inputs are int64: in the test split the prompts (N, 64);
    in the training split a prompt and its answer without the last digit, (N, 127), as teacher forcing needs it.
    Raises SetupMissingError when this numpy draws other digits than those that the task was made with.
    """
    drawn = np.random.RandomState(SEED).randint(0, DIGITS, (TRAIN_SEQUENCES + TEST_SEQUENCES, LENGTH))  # frozen: NEP 19
    if sha256(drawn.astype(np.uint8).tobytes()) != REVERSAL_SHA256:
        raise SetupMissingError("this numpy draws other digits from the same seed", mend="install a released numpy")
    prompts = drawn.astype(np.int64)
    train, test = prompts[:TRAIN_SEQUENCES], prompts[TRAIN_SEQUENCES:]
    return TensorDataset(with_answers(train), reversal(train)), withholdable(
        lambda: TensorDataset(test, reversal(test))
    )


def other_prompts(prompts: Array, generator: np.random.Generator) -> Array:
    """As many new prompts, of the shape and type of the given ones."""
    return generator.integers(0, DIGITS, prompts.shape, prompts.dtype)


def fresh_prompts(count: int, generator: np.random.Generator) -> TensorDataset:
    """So many new prompts (N, 64) and their answers (N, 64)."""
    prompts = generator.integers(0, DIGITS, (count, LENGTH), np.int64)
    return TensorDataset(prompts, reversal(prompts))


def reversal(prompts: Array) -> Array:
    """The right answers (N, T) to prompts (N, T)."""
    return np.ascontiguousarray(prompts[:, ::-1])


def with_answers(prompts: Array) -> Array:
    """Prompts (N, T), each with its answer but for the last digit behind it: (N, 2 T - 1)."""
    return np.concatenate([prompts, reversal(prompts)[:, :-1]], axis=1)
