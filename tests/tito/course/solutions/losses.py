"""Module 04 in another style: losses are functions, and a class only calls one."""

import numpy as np

from tinytorch.core.tensor import Tensor


def log_softmax(x, dim=-1):
    values = np.asarray(x.data, np.float64)
    most = values.max(axis=dim, keepdims=True)
    return Tensor(values - most - np.log(np.exp(values - most).sum(axis=dim, keepdims=True)))


def squares(predictions, targets):
    return np.mean(np.square(predictions - targets))


def surprise(logits, classes):
    logs = log_softmax(Tensor(logits)).data
    return -np.mean([logs[row, int(right)] for row, right in enumerate(classes)])


def coin(probabilities, targets):
    sure = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    return -np.mean(np.where(targets > 0.5, np.log(sure), np.log(1 - sure)))


def loss(function):
    class Loss:
        def forward(self, predictions, targets):
            return Tensor(function(predictions.data, targets.data))

        __call__ = forward

    return Loss


MSELoss, CrossEntropyLoss, BinaryCrossEntropyLoss = loss(squares), loss(surprise), loss(coin)
