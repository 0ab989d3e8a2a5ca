"""A perceptron in a plain class, trained by hand: two clouds of points and a line between them."""

import numpy as np

from tinytorch.core.activations import Sigmoid
from tinytorch.core.autograd import enable_autograd
from tinytorch.core.layers import Linear
from tinytorch.core.losses import BinaryCrossEntropyLoss
from tinytorch.core.optimizers import SGD
from tinytorch.core.tensor import Tensor

enable_autograd(quiet=True)


class Perceptron:
    def __init__(self):
        self.linear = Linear(2, 1)
        self.activation = Sigmoid()

    def forward(self, x):
        return self.activation.forward(self.linear.forward(x))

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        return self.linear.parameters()


rng = np.random.default_rng(0)
points = np.vstack([rng.normal(2, 0.6, (50, 2)), rng.normal(-2, 0.6, (50, 2))])
X, y = Tensor(points), Tensor(np.vstack([np.ones((50, 1)), np.zeros((50, 1))]))
model, loss_fn = Perceptron(), BinaryCrossEntropyLoss()
optimizer = SGD(model.parameters(), lr=0.5)
for _ in range(50):
    loss = loss_fn.forward(model(X), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
accuracy = ((model(X).data > 0.5) == (y.data > 0.5)).mean()
