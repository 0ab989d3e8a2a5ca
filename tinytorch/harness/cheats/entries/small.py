"""An honest twin: a small network of plain arrays."""

import numpy as np

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.spatial import Flatten
from tinytorch.workloads.task import Recipe, fit

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, parameters):
        self.parameters_of = parameters

    def answers(self, rows):
        first, one, second, two, third, three = self.parameters_of
        return np.maximum(np.maximum(rows @ first + one, 0) @ second + two, 0) @ third + three

    def __call__(self, x):
        return self.answers(x.data.reshape(len(x.data), -1))


def optimize(model, train_data):
    made = Sequential(Flatten(), Linear(64, 128), ReLU(), Linear(128, 64), ReLU(), Linear(64, 10))
    fit(made, train_data, Recipe(epochs=12, batch_size=32, learning_rate=2e-3, seed=1))
    return Model([each.data for each in made.parameters()])
