"""Digits by a convolutional network in a plain class, with a loop of its own over a list of batches."""

import numpy as np

from tinytorch.core.layers import Linear, ReLU
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.spatial import BatchNorm2d, Conv2d, MaxPool2d
from tinytorch.core.tensor import Tensor
from tinytorch.datasets.digits import load_digits


class CNN:
    def __init__(self, num_classes=10):
        rng = np.random.default_rng(0)
        self.conv1 = Conv2d(in_channels=1, out_channels=8, kernel_size=3, stride=1, padding=1, rng=rng)
        self.bn1 = BatchNorm2d(num_features=8)
        self.pool = MaxPool2d(kernel_size=2, stride=2)
        self.conv2 = Conv2d(8, 16, (3, 3), padding=1, rng=rng)
        self.relu = ReLU()
        self.fc = Linear(16 * 2 * 2, num_classes, rng=rng)

    def forward(self, x):
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        x = self.pool(self.relu(self.conv2(x)))
        return self.fc(x.reshape(x.shape[0], -1))

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        return [p for layer in (self.conv1, self.bn1, self.conv2, self.fc) for p in layer.parameters()]


train, test = load_digits()
images, labels = train.inputs.reshape(-1, 1, 8, 8), train.labels
batches = [(Tensor(images[i : i + 32]), Tensor(labels[i : i + 32])) for i in range(0, 960, 32)]
model, loss_fn = CNN(), CrossEntropyLoss()
optimizer = Adam(model.parameters(), lr=0.01)
for _ in range(4):
    for x, y in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
model.bn1.eval()
accuracy = (np.argmax(model(Tensor(test.inputs.reshape(-1, 1, 8, 8))).data, axis=1) == test.labels).mean()
