"""Quantization: weights as small integers, which stand for multiples of a step (module 15)."""

from tinytorch.perf.quantization.activations import InputCodes, QuantizedConv2d, QuantizedLinear
from tinytorch.perf.quantization.aware import quantization_aware_tune
from tinytorch.perf.quantization.codes import QuantizedWeight, Ranges, quantize_weight
from tinytorch.perf.quantization.curriculum import Quantizer, dequantize_int8, quantize_int8
from tinytorch.perf.quantization.equalizing import equalize
from tinytorch.perf.quantization.models import calibrate, quantize_model
from tinytorch.perf.quantization.sensitivity import choose_layers, sensitivity

__all__ = [
    "InputCodes",
    "QuantizedConv2d",
    "QuantizedLinear",
    "QuantizedWeight",
    "Quantizer",
    "Ranges",
    "calibrate",
    "choose_layers",
    "dequantize_int8",
    "equalize",
    "quantization_aware_tune",
    "quantize_int8",
    "quantize_model",
    "quantize_weight",
    "sensitivity",
]
