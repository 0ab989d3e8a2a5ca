"""Module 03: layers, and networks of them.

A layer has forward(x), can be called, and parameters() lists the tensors that it learns.
Test it:  tito module test layers
"""

import numpy as np

from tinytorch.core.tensor import Tensor


class Layer:
    """What all layers have in common."""

    training = True

    def forward(self, x):
        raise NotImplementedError("forward")

    def __call__(self, x, *args, **kwargs):
        return self.forward(x, *args, **kwargs)

    def parameters(self):
        return []

    # train() and eval() switch self.training, and hand the layer back.


class Linear(Layer):
    """x @ weight + bias, with a weight of shape (in_features, out_features)."""

    def __init__(self, in_features, out_features, bias=True):
        # Random first weights, about sqrt(1 / in_features) wide: with zeros all neurons would stay alike,
        # with large ones the signal explodes from layer to layer. Both tensors need requires_grad=True.
        raise NotImplementedError("Linear(...)")


class Dropout(Layer):
    """In training each value is 0 with probability p, and the others are divided by 1 - p so that the mean stays."""

    def __init__(self, p=0.5):
        raise NotImplementedError("Dropout(p)")

    def forward(self, x, training=None):
        # None: as self.training says.
        raise NotImplementedError("Dropout.forward")


class Sequential(Layer):
    """Layers in a row, kept as a list in self.layers."""

    def __init__(self, *layers):
        raise NotImplementedError("Sequential(...)")


def set_training_mode(model, training):
    """Switch every layer inside of a model of any class."""
    raise NotImplementedError("set_training_mode")
