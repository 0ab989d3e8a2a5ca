"""One side of `training.py`: trains an epoch for every line it reads, and answers with its seconds and mean loss.

    python benchmarks/trainers.py tinytorch|torch|numpy TASK

TASK is a task of the competition, or "gpt": 4 blocks of width 128 that learn what comes next in 126 digits.
All sides start from the same weights, see the same batches and take the same steps of Adam. The numpy side is what one
writes by hand for a chain of Linear and ReLU, without automatic differentiation: out= where it is natural, no blocks.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Layer, Linear
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.spatial import Conv2d, Flatten, MaxPool2d
from tinytorch.core.training import Trainer
from tinytorch.core.transformers import GPT
from tinytorch.datasets.sequences import DIGITS, LENGTH, load_reversal
from tinytorch.workloads.registry import find_task

Array = NDArray[Any]
Epoch = Callable[[DataLoader], float]  # trains one and gives its mean loss


def gpt() -> GPT:
    """The transformer to train."""
    return GPT(DIGITS, 128, num_layers=4, num_heads=4, max_seq_len=2 * LENGTH, rng=np.random.default_rng(0))


def next_digits() -> TensorDataset:
    """512 sequences of digits and their reversal (N, 126), and the digit that comes next at each place."""
    sequences = load_reversal()[0].inputs[:512]
    return TensorDataset(sequences[:, :-1], sequences[:, 1:])


def tinytorch_epoch(model: Layer, learning_rate: float) -> Epoch:
    """This framework."""
    trainer = Trainer(model, Adam(model.parameters(), learning_rate), CrossEntropyLoss())
    return lambda batches: trainer.fit(batches, 1)[0]


def torch_epoch(model: Layer, learning_rate: float) -> Epoch:
    """PyTorch, eager, on the CPU."""
    import torch

    network, parameters = torch_network(model)
    optimizer = torch.optim.Adam(parameters, learning_rate)
    loss_function = torch.nn.CrossEntropyLoss()

    def epoch(batches: DataLoader) -> float:
        losses = []
        for inputs, labels in batches:
            optimizer.zero_grad()
            outputs = network(torch.from_numpy(inputs.data)).flatten(0, -2)
            loss = loss_function(outputs, torch.from_numpy(labels.data).flatten())
            loss.backward()
            optimizer.step()
            losses.append(float(loss.item()))
        return sum(losses) / len(losses)

    return epoch


def torch_network(model: Layer) -> tuple[Callable[..., Any], list[Any]]:
    """PyTorch's twin of a model, and its parameters."""
    import torch
    from torch_reference import gpt_scores

    if isinstance(model, GPT):
        weights = {name: torch.tensor(array, requires_grad=True) for name, array in model.state_dict().items()}
        return lambda tokens: gpt_scores(weights, tokens, model.num_heads, model.num_layers), list(weights.values())
    network = torch.nn.Sequential(*(torch_layer(layer) for layer in model.children()))
    return network, list(network.parameters())


def torch_layer(layer: Layer) -> Any:
    """PyTorch's layer of the same kind with copies of the same weights."""
    import torch

    match layer:
        case Linear():
            twin = torch.nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
            weight = layer.weight.data.T
        case Conv2d():
            sizes = (layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding)
            twin = torch.nn.Conv2d(*sizes, bias=layer.bias is not None)
            weight = layer.weight.data
        case MaxPool2d():
            return torch.nn.MaxPool2d(layer.kernel_size, layer.stride, layer.padding)
        case _:
            return {ReLU: torch.nn.ReLU, Flatten: torch.nn.Flatten}[type(layer)]()
    twin.weight.data = torch.tensor(weight.copy())
    if layer.bias is not None:
        twin.bias.data = torch.tensor(layer.bias.data)
    return twin


def numpy_epoch(model: Layer, learning_rate: float) -> Epoch:
    """Gradients and Adam written out."""
    linears = [layer for layer in model.children() if isinstance(layer, Linear)]
    biases = [linear.bias.data for linear in linears if linear.bias is not None]
    network = PlainNetwork([linear.weight.data for linear in linears], biases)

    def epoch(batches: DataLoader) -> float:
        losses = []
        for inputs, labels in batches:
            loss, gradients = network.gradients(inputs.data, labels.data)
            network.adam(gradients, learning_rate)
            losses.append(loss)
        return sum(losses) / len(losses)

    return epoch


class PlainNetwork:
    """A chain of Linear and ReLU and its optimizer."""

    def __init__(self, weights: list[Array], biases: list[Array]) -> None:
        self.depth = len(weights)
        self.arrays = [*weights, *biases]
        self.means = [np.zeros_like(array) for array in self.arrays]
        self.squares = [np.zeros_like(array) for array in self.arrays]
        self.steps = 0

    def gradients(self, inputs: Array, labels: Array) -> tuple[float, list[Array]]:
        """Loss and gradients of weights, then biases."""
        weights, biases = self.arrays[: self.depth], self.arrays[self.depth :]
        activations = [inputs]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            activations.append(np.maximum(activations[-1] @ weight + bias, 0))
        logits = activations[-1] @ weights[-1] + biases[-1]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        delta = powers / powers.sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        loss = -float(np.log(delta[rows, labels]).mean())
        delta[rows, labels] -= 1
        delta /= len(labels)
        of_weights, of_biases = [], []
        for layer in reversed(range(self.depth)):
            of_weights.append(activations[layer].T @ delta)
            of_biases.append(delta.sum(axis=0))
            if layer:
                delta = (delta @ weights[layer].T) * (activations[layer] > 0)
        return loss, of_weights[::-1] + of_biases[::-1]

    def adam(self, gradients: list[Array], learning_rate: float) -> None:
        """One step of Adam."""
        self.steps += 1
        for array, gradient, mean, square in zip(self.arrays, gradients, self.means, self.squares, strict=True):
            mean *= 0.9
            mean += 0.1 * gradient
            square *= 0.999
            square += 0.001 * gradient * gradient
            mean_hat = mean / (1 - 0.9**self.steps)
            square_hat = square / (1 - 0.999**self.steps)
            array -= learning_rate * mean_hat / (np.sqrt(square_hat) + 1e-8)


SIDES = {"tinytorch": tinytorch_epoch, "torch": torch_epoch, "numpy": numpy_epoch}


def main(side: str, task_name: str) -> None:
    """Answer every line of standard input with one epoch."""
    if task_name == "gpt":
        batches, epoch = DataLoader(next_digits(), 16, shuffle=True), SIDES[side](gpt(), 1e-3)
    else:
        task = find_task(task_name)
        batches = DataLoader(task.load_data()[0], task.recipe.batch_size, shuffle=True)
        epoch = SIDES[side](task.build_model(task.recipe.seed), task.recipe.learning_rate)
    for _ in sys.stdin:
        start = time.perf_counter()
        loss = epoch(batches)
        print(json.dumps({"seconds": time.perf_counter() - start, "loss": loss}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
