"""Module 06 (07 in the newer edition): optimizers, steps down a gradient.

Each has zero_grad() and step(), and changes parameter.data in place of making new tensors.
Test it:  tito module test optimizers
"""

import numpy as np


class Optimizer:
    def __init__(self, params, lr):
        self.params = list(params)
        self.lr = lr

    def zero_grad(self):
        """Forget all gradients."""
        raise NotImplementedError("zero_grad")


class SGD(Optimizer):
    """velocity = momentum * velocity + gradient, then weight = weight - lr * velocity.

    weight_decay adds that share of the weight to the gradient.
    """

    def __init__(self, params, lr=0.01, momentum=0.0, weight_decay=0.0):
        raise NotImplementedError("SGD(...)")


class Adam(Optimizer):
    """A mean of gradients over the root of a mean of their squares (Kingma & Ba 2015), both corrected for their start.

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  step lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
    """

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        raise NotImplementedError("Adam(...)")


class AdamW(Adam):
    """Adam, with the decay lr * weight_decay * weight beside the gradient, not in it (Loshchilov & Hutter 2019)."""
