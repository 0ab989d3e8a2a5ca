"""Records what PyTorch computes, for `tests/core/test_reference.py` to compare with: tests then need no PyTorch.

    PEER/bin/python benchmarks/torch_reference.py          # PEER: an environment with torch and numpy

Names in the file are "case/array"; "torch/version" says what computed them. A layer's case holds inputs, outputs, a
random projection of the outputs, and the gradients of that projection; an optimizer's a parameter after every step.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

PATH = Path(__file__).parents[1] / "tests" / "core" / "reference.npz"
IMAGES = (2, 3, 5, 6)
STEPS = 5
Arrays = dict[str, NDArray[Any]]

LAYERS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(4, 3), (5, 4)),
    "linear_of_sequences": (lambda: nn.Linear(4, 3, bias=False), (2, 5, 4)),
    "relu": (nn.ReLU, (3, 4)),
    "sigmoid": (nn.Sigmoid, (3, 4)),
    "tanh": (nn.Tanh, (3, 4)),
    "gelu": (lambda: nn.GELU(approximate="tanh"), (3, 4)),
    "softmax": (lambda: nn.Softmax(dim=-1), (3, 4)),
    "flatten": (nn.Flatten, IMAGES),
    "conv2d": (lambda: nn.Conv2d(3, 4, 3, padding=1), IMAGES),
    "conv2d_of_one_pixel": (lambda: nn.Conv2d(3, 4, 1, stride=2), IMAGES),
    "conv2d_of_one_image": (lambda: nn.Conv2d(3, 4, (1, 3), padding=1), (1, 3, 5, 6)),
    "conv2d_wide_padding": (lambda: nn.Conv2d(3, 4, 2, stride=3, padding=3), IMAGES),
    "layer_norm": (lambda: nn.LayerNorm(6), (2, 5, 6)),
    "log_softmax": (lambda: nn.LogSoftmax(dim=1), (2, 3, 4)),
    "conv2d_strided": (lambda: nn.Conv2d(3, 4, (3, 2), stride=2, padding=1, bias=False), IMAGES),
    "conv2d_in_groups": (lambda: nn.Conv2d(3, 6, 3, groups=3, padding=1), IMAGES),
    "conv2d_with_gaps": (lambda: nn.Conv2d(3, 4, 2, dilation=2, stride=2, padding=1), IMAGES),
    "max_pool2d": (lambda: nn.MaxPool2d(2), IMAGES),
    "max_pool2d_padded": (lambda: nn.MaxPool2d(3, stride=2, padding=1), IMAGES),
    "avg_pool2d": (lambda: nn.AvgPool2d(2), IMAGES),
    "avg_pool2d_padded": (lambda: nn.AvgPool2d(3, stride=2, padding=1), IMAGES),
    "batch_norm2d": (lambda: nn.BatchNorm2d(3), IMAGES),
    "batch_norm2d_inference": (lambda: trained(nn.BatchNorm2d(3)), IMAGES),
}

OPTIMIZERS: dict[str, Callable[[list[Any]], Any]] = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.1),
    "sgd_momentum_decay": lambda parameters: torch.optim.SGD(parameters, 0.1, momentum=0.9, weight_decay=0.01),
    "sgd_nesterov": lambda parameters: torch.optim.SGD(parameters, 0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "sgd_group": lambda parameters: torch.optim.SGD([{"params": parameters, "lr": 0.2, "momentum": 0.5}], 0.1),
    "adam": lambda parameters: torch.optim.Adam(parameters, 0.1),
    "adam_decay": lambda parameters: torch.optim.Adam(parameters, 0.1, weight_decay=0.1),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, 0.1, weight_decay=0.1),
}


def trained(norm: Any) -> Any:
    """A batch norm that has seen a batch, switched to inference."""
    norm(torch.randn(*IMAGES) * 2 + 1)
    return norm.eval()


def layer_case(build: Callable[[], Any], shape: tuple[int, ...]) -> Arrays:
    """One forward and backward pass of a layer with random weights."""
    layer = build()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    buffers = {f"{name}_before": value.clone() for name, value in layer.named_buffers()}
    inputs = torch.randn(*shape, requires_grad=True)
    outputs = layer(inputs)
    projection = torch.randn_like(outputs)
    outputs.backward(projection)
    case = {"inputs": inputs, "outputs": outputs, "projection": projection, "inputs_gradient": inputs.grad, **buffers}
    for name, parameter in layer.named_parameters():
        case |= {name: parameter, f"{name}_gradient": parameter.grad}
    return plain(case | dict(layer.named_buffers()))


def loss_case(loss: Any, outputs: Any, targets: Any) -> Arrays:
    """A loss and its gradient."""
    outputs = outputs.detach().requires_grad_()
    value = loss(outputs, targets)
    value.backward()
    return plain({"outputs": outputs, "targets": targets, "loss": value, "gradient": outputs.grad})


def optimizer_case(build: Callable[[list[Any]], Any]) -> Arrays:
    """A parameter of three elements on its way down given gradients."""
    parameter = torch.randn(3, requires_grad=True)
    gradients = torch.randn(STEPS, 3)
    optimizer, way = build([parameter]), [parameter.detach().clone()]
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
        way.append(parameter.detach().clone())
    return plain({"gradients": gradients, "way": torch.stack(way)})


def embedding_case() -> Arrays:
    """A table of vectors, one of them used twice."""
    layer, tokens = nn.Embedding(5, 3), torch.tensor([[4, 0, 4], [1, 2, 0]])
    outputs = layer(tokens)
    projection = torch.randn_like(outputs)
    outputs.backward(projection)
    case = {"tokens": tokens, "weight": layer.weight, "outputs": outputs, "projection": projection}
    return plain(case | {"gradient": layer.weight.grad})


def attention_case(mask: Any) -> Arrays:
    """Attention of two heads under a mask."""
    inputs = {name: torch.randn(2, 2, size, 3, requires_grad=True) for name, size in (("q", 4), ("k", 5), ("v", 5))}
    outputs = functional.scaled_dot_product_attention(*inputs.values(), attn_mask=mask)
    projection = torch.randn_like(outputs)
    outputs.backward(projection)
    gradients = {f"{name}_gradient": tensor.grad for name, tensor in inputs.items()}
    return plain({**inputs, **gradients, "mask": mask, "outputs": outputs, "projection": projection})


def gpt_case(vocab: int = 7, width: int = 8, heads: int = 2, context: int = 6, blocks: int = 2) -> Arrays:
    """A whole GPT, loss and all gradients; arrays have the names and the layout (in, out) that this framework gives."""
    linears = {
        "attention.q_proj": (width, width),
        "attention.k_proj": (width, width),
        "attention.v_proj": (width, width),
    }
    linears |= {
        "attention.out_proj": (width, width),
        "mlp.linear1": (width, 4 * width),
        "mlp.linear2": (4 * width, width),
    }
    shapes: dict[str, tuple[int, ...]] = {"token_embedding.weight": (vocab, width)}
    shapes |= {"position_embedding.weight": (context, width)}
    for block in range(blocks):
        for name, shape in linears.items():
            shapes |= {f"blocks.{block}.{name}.weight": shape, f"blocks.{block}.{name}.bias": shape[1:]}
        for name in ("ln1", "ln2"):
            shapes |= {f"blocks.{block}.{name}.{part}": (width,) for part in ("gamma", "beta")}
    shapes |= {"ln_f.gamma": (width,), "ln_f.beta": (width,), "lm_head.weight": (width, vocab)}
    weights = {name: torch.randn(*shape, requires_grad=True) for name, shape in shapes.items()}
    tokens, labels = torch.randint(vocab, (3, context)), torch.randint(vocab, (3, context))
    scores = gpt_scores(weights, tokens, heads, blocks)
    loss = functional.cross_entropy(scores.reshape(-1, vocab), labels.reshape(-1))
    loss.backward()
    gradients = {f"gradient {name}": tensor.grad for name, tensor in weights.items()}
    return plain({**weights, **gradients, "tokens": tokens, "labels": labels, "scores": scores, "loss": loss})


def gpt_scores(weights: dict[str, Any], tokens: Any, heads: int, blocks: int) -> Any:
    """Scores of a pre-norm decoder with learned positions."""

    def linear(name: str, inputs: Any) -> Any:
        return functional.linear(inputs, weights[f"{name}.weight"].T, weights[f"{name}.bias"])

    def norm(name: str, inputs: Any) -> Any:
        gamma = weights[f"{name}.gamma"]
        return functional.layer_norm(inputs, gamma.shape, gamma, weights[f"{name}.beta"])

    def split(inputs: Any) -> Any:
        return inputs.unflatten(-1, (heads, -1)).transpose(1, 2)

    hidden = weights["token_embedding.weight"][tokens] + weights["position_embedding.weight"][: tokens.shape[1]]
    for block in (f"blocks.{number}" for number in range(blocks)):
        normed = norm(f"{block}.ln1", hidden)
        parts = [split(linear(f"{block}.attention.{name}_proj", normed)) for name in "qkv"]
        attended = functional.scaled_dot_product_attention(*parts, is_causal=True).transpose(1, 2).flatten(-2)
        hidden = hidden + linear(f"{block}.attention.out_proj", attended)
        wide = functional.gelu(linear(f"{block}.mlp.linear1", norm(f"{block}.ln2", hidden)), approximate="tanh")
        hidden = hidden + linear(f"{block}.mlp.linear2", wide)
    return norm("ln_f", hidden) @ weights["lm_head.weight"]


def training_cases() -> dict[str, Arrays]:
    """The cosine schedule, and gradients clipped together."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10, eta_min=0.01)
    rates = []
    for _ in range(11):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    parameters = [torch.zeros(3, requires_grad=True), torch.zeros(2, 2, requires_grad=True)]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    before = {f"before{index}": parameter.grad.clone() for index, parameter in enumerate(parameters)}
    norm = nn.utils.clip_grad_norm_(parameters, 0.5)
    after = {f"after{index}": parameter.grad for index, parameter in enumerate(parameters)}
    return {"cosine": {"rates": np.array(rates)}, "clip": plain({**before, **after, "norm": norm})}


