"""Layers for images (N, C, H, W): samples, channels, rows and columns of pixels."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from tinytorch.core.activations import ReLU
from tinytorch.core.arguments import Rng, checked, generator_of, is_whole, whole
from tinytorch.core.layers import Affine, Layer, Linear
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor, apply, concatenate
from tinytorch.core.windows import Size
from tinytorch.errors import ShapeError, UsageError


class Conv2d(Layer):
    """Every window of the images times one kernel for each output channel (a cross-correlation, as everywhere).

    images (N, C, H, W) -> (N, O, rows, columns) with rows = (H + 2 padding - KH) // stride + 1, columns alike; weight
    (O, C, KH, KW), drawn from a normal distribution of variance 2 / (C KH KW) (He et al. 2015); bias (O,), zero, or
    None. With a `dilation` the kernel's pixels lie that far apart (Yu & Koltun 2016), and count as KH = 1 + dilation
    (KH - 1) rows above. With `groups` channels are cut into as many parts, each with O / groups kernels of its own, and
    the weight is (O, C / groups, KH, KW). Both are made of plain convolutions, in which a kernel's gaps are zeros.
    Without `rng` the draw differs from run to run. Raises UsageError for sizes that make no convolution.
    """

    dilation = 1  # attributes of a layer that has another: files of plain ones stay as small as they were
    groups = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Size,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        rng: Rng = None,
        dilation: int = 1,
        groups: int = 1,
    ) -> None:
        kernel = _checked_kernel("Conv2d", kernel_size, stride, padding)
        channels, outputs = (whole("Conv2d needs its channels", size, 1) for size in (in_channels, out_channels))
        self._spread(dilation, groups, channels, outputs)
        in_channels = channels // groups
        shape = (outputs, in_channels, *kernel)
        draw = generator_of(rng).standard_normal(shape, dtype=np.float32)
        draw *= np.float32(np.sqrt(2 / (in_channels * kernel[0] * kernel[1])))
        self.weight = Tensor(draw, requires_grad=True)
        self.bias = Tensor.zeros(outputs, requires_grad=True) if bias else None
        self.stride = stride
        self.padding = padding

    @classmethod
    def from_arrays(
        cls,
        weight: Array,
        bias: Array | None = None,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
    ) -> Self:
        """A layer over given weights (O, C / groups, KH, KW) and bias (O,), not copied.

        Raises ShapeError when they do not fit together, UsageError for sizes that make no convolution.
        """
        if weight.ndim != 4 or (bias is not None and bias.shape != weight.shape[:1]):
            shapes = f"{weight.shape} and {None if bias is None else bias.shape}"
            raise ShapeError(f"Conv2d needs a weight (O, C, KH, KW) and a bias (O,), got {shapes}")
        layer = cls.__new__(cls)
        layer._spread(dilation, groups, weight.shape[1] * groups, len(weight))
        layer.weight = Tensor(weight, requires_grad=True)
        layer.bias = None if bias is None else Tensor(bias, requires_grad=True)
        layer.stride, layer.padding = stride, padding
        return layer

    @property
    def in_channels(self) -> int:
        """Channels of the images."""
        return self.weight.shape[1] * self.groups

    @property
    def out_channels(self) -> int:
        """Channels of the outputs."""
        return self.weight.shape[0]

    @property
    def kernel_size(self) -> Size:
        """Rows and columns of a window."""
        return self.weight.shape[2], self.weight.shape[3]

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, O, rows, columns); ShapeError for other channels, and images smaller than a window."""
        weights = (self.weight,) if self.bias is None else (self.weight, self.bias)
        try:
            if self.is_plain:
                outputs: Tensor = apply("conv2d", inputs, *weights, stride=self.stride, padding=self.padding)
                return outputs
            return self._in_groups(inputs)
        except ShapeError as error:
            raise _does_not_fit(self, self.in_channels, inputs, error) from error

    @property
    def is_plain(self) -> bool:
        """Whether every output sees all channels, by a kernel without gaps."""
        return self.groups == 1 and self.dilation == 1

    def _spread(self, dilation: int, groups: int, in_channels: int, out_channels: int) -> None:
        """Note what is not plain. UsageError for channels that cannot be divided among groups."""
        whole("Conv2d needs a dilation", dilation, 1)
        whole("Conv2d needs groups", groups, 1)
        if in_channels % groups or out_channels % groups:
            raise UsageError(f"{in_channels} and {out_channels} channels cannot be divided among {groups} groups")
        if dilation != 1:
            self.dilation = dilation
        if groups != 1:
            self.groups = groups

    def _in_groups(self, inputs: Tensor) -> Tensor:
        """Each group's outputs, one after the other."""
        if inputs.ndim != 4 or inputs.shape[1] != self.in_channels:
            raise ShapeError(f"the images must have {self.in_channels} channels")
        weight = _with_gaps(self.weight if isinstance(self.weight, Tensor) else Tensor(self.weight.data), self.dilation)
        size, count = self.in_channels // self.groups, self.out_channels // self.groups
        parts = []
        for group in range(self.groups):
            kernels = slice(group * count, (group + 1) * count)
            weights = (weight[kernels],) if self.bias is None else (weight[kernels], self.bias[kernels])
            channels = inputs[:, group * size : (group + 1) * size]
            parts.append(apply("conv2d", channels, *weights, stride=self.stride, padding=self.padding))
        return concatenate(parts, axis=1)

    def __repr__(self) -> str:
        suffix = ", bias=False" if self.bias is None else ""
        sizes = f"{self.in_channels}, {self.out_channels}, {self.kernel_size}"
        suffix += "".join(f", {name}={value}" for name, value in vars(self).items() if name in ("dilation", "groups"))
        return f"Conv2d({sizes}, stride={self.stride}, padding={self.padding}{suffix})"


