"""Digits by a multilayer perceptron, through datasets, loaders and a Trainer with schedule and clipping."""

import numpy as np

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import CosineSchedule, Trainer
from tinytorch.datasets.digits import load_digits

train, test = load_digits()
rng = np.random.default_rng(0)
model = Sequential(Linear(64, 32, rng=rng), ReLU(), Dropout(0.1), Linear(32, 10, rng=rng))
trainer = Trainer(
    model,
    Adam(model.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0),
    CrossEntropyLoss(),
    scheduler=CosineSchedule(max_lr=0.01, min_lr=0.001, total_epochs=4),
    grad_clip_norm=5.0,
)
data = TensorDataset(Tensor(train.inputs), Tensor(train.labels.astype(float)))
losses = [trainer.train_epoch(DataLoader(data, batch_size=32, shuffle=True)) for _ in range(4)]
loss, accuracy = trainer.evaluate(DataLoader(TensorDataset(test.inputs, test.labels), batch_size=64))
