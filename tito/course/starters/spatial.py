"""Module 09: convolutions and pooling, for images (batch, channels, height, width).

Each has a gradient: make the result of slices and sums of Tensors, which have one, or set result._grad_fn to a Function
of your own (module 05).

Test it:  tito module test spatial
"""

import numpy as np

from tinytorch.core.layers import Layer
from tinytorch.core.tensor import Tensor


class Conv2d(Layer):
    """Each output is a sum over a window of the input, times a weight (out_channels, in_channels, height, width).

    A side of the output has (side + 2 padding - kernel) / stride + 1 places, rounded down. Write it with loops first;
    then turn all windows into rows of one matrix (im2col), and it is a product.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        raise NotImplementedError("Conv2d(...)")


class MaxPool2d(Layer):
    """The greatest of each window; stride=None means windows beside one another. Padding is never the greatest."""

    def __init__(self, kernel_size, stride=None, padding=0):
        raise NotImplementedError("MaxPool2d(...)")


class AvgPool2d(Layer):
    """The mean of each window."""

    def __init__(self, kernel_size, stride=None, padding=0):
        raise NotImplementedError("AvgPool2d(...)")


class BatchNorm2d(Layer):
    """Each channel with mean 0 and deviation 1 over the batch, then times gamma plus beta, which are learned.

    In training it keeps running means of both, and uses them in inference.
    """

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        raise NotImplementedError("BatchNorm2d(...)")
