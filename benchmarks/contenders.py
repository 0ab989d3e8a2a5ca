"""The models that the measuring benchmark compares, in a module that worker processes can import."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from tinytorch import Linear, ReLU, Sequential, Tensor
from tinytorch.core.layers import Layer


class ExtraWork(Layer):
    """Hands its inputs on after an empty loop of `rounds` rounds."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def forward(self, inputs: Tensor) -> Tensor:
        for _ in range(self.rounds):
            pass
        return inputs


@dataclass(frozen=True)
class Pair:
    """A network, and what makes another one about 3 % slower: wider layers, or more rounds of extra work."""

    widths: tuple[int, ...]
    rounds: int
    more_widths: tuple[int, ...]
    more_rounds: int

    def same(self) -> tuple[Sequential, Sequential]:
        """The model twice."""
        return network(self.widths, self.rounds), network(self.widths, self.rounds)

    def slower(self) -> tuple[Sequential, Sequential]:
        """The model, and one with more work."""
        return network(self.widths, self.rounds), network(self.more_widths, self.more_rounds)


PAIRS = {
    "1 ms class": Pair((64, 1024, 1024, 1024, 1024, 10), 1, (64, 1040, 1040, 1040, 1040, 10), 1),  # 12.9 MB
    "5 us class": Pair((64, 32, 10), 1, (64, 32, 10), 14),
    "64-256-256-10": Pair((64, 256, 256, 10), 1, (64, 256, 256, 10), 31),
}


def network(widths: tuple[int, ...], rounds: int) -> Sequential:
    """A ReLU network with seeded weights, and `rounds` of extra work at its end."""
    generator = np.random.default_rng(0)
    layers: list[Layer] = []
    for width_in, width_out in itertools.pairwise(widths):
        layers += [Linear(width_in, width_out, rng=generator), ReLU()]
    return Sequential(*layers[:-1], ExtraWork(rounds))
