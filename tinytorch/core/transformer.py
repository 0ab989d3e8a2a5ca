"""The other name of `transformers`: older editions of the curriculum import from here."""

from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.transformers import (
    GPT,
    MLP,
    Completion,
    LayerNorm,
    TinyGPT,
    TransformerBlock,
    create_causal_mask,
)

__all__ = [
    "GPT",
    "MLP",
    "Completion",
    "LayerNorm",
    "MultiHeadAttention",
    "TinyGPT",
    "TransformerBlock",
    "create_causal_mask",
]
