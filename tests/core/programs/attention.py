"""Sequences written backwards by one layer of attention: only a look at other positions can tell."""

import numpy as np

from tinytorch import Adam, CrossEntropyLoss, Linear, ReLU
from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.embeddings import Embedding, PositionalEncoding
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import LayerNorm

LENGTH, SYMBOLS, WIDTH = 6, 10, 32


class ReversalTransformer:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.embedding = Embedding(SYMBOLS, WIDTH, rng=rng)
        self.positions = PositionalEncoding(LENGTH, WIDTH, rng=rng)
        self.attention = MultiHeadAttention(WIDTH, 4, rng=rng)
        self.ln1, self.ln2 = LayerNorm(WIDTH), LayerNorm(WIDTH)
        self.fc1, self.relu, self.fc2 = Linear(WIDTH, 2 * WIDTH, rng=rng), ReLU(), Linear(2 * WIDTH, WIDTH, rng=rng)
        self.output = Linear(WIDTH, SYMBOLS, rng=rng)
        self.layers = [
            self.embedding, self.positions, self.attention, self.ln1, self.ln2, self.fc1, self.fc2, self.output
        ]  # fmt: skip

    def __call__(self, x):
        x = self.positions(self.embedding(x))
        x = self.ln1(x + self.attention(x))
        x = self.ln2(x + self.fc2(self.relu(self.fc1(x))))
        return self.output(x)

    def parameters(self):
        return [parameter for layer in self.layers for parameter in layer.parameters()]


draws = np.random.default_rng(1).integers(0, SYMBOLS, (700, LENGTH))
train, test = draws[:500], draws[500:]
model = ReversalTransformer()
optimizer, loss_fn = Adam(model.parameters(), lr=0.003), CrossEntropyLoss()
for _ in range(5):
    for start in range(0, len(train), 20):
        x = train[start : start + 20]
        loss = loss_fn(model(Tensor(x)), x[:, ::-1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
answers = model(Tensor(test)).data.argmax(axis=-1)
accuracy = float((answers == test[:, ::-1]).all(axis=1).mean())
