"""The curriculum's names for module 15, with its contract: tensors and dictionaries; its sizes are MiB."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.model import parameters_of
from tinytorch.core.tensor import Tensor
from tinytorch.perf.quantization.codes import quantize_weight
from tinytorch.units import BYTES_PER_MEBIBYTE


def quantize_int8(tensor: Any) -> tuple[Tensor, float, int]:
    """A tensor as int8 codes with one scale and zero point: (codes, scale, zero_point)."""
    array = np.asarray(tensor, np.float32)
    codes = quantize_weight(array.reshape(1, -1), symmetric=False)
    zero_point = 0 if codes.zero_point is None else int(codes.zero_point[0])
    return Tensor(codes.codes.reshape(array.shape)), float(codes.scale[0]), zero_point


def dequantize_int8(q_tensor: Any, scale: float, zero_point: int) -> Tensor:
    """What the codes stand for: (codes - zero_point) * scale."""
    return Tensor((np.asarray(q_tensor, np.float32) - zero_point) * np.float32(scale))


class Quantizer:
    """The curriculum's front: functions of one class."""

    @staticmethod
    def quantize_tensor(tensor: Any) -> tuple[Tensor, float, int]:
        """`quantize_int8`."""
        return quantize_int8(tensor)

    @staticmethod
    def dequantize_tensor(q_tensor: Any, scale: float, zero_point: int) -> Tensor:
        """`dequantize_int8`."""
        return dequantize_int8(q_tensor, scale, zero_point)

    @staticmethod
    def quantize_model(model: Any, calibration_data: Any = None) -> dict[str, Any]:
        """Codes of every parameter of a model, which stays as it is, and the sizes of both in MiB."""
        layers: dict[str, dict[str, Any]] = {}
        original = 0
        for number, parameter in enumerate(parameters_of(model)):
            codes, scale, zero_point = quantize_int8(parameter)
            layers[f"param_{number}"] = {
                "quantized": codes, "scale": scale, "zero_point": zero_point, "original_shape": parameter.shape,
            }  # fmt: skip
            original += parameter.data.nbytes
        quantized = sum(entry["quantized"].data.nbytes for entry in layers.values())
        return {
            "quantized_layers": layers,
            "original_size_mb": original / BYTES_PER_MEBIBYTE,
            "quantized_size_mb": quantized / BYTES_PER_MEBIBYTE,
            "compression_ratio": original / quantized if quantized else 1.0,
        }

    @staticmethod
    def compare_models(original_model: Any, quantized_info: dict[str, Any]) -> dict[str, Any]:
        """The sizes in what `quantize_model` gave, beside those of the model."""
        original = sum(parameter.data.nbytes for parameter in parameters_of(original_model)) / BYTES_PER_MEBIBYTE
        return {
            "original_mb": original,
            "quantized_mb": quantized_info["quantized_size_mb"],
            "compression_ratio": quantized_info["compression_ratio"],
            "memory_saved_mb": original - quantized_info["quantized_size_mb"],
        }