class Pool2d(Layer):
    """Base of layers that make one pixel of every window; `stride` is the kernel's own size unless given."""

    operation: str

    def __init__(self, kernel_size: int | Size, stride: int | None = None, padding: int = 0) -> None:
        if stride is None and isinstance(kernel_size, tuple) and kernel_size[0] != kernel_size[1]:
            raise UsageError(f"{self.kind} with the kernel {kernel_size} needs a stride")
        self.kernel_size = _checked_kernel(self.kind, kernel_size, stride, padding)
        if padding >= min(self.kernel_size):
            raise UsageError(f"{self.kind} needs a padding smaller than its kernel {self.kernel_size}, got {padding}")
        self.stride = stride or self.kernel_size[0]
        self.padding = padding

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, rows, columns); ShapeError for images smaller than a window."""
        try:
            return apply(self.operation, inputs, kernel=self.kernel_size, stride=self.stride, padding=self.padding)
        except ShapeError as error:
            raise _does_not_fit(self, "C", inputs, error) from error

    def __repr__(self) -> str:
        return f"{self.kind}({self.kernel_size}, stride={self.stride}, padding={self.padding})"


class MaxPool2d(Pool2d):
    """The largest pixel of every window."""

    operation = "max_pool2d"


class AvgPool2d(Pool2d):
    """The mean of every window, padding counted as zeros."""

    operation = "avg_pool2d"


class BatchNorm2d(Affine):
    """(x - mean) / sqrt(variance + eps) * gamma + beta, for each channel (Ioffe & Szegedy 2015).

    In training mean and variance are the batch's own, and are remembered: running = (1 - momentum) * running +
    momentum * batch's, with the unbiased variance. Inference uses what was remembered. gamma and beta (C,) are
    trained, running_mean and running_var (C,) are not.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        num_features = whole("BatchNorm2d needs num_features", num_features, 1)
        self.eps = checked("BatchNorm2d needs an eps", eps, above=0)
        self.momentum = checked("BatchNorm2d needs a momentum", momentum, from_=0, to=1)
        self.gamma = Tensor.ones(num_features, requires_grad=True)
        self.beta = Tensor.zeros(num_features, requires_grad=True)
        self.running_mean: Array = np.zeros(num_features, np.float32)
        self.running_var: Array = np.ones(num_features, np.float32)

    @property
    def num_features(self) -> int:
        """Number of channels."""
        return self.gamma.size

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, C, H, W), kept; ShapeError when C is another, or when training on one pixel for each channel."""
        if inputs.ndim != 4 or inputs.shape[1] != self.gamma.size:
            raise ShapeError(f"{self!r} needs (N, {self.gamma.size}, H, W), got {inputs.shape}")
        gamma, beta = self.gamma.reshape(-1, 1, 1), self.beta.reshape(-1, 1, 1)
        if self.training:
            self._remember(inputs.data)
            return apply("normalize", inputs, axis=(0, 2, 3), epsilon=self.eps) * gamma + beta
        scale = gamma * (1 / np.sqrt(self.running_var + self.eps))[:, None, None]
        shift: Tensor = beta - scale * self.running_mean[:, None, None]
        return inputs * scale + shift

    def _remember(self, images: Array) -> None:
        pixels = images.size // self.gamma.size
        if pixels < 2:
            raise ShapeError("training a BatchNorm2d needs more than one pixel for each channel")
        for running, batch in (
            (self.running_mean, images.mean(axis=(0, 2, 3))),
            (self.running_var, images.var(axis=(0, 2, 3)) * (pixels / (pixels - 1))),
        ):
            running *= 1 - self.momentum
            running += self.momentum * batch

    def __repr__(self) -> str:
        return f"BatchNorm2d({self.gamma.size})"


class Flatten(Layer):
    """All axes but the first as one."""

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, ...) -> (N, features)."""
        return inputs.reshape(len(inputs), math.prod(inputs.shape[1:]))


