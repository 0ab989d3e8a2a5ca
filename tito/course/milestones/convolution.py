"""1998: a convolutional network reads the digits as pictures.

The same few weights look at every place, so that a stroke is a stroke wherever it stands: fewer weights than the
perceptron needs, and fewer errors.
"""

from __future__ import annotations

import numpy as np

from tinytorch import Adam, Conv2d, CrossEntropyLoss, DataLoader, Flatten, Linear, MaxPool2d, ReLU, Sequential, Trainer
from tinytorch.core.metrics import accuracy
from tinytorch.progress import Progress
from tinytorch.workloads.digits_cnn import load_images

EPOCHS = 12


def run(progress: Progress) -> float:
    """Train it; the share of the test digits that it reads right."""
    train, test = load_images()
    generator = np.random.default_rng(0)
    model = Sequential(
        Conv2d(1, 8, kernel_size=3, padding=1, rng=generator), ReLU(), MaxPool2d(2),
        Conv2d(8, 16, kernel_size=3, padding=1, rng=generator), ReLU(), MaxPool2d(2),
        Flatten(), Linear(64, 10, rng=generator),
    )  # fmt: skip
    trainer = Trainer(model, Adam(model.parameters(), lr=0.005), CrossEntropyLoss(),
                      progress=lambda _, share: progress("learn", share))  # fmt: skip
    trainer.fit(DataLoader(train, batch_size=32, shuffle=True, seed=0), EPOCHS)
    return accuracy(model.eval(), test)