def plain(tensors: dict[str, Any]) -> Arrays:
    """Tensors as arrays."""
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


def main() -> None:
    """Record every case."""
    torch.manual_seed(0)
    cases = {name: layer_case(*recipe) for name, recipe in LAYERS.items()}
    cases["mse"] = loss_case(nn.MSELoss(), torch.randn(3, 4), torch.randn(3, 4))
    cases["cross_entropy"] = loss_case(nn.CrossEntropyLoss(), torch.randn(3, 4), torch.tensor([0, 3, 3]))
    probabilities = torch.tensor([[0.0, 0.2], [0.7, 1.0]])
    cases["binary_cross_entropy"] = loss_case(nn.BCELoss(), probabilities, torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    sure = torch.tensor([[-20.0, 20.0, -100.0], [0.3, -0.2, 12.0]])
    cases["bce_with_logits"] = loss_case(nn.BCEWithLogitsLoss(), sure, torch.tensor([[1.0, 1.0, 0.0], [0.2, 1.0, 0.0]]))
    labels = torch.tensor([-100, 3, 0])
    cases["cross_entropy_ignored"] = loss_case(nn.CrossEntropyLoss(), torch.randn(3, 4), labels)
    smooth = nn.CrossEntropyLoss(label_smoothing=0.1, reduction="sum")
    cases["cross_entropy_smooth"] = loss_case(smooth, torch.randn(3, 4), labels)
    cases |= {name: optimizer_case(build) for name, build in OPTIMIZERS.items()}
    cases |= training_cases()
    may_look = torch.ones(4, 5, dtype=torch.bool).tril()
    cases["attention"] = attention_case(may_look)
    cases["attention_additive"] = attention_case(torch.randn(4, 5))
    cases["embedding"] = embedding_case()
    cases["gpt"] = gpt_case()
    cases["torch"] = {"version": np.array(torch.__version__)}
    arrays: dict[str, Any] = {
        f"{case}/{name}": array for case, values in cases.items() for name, array in values.items()
    }
    np.savez_compressed(PATH, **arrays)
    print(f"{PATH.name}: {len(cases)} cases, {PATH.stat().st_size} bytes, torch {torch.__version__}")


if __name__ == "__main__":
    main()
