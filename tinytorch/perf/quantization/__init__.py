"""Quantization: weights as small integers, which stand for multiples of a step (module 15)."""

from tinytorch.perf.quantization.codes import QuantizedWeight, Ranges, quantize_weight
from tinytorch.perf.quantization.models import quantize_model
from tinytorch.perf.quantization.sensitivity import choose_layers, sensitivity

__all__ = ["QuantizedWeight", "Ranges", "choose_layers", "quantize_model", "quantize_weight", "sensitivity"]
