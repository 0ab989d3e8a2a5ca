"""`tinygpt`: a small GPT that writes 64 digits backwards, one token after the other."""

from __future__ import annotations

from tinytorch.core.transformers import Completion
from tinytorch.datasets.sequences import DIGITS, LENGTH, REVERSAL_SHA256, fresh_prompts, load_reversal
from tinytorch.workloads.networks import small_gpt
from tinytorch.workloads.strategies import FUSION, INT8, KV_CACHE, PRUNE_WIDTH, SMALL_CACHE, Strategy, learned_codes
from tinytorch.workloads.task import Recipe, Task


def build_model(seed: int) -> Completion:
    """The untrained GPT: 109,568 parameters, 438,272 bytes."""
    return small_gpt(DIGITS, LENGTH, seed)


CODES = "time: codes become floats in every call"

FEW_BITS = learned_codes(3, epochs=1, batch_size=8)

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
    is_drawn=True,
    strategies=(
        Strategy("latency_sprint", (PRUNE_WIDTH, KV_CACHE, FUSION), "memory for the cache"),
        Strategy("memory_challenge", (PRUNE_WIDTH, FEW_BITS), "codes take more time than pruning saves"),
        Strategy("accuracy_contest", (KV_CACHE,), "131 kB for the cache"),
        Strategy("all_around", (PRUNE_WIDTH, INT8, SMALL_CACHE, FUSION), "memory for the cache"),
        Strategy("extreme_push", (PRUNE_WIDTH, INT8, SMALL_CACHE, FUSION), "memory for the cache"),
        Strategy("int8", (INT8,), CODES),
        Strategy("planned", (SMALL_CACHE, FUSION), "memory for the cache"),
    ),
)
