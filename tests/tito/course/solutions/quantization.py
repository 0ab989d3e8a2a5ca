"""Module 15 in another style: the range of a tensor is an object that codes and decodes."""

import numpy as np

from tinytorch.core.tensor import Tensor


class Range:
    def __init__(self, values):
        self.low, self.high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
        self.scale = (self.high - self.low) / 255 or 1.0
        self.zero_point = int(round(-128 - self.low / self.scale))

    def coded(self, values):
        return np.clip(np.rint(values / self.scale) + self.zero_point, -128, 127).astype(np.int8)


def quantize_int8(tensor):
    values = np.asarray(tensor.data, np.float64)
    found = Range(values)
    return Tensor(found.coded(values), dtype=np.int8), found.scale, found.zero_point


def dequantize_int8(q_tensor, scale, zero_point):
    return Tensor((np.asarray(q_tensor.data, np.float32) - zero_point) * np.float32(scale))


class QuantizedLinear:
    def __init__(self, linear_layer):
        self.layer = linear_layer
        self.weight = quantize_int8(linear_layer.weight)
        self.bias = None if linear_layer.bias is None else quantize_int8(linear_layer.bias)

    def forward(self, x):
        product = x @ dequantize_int8(*self.weight)
        return product if self.bias is None else product + dequantize_int8(*self.bias)

    __call__ = forward

    def parameters(self):
        return []


class Quantizer:
    @staticmethod
    def quantize_model(model, calibration_data=None):
        parts, before, after = {}, 0, 0
        for number, parameter in enumerate(model.parameters()):
            codes, scale, zero_point = quantize_int8(parameter)
            parts[f"param_{number}"] = {
                "quantized": codes,
                "scale": scale,
                "zero_point": zero_point,
                "original_shape": parameter.shape,
            }
            before, after = before + 4 * codes.data.size, after + codes.data.size
        return {
            "quantized_layers": parts,
            "original_size_mb": before / 2**20,
            "quantized_size_mb": after / 2**20,
            "compression_ratio": before / after,
        }
