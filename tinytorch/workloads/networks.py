"""Untrained networks that several tasks have, in sizes of their own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Layer, Linear, Sequential
from tinytorch.core.transformers import GPT, Completion

EMBED_DIM = 64
BLOCKS = 2
HEADS = 4


def perceptron(widths: Sequence[int], seed: int) -> Sequential:
    """Linear layers of these widths, inputs first and scores last, with ReLU between them."""
    generator = np.random.default_rng(seed)
    layers: list[Layer] = []
    for width_in, width_out in itertools.pairwise(widths):
        layers += [Linear(width_in, width_out, rng=generator), ReLU()]
    return Sequential(*layers[:-1])


def small_gpt(tokens: int, length: int, seed: int) -> Completion:
    """A GPT of 2 blocks, 4 heads, 64 wide, which answers a prompt with as many tokens, each the likeliest.

    Its context holds a prompt and its answer.
    """
    generator = np.random.default_rng(seed)
    gpt = GPT(tokens, EMBED_DIM, num_layers=BLOCKS, num_heads=HEADS, max_seq_len=2 * length, rng=generator)
    return Completion(gpt, prompt_length=length, new_tokens=length)
