"""Every layer, loss and optimizer against values that PyTorch computed (`benchmarks/torch_reference.py`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.attention import scaled_dot_product_attention
from tinytorch.core.embeddings import Embedding
from tinytorch.core.layers import Layer, Linear
from tinytorch.core.losses import (
    BCEWithLogitsLoss,
    BinaryCrossEntropyLoss,
    CrossEntropyLoss,
    Loss,
    MSELoss,
    log_softmax,
)
from tinytorch.core.optimizers import SGD, Adam, AdamW, Optimizer
from tinytorch.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, Flatten, MaxPool2d
from tinytorch.core.state import held
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import CosineSchedule, clip_grad_norm
from tinytorch.core.transformers import GPT, LayerNorm

Case = dict[str, Any]


def _cases() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    with np.load(Path(__file__).with_name("reference.npz"), allow_pickle=False) as arrays:
        for key in arrays.files:
            case, _, name = key.partition("/")
            cases.setdefault(case, {})[name] = arrays[key]
    return cases


CASES = _cases()


def linear(case: Case) -> Linear:
    """PyTorch keeps the weight as (out, in)."""
    return Linear.from_arrays(case["weight"].T, case.get("bias"))


def batch_norm(case: Case) -> BatchNorm2d:
    layer = BatchNorm2d(3)
    layer.gamma.data, layer.beta.data = case["weight"], case["bias"]
    layer.running_mean, layer.running_var = case["running_mean_before"].copy(), case["running_var_before"].copy()
    return layer


def layer_norm(case: Case) -> LayerNorm:
    layer = LayerNorm(6)
    layer.gamma.data, layer.beta.data = case["weight"], case["bias"]
    return layer


class LogSoftmax(Layer):
    def forward(self, inputs: Tensor) -> Tensor:
        return log_softmax(inputs, dim=1)


LAYERS: dict[str, Callable[[Case], Layer]] = {
    "linear": linear,
    "linear_of_sequences": linear,
    "relu": lambda case: ReLU(),
    "sigmoid": lambda case: Sigmoid(),
    "tanh": lambda case: Tanh(),
    "gelu": lambda case: GELU(),
    "softmax": lambda case: Softmax(),
    "log_softmax": lambda case: LogSoftmax(),
    "layer_norm": lambda case: layer_norm(case),
    "conv2d_of_one_pixel": lambda case: Conv2d.from_arrays(case["weight"], case["bias"], stride=2),
    "conv2d_of_one_image": lambda case: Conv2d.from_arrays(case["weight"], case["bias"], padding=1),
    "conv2d_wide_padding": lambda case: Conv2d.from_arrays(case["weight"], case["bias"], stride=3, padding=3),
    "flatten": lambda case: Flatten(),
    "conv2d": lambda case: Conv2d.from_arrays(case["weight"], case["bias"], padding=1),
    "conv2d_strided": lambda case: Conv2d.from_arrays(case["weight"], stride=2, padding=1),
    "conv2d_in_groups": lambda case: Conv2d.from_arrays(case["weight"], case["bias"], padding=1, groups=3),
    "conv2d_with_gaps": lambda case: Conv2d.from_arrays(case["weight"], case["bias"], stride=2, padding=1, dilation=2),
    "max_pool2d": lambda case: MaxPool2d(2),
    "max_pool2d_padded": lambda case: MaxPool2d(3, stride=2, padding=1),
    "avg_pool2d": lambda case: AvgPool2d(2),
    "avg_pool2d_padded": lambda case: AvgPool2d(3, stride=2, padding=1),
    "batch_norm2d": batch_norm,
    "batch_norm2d_inference": lambda case: batch_norm(case).eval(),
}
LOSSES: dict[str, Loss] = {
    "mse": MSELoss(),
    "cross_entropy": CrossEntropyLoss(),
    "binary_cross_entropy": BinaryCrossEntropyLoss(),
    "bce_with_logits": BCEWithLogitsLoss(),
    "cross_entropy_ignored": CrossEntropyLoss(),
    "cross_entropy_smooth": CrossEntropyLoss(label_smoothing=0.1, reduction="sum"),
}
OPTIMIZERS: dict[str, Callable[[list[Tensor]], Optimizer]] = {
    "sgd": lambda parameters: SGD(parameters, 0.1),
    "sgd_momentum_decay": lambda parameters: SGD(parameters, 0.1, momentum=0.9, weight_decay=0.01),
    "sgd_nesterov": lambda parameters: SGD(parameters, 0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "sgd_group": lambda parameters: SGD([{"params": parameters, "lr": 0.2, "momentum": 0.5}], 0.1),
    "adam": lambda parameters: Adam(parameters, 0.1),
    "adam_decay": lambda parameters: Adam(parameters, 0.1, weight_decay=0.1),
    "adamw": lambda parameters: AdamW(parameters, 0.1, weight_decay=0.1),
}


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_gives_the_outputs_and_gradients_of_pytorch(name: str) -> None:
    case = CASES[name]
    layer, inputs = LAYERS[name](case), Tensor(case["inputs"], requires_grad=True)
    outputs = layer(inputs)
    outputs.backward(case["projection"])

    close(outputs, case["outputs"])
    close(inputs.grad, case["inputs_gradient"])
    for parameter, key in zip(layer.parameters(), ("weight", "bias"), strict=False):
        expected = case[f"{key}_gradient"]
        close(parameter.grad, expected.T if isinstance(layer, Linear) else expected)


def test_batch_norm_remembers_what_pytorch_remembers() -> None:
    case = CASES["batch_norm2d"]
    layer = batch_norm(case)
    layer(case["inputs"])

    close(layer.running_mean, case["running_mean"])
    close(layer.running_var, case["running_var"])


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_and_its_gradient_are_those_of_pytorch(name: str) -> None:
    case = CASES[name]
    outputs = Tensor(case["outputs"], requires_grad=True)
    loss = LOSSES[name](outputs, case["targets"])
    loss.backward()

    close(loss, case["loss"])
    close(outputs.grad, case["gradient"])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_the_way_of_pytorch(name: str) -> None:
    case = CASES[name]
    parameter = Tensor(case["way"][0].copy(), requires_grad=True)
    optimizer, way = OPTIMIZERS[name]([parameter]), []
    for gradient in case["gradients"]:
        parameter.grad = gradient.copy()
        optimizer.step()
        way.append(parameter.data.copy())

    close(way, case["way"][1:])


def test_the_cosine_schedule_is_that_of_pytorch() -> None:
    schedule = CosineSchedule(0.1, 0.01, total_epochs=10)

    close([schedule.get_lr(epoch) for epoch in range(11)], CASES["cosine"]["rates"])


def test_gradients_are_clipped_as_in_pytorch() -> None:
    case = CASES["clip"]
    parameters = [Tensor(np.zeros_like(case[name]), requires_grad=True) for name in ("before0", "before1")]
    for index, parameter in enumerate(parameters):
        parameter.grad = case[f"before{index}"].copy()

    close(clip_grad_norm(parameters, 0.5), case["norm"])
    for index, parameter in enumerate(parameters):
        close(parameter.grad, case[f"after{index}"])


def test_an_embedding_is_that_of_pytorch() -> None:
    case = CASES["embedding"]
    layer = Embedding(5, 3)
    layer.weight.data = case["weight"]
    outputs = layer(case["tokens"])
    outputs.backward(case["projection"])

    close(outputs, case["outputs"])
    close(layer.weight.grad, case["gradient"])


@pytest.mark.parametrize("name", ["attention", "attention_additive"])
def test_attention_under_a_mask_is_that_of_pytorch(name: str) -> None:
    case = CASES[name]
    inputs = [Tensor(case[part], requires_grad=True) for part in "qkv"]
    outputs, _ = scaled_dot_product_attention(*inputs, case["mask"])
    outputs.backward(case["projection"])

    close(outputs, case["outputs"])
    for part, tensor in zip("qkv", inputs, strict=True):
        close(tensor.grad, case[f"{part}_gradient"])


def test_a_gpt_and_all_its_gradients_are_those_of_pytorch() -> None:
    case = CASES["gpt"]
    gpt = GPT(7, 8, 2, 2, max_seq_len=6)
    gpt.load_state_dict({name: case[name] for name in gpt.state_dict()})
    scores = gpt(case["tokens"])
    loss = CrossEntropyLoss()(scores, case["labels"])
    loss.backward()

    close(scores, case["scores"])
    close(loss, case["loss"])
    for name, item in held(gpt):
        if isinstance(item, Tensor):
            close(item.grad, case[f"gradient {name}"])


def test_every_recorded_case_is_compared() -> None:
    others = {"cosine", "clip", "embedding", "attention", "attention_additive", "gpt"}
    assert set(CASES) == {*LAYERS, *LOSSES, *OPTIMIZERS, *others, "torch"}


def test_the_file_says_what_computed_it() -> None:
    assert str(CASES["torch"]["version"]).startswith("2.")
