"""`tinygpt`: a small GPT that writes 64 digits backwards, one token after the other."""

from __future__ import annotations

import numpy as np

from tinytorch.core.transformers import GPT, Completion
from tinytorch.datasets.sequences import DIGITS, LENGTH, REVERSAL_SHA256, fresh_prompts, load_reversal
from tinytorch.workloads.strategies import FUSION, INT8, KV_CACHE, PRUNE_HEADS, SHARING, Strategy
from tinytorch.workloads.task import Recipe, Task

EMBED_DIM = 64
BLOCKS = 2
HEADS = 4


def build_model(seed: int) -> Completion:
    """The untrained GPT of 2 blocks, 4 heads, 64 wide: 109,568 parameters, 438,272 bytes.

    Its context of 128 holds a prompt and its answer: one inference generates 64 tokens from 64, each the likeliest.
    """
    generator = np.random.default_rng(seed)
    gpt = GPT(DIGITS, EMBED_DIM, num_layers=BLOCKS, num_heads=HEADS, max_seq_len=2 * LENGTH, rng=generator)
    return Completion(gpt, prompt_length=LENGTH, new_tokens=LENGTH)


CODES = "time: codes become floats in every call"

TASK = Task(
    name="tinygpt",
    title="Digits written backwards by a generating transformer",
    version=1,
    load_data=load_reversal,
    dataset_sha256=REVERSAL_SHA256,
    build_model=build_model,
    recipe=Recipe(epochs=2, batch_size=8, learning_rate=3e-3, seed=0),
    freshen="tinytorch.datasets.sequences:other_prompts",
    vocabulary=DIGITS,
    fresh=fresh_prompts,
    strategies=(
        Strategy("latency_sprint", (PRUNE_HEADS, KV_CACHE, FUSION), "memory for the cache"),
        Strategy("memory_challenge", (PRUNE_HEADS, SHARING), CODES),
        Strategy("accuracy_contest", (KV_CACHE,), "131 kB for the cache"),
        Strategy("all_around", (PRUNE_HEADS, INT8, KV_CACHE, FUSION), "memory for the cache"),
        Strategy("extreme_push", (PRUNE_HEADS, INT8, KV_CACHE, FUSION), "memory for the cache"),
        Strategy("int8", (INT8,), CODES),
        Strategy("planned", (KV_CACHE, FUSION), "memory for the cache"),
    ),
)
