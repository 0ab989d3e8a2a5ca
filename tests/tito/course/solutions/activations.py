"""Module 02 in another style: one base, and a function for each class."""

import math

import numpy as np

from tinytorch.core.tensor import Tensor


class Activation:
    def forward(self, x, dim=-1):
        return Tensor(self.of(np.asarray(x.data, dtype=np.float64), dim))

    def __call__(self, *arguments, **options):
        return self.forward(*arguments, **options)

    def parameters(self):
        return ()


class ReLU(Activation):
    def of(self, x, dim):
        return x * (x > 0)


class Sigmoid(Activation):
    def of(self, x, dim):
        return (1 + np.tanh(x / 2)) / 2


class Tanh(Activation):
    def of(self, x, dim):
        return 1 - 2 / (1 + np.exp(np.minimum(2 * x, 700)))


class GELU(Activation):
    def of(self, x, dim):
        return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


class Softmax(Activation):
    def of(self, x, dim):
        powers = np.exp(x - x.max(axis=dim, keepdims=True))
        return powers / powers.sum(axis=dim, keepdims=True)
