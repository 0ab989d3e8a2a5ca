"""Module 13 in another style: a GPT is a list of layers that are run in a row."""

import numpy as np

from tinytorch.core.activations import GELU
from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.embeddings import EmbeddingLayer
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch.core.tensor import Tensor


class LayerNorm(Layer):
    def __init__(self, normalized_shape, eps=1e-5):
        self.eps = eps
        self.gamma = Tensor(np.ones(normalized_shape), requires_grad=True)
        self.beta = Tensor(np.zeros(normalized_shape), requires_grad=True)

    def forward(self, x):
        away = x - x.mean(axis=-1, keepdims=True)
        variance = (away * away).mean(axis=-1, keepdims=True)
        return away / (variance + self.eps) ** 0.5 * self.gamma + self.beta


class MLP(Layer):
    def __init__(self, embed_dim, hidden_dim=None, dropout_prob=0.1):
        hidden_dim = 4 * embed_dim if hidden_dim is None else hidden_dim
        self.net = Sequential(
            Linear(embed_dim, hidden_dim), GELU(), Linear(hidden_dim, embed_dim), Dropout(dropout_prob)
        )

    def forward(self, x):
        return self.net(x)


class TransformerBlock(Layer):
    def __init__(self, embed_dim, num_heads, mlp_ratio=4, dropout_prob=0.1):
        self.ln1, self.ln2 = LayerNorm(embed_dim), LayerNorm(embed_dim)
        self.attention = MultiHeadAttention(embed_dim, num_heads)
        self.mlp = MLP(embed_dim, mlp_ratio * embed_dim, dropout_prob)

    def forward(self, x, mask=None):
        x = x + self.attention(self.ln1(x), mask)
        return x + self.mlp(self.ln2(x))


def create_causal_mask(seq_len):
    return Tensor([[[1.0 if column <= row else 0.0 for column in range(seq_len)] for row in range(seq_len)]])


class GPT(Layer):
    def __init__(self, vocab_size, embed_dim, num_layers, num_heads, max_seq_len=1024):
        self.max_seq_len = max_seq_len
        self.embedding = EmbeddingLayer(vocab_size, embed_dim, max_seq_len)
        self.blocks = [TransformerBlock(embed_dim, num_heads, dropout_prob=0.0) for _ in range(num_layers)]
        self.head = Sequential(LayerNorm(embed_dim), Linear(embed_dim, vocab_size))

    def forward(self, tokens):
        x, mask = self.embedding(tokens), create_causal_mask(tokens.shape[1])
        for block in self.blocks:
            x = block(x, mask)
        return self.head(x)

    def generate(self, prompt_tokens, max_new_tokens=50, temperature=1.0):
        tokens = np.asarray(prompt_tokens.data).astype(int)
        for _ in range(max_new_tokens):
            scores = self.forward(Tensor(tokens[:, -self.max_seq_len :])).data[:, -1] / temperature
            chances = np.exp(np.float64(scores - scores.max(axis=-1, keepdims=True)))
            drawn = [np.random.choice(len(row), p=row / row.sum()) for row in chances]
            tokens = np.concatenate([tokens, np.array(drawn)[:, None]], axis=1)
        return Tensor(tokens)
