"""1986: backpropagation through hidden layers reads handwritten digits.

64 grey pixels go in, ten scores come out; 1437 digits to learn from, 360 others to be judged by.
"""

from __future__ import annotations

import numpy as np

from tinytorch import Adam, CrossEntropyLoss, DataLoader, Linear, ReLU, Sequential, Trainer
from tinytorch.core.metrics import accuracy
from tinytorch.datasets.digits import load_digits
from tinytorch.progress import Progress

EPOCHS = 20


def run(progress: Progress) -> float:
    """Train a perceptron with one hidden layer; the share of the test digits that it reads right."""
    train, test = load_digits()
    generator = np.random.default_rng(0)
    model = Sequential(Linear(64, 64, rng=generator), ReLU(), Linear(64, 10, rng=generator))
    trainer = Trainer(model, Adam(model.parameters(), lr=0.003), CrossEntropyLoss(),
                      progress=lambda _, share: progress("learn", share))  # fmt: skip
    trainer.fit(DataLoader(train, batch_size=32, shuffle=True, seed=0), EPOCHS)
    return accuracy(model.eval(), test)
