"""Module 15: weights in eight bits, a quarter of the memory.

An integer code q stands for (q - zero_point) * scale.
Test it:  tito module test quantization
"""

import numpy as np

from tinytorch.core.tensor import Tensor


def quantize_int8(tensor):
    """(codes, scale, zero_point): the range of the values is spread over -128..127, and codes are rounded to int8.

    The range must hold 0, and may be empty: a tensor of zeros has no range to divide by.
    Make the codes' Tensor as Tensor(int8_array); it keeps whole numbers as they are.
    """
    raise NotImplementedError("quantize_int8")


def dequantize_int8(q_tensor, scale, zero_point):
    """The values that codes stand for."""
    raise NotImplementedError("dequantize_int8")


class QuantizedLinear:
    """A Linear layer with its weight as codes; in a call they become floats, or the product stays in integers."""

    def __init__(self, linear_layer):
        raise NotImplementedError("QuantizedLinear(layer)")

    def forward(self, x):
        raise NotImplementedError("QuantizedLinear.forward")

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        return []


class Quantizer:
    @staticmethod
    def quantize_model(model, calibration_data=None):
        """A dict: quantized_layers, original_size_mb, quantized_size_mb, compression_ratio.

        quantized_layers has an entry for each of model.parameters(), in order, param_0, param_1, ...: a dict of
        quantized, scale, zero_point and original_shape.
        """
        raise NotImplementedError("Quantizer.quantize_model")
