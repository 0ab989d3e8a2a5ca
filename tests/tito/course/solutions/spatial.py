"""Module 09 in another style: everything is made of slices, so that our Tensor follows the gradients by itself."""

import numpy as np

from tinytorch.core.layers import Layer
from tinytorch.core.tensor import Tensor, concatenate


def padded(x, padding, value):
    for axis in (2, 3):
        shape = list(x.shape)
        shape[axis] = padding
        if padding:
            edge = Tensor(np.full(shape, value, np.float32))
            x = concatenate([edge, x, edge], axis=axis)
    return x


def places(x, kernel, stride):
    """For every place in a window what stands there in all of them: (N, C, rows, columns) each."""
    rows, columns = ((side - kernel) // stride + 1 for side in x.shape[2:])
    for i in range(kernel):
        for j in range(kernel):
            yield i, j, x[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride]


class Conv2d(Layer):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        scale = (2 / (in_channels * kernel_size**2)) ** 0.5
        shape = (out_channels, in_channels, kernel_size, kernel_size)
        self.weight = Tensor(np.random.randn(*shape) * scale, requires_grad=True)
        self.bias = Tensor(np.zeros(out_channels), requires_grad=True) if bias else None

    def forward(self, x):
        total = None
        for i, j, part in places(padded(x, self.padding, 0), self.kernel_size, self.stride):
            n, channels, rows, columns = part.shape
            product = self.weight[:, :, i, j] @ part.reshape(n, channels, rows * columns)
            total = product if total is None else total + product
        total = total.reshape(n, -1, rows, columns)
        return total if self.bias is None else total + self.bias.reshape(1, -1, 1, 1)


class Pool(Layer):
    def __init__(self, kernel_size, stride=None, padding=0):
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def windows(self, x, edge):
        parts = places(padded(x, self.padding, edge), self.kernel_size, self.stride)
        return concatenate([part.reshape(1, *part.shape) for *_, part in parts], axis=0)


class MaxPool2d(Pool):
    def forward(self, x):
        return self.windows(x, -np.inf).max(axis=0)


class AvgPool2d(Pool):
    def forward(self, x):
        return self.windows(x, 0).mean(axis=0)


class BatchNorm2d(Layer):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps, self.momentum = eps, momentum
        self.gamma = Tensor(np.ones((num_features, 1, 1)), requires_grad=True)
        self.beta = Tensor(np.zeros((num_features, 1, 1)), requires_grad=True)
        self.running_mean, self.running_var = np.zeros((num_features, 1, 1)), np.ones((num_features, 1, 1))

    def forward(self, x):
        if not self.training:
            mean, variance = Tensor(self.running_mean), Tensor(self.running_var)
        else:
            mean = x.mean(axis=(0, 2, 3), keepdims=True)
            variance = ((x - mean) * (x - mean)).mean(axis=(0, 2, 3), keepdims=True)
            self.running_mean += self.momentum * (mean.data[0] - self.running_mean)
            self.running_var += self.momentum * (variance.data[0] - self.running_var)
        return (x - mean) / (variance + self.eps) ** 0.5 * self.gamma + self.beta