class SimpleCNN(Layer):
    """Two convolutions of 16 and 32 channels, each with ReLU and pooling, and a Linear: a network to start from.

    images (N, 3, 32, 32), or of another `image_size` that is a multiple of 4 -> scores (N, num_classes).
    """

    def __init__(self, num_classes: int = 10, image_size: int = 32, in_channels: int = 3, rng: Rng = None) -> None:
        rng = generator_of(rng)
        if whole("SimpleCNN needs an image_size", image_size, 4) % 4:
            raise UsageError(f"SimpleCNN needs images whose size is a multiple of 4, not {image_size}")
        self.conv1 = Conv2d(in_channels, 16, 3, padding=1, rng=rng)
        self.conv2 = Conv2d(16, 32, 3, padding=1, rng=rng)
        self.pool = MaxPool2d(2)
        self.relu = ReLU()
        self.flatten = Flatten()
        self.fc = Linear(32 * (image_size // 4) ** 2, num_classes, rng=rng)

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, num_classes)."""
        hidden: Tensor = self.pool(self.relu(self.conv1(inputs)))
        scores: Tensor = self.fc(self.flatten(self.pool(self.relu(self.conv2(hidden)))))
        return scores


def _with_gaps(weight: Tensor, dilation: int) -> Tensor:
    """Kernels (O, C, KH, KW) with dilation - 1 rows and columns of zeros between theirs."""
    if dilation == 1:
        return weight
    outputs, channels, rows, columns = weight.shape
    beside = Tensor(np.zeros((*weight.shape, dilation - 1), np.float32))
    wide = concatenate([weight.unsqueeze(4), beside], axis=4).reshape(outputs, channels, rows, columns * dilation)
    wide = wide[..., : (columns - 1) * dilation + 1]
    below = Tensor(np.zeros((outputs, channels, rows, dilation - 1, wide.shape[3]), np.float32))
    tall = concatenate([wide.unsqueeze(3), below], axis=3).reshape(outputs, channels, rows * dilation, wide.shape[3])
    return tall[:, :, : (rows - 1) * dilation + 1]


def _does_not_fit(layer: Layer, channels: int | str, inputs: Tensor, error: ShapeError) -> ShapeError:
    return ShapeError(f"{layer!r} needs images (N, {channels}, H, W), got {inputs.shape}: {error.message}")


def _checked_kernel(name: str, kernel_size: Any, stride: int | None, padding: int) -> Size:
    """Rows and columns of a window; UsageError for sizes that make no windows."""
    is_pair = isinstance(kernel_size, (tuple, list)) and len(kernel_size) == 2
    rows, columns = kernel_size if is_pair else (kernel_size, kernel_size)
    sizes = [(rows, 1), (columns, 1), (1 if stride is None else stride, 1), (padding, 0)]
    if not all(is_whole(size) and size >= least for size, least in sizes):
        raise UsageError(
            f"{name} needs a kernel, an integer of at least 1 or two of them, and one integer for the stride, of at "
            f"least 1, and for the padding, of at least 0; got {kernel_size}, {stride} and {padding!r}"
        )
    return rows, columns
