"""What no line separates: XOR by a hidden layer, with labels as lists and a loss printed by its data."""

import numpy as np

from tinytorch import SGD, BinaryCrossEntropyLoss, Linear, ReLU, Sigmoid, Tensor

X = Tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
y = Tensor([[0], [1], [1], [0]])


class XorNetwork:
    def __init__(self, hidden_size=8):
        rng = np.random.default_rng(4)
        self.hidden = Linear(2, hidden_size, rng=rng)
        self.relu = ReLU()
        self.output = Linear(hidden_size, 1, rng=rng)
        self.sigmoid = Sigmoid()

    def __call__(self, x):
        return self.sigmoid(self.output(self.relu(self.hidden(x))))

    def parameters(self):
        return self.hidden.parameters() + self.output.parameters()


model, criterion = XorNetwork(), BinaryCrossEntropyLoss()
optimizer = SGD(model.parameters(), lr=0.5)
history = []
for _ in range(400):
    predictions = model(X)
    loss = criterion(predictions, y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    history.append(loss.data.item() if hasattr(loss.data, "item") else float(loss.data))
accuracy = ((model(X) > 0.5) == (y > 0.5)).mean().item()
