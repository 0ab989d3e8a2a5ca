"""Choosing tokens by their scores, one after the other, until there are enough or one of them says stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.core.arguments import Rng, checked, generator_of, is_whole, whole
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import RunError, UsageError


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn: at a `temperature`, 0 for the likeliest, and from among the likeliest alone.

    `top_k` is how many those are (Fan, Lewis & Dauphin 2018); `top_p` takes as few as have that probability together
    (Holtzman et al. 2020). UsageError for numbers that make no sense.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        checked("generate() needs a temperature", self.temperature, from_=0)
        if self.top_k is not None:
            whole("generate() needs top_k", self.top_k, 1)
        if self.top_p is not None:
            checked("generate() needs a top_p", self.top_p, above=0, to=1)

    def choose(self, scores: Array, generator: np.random.Generator) -> Array:
        """One token (N,) for each row of scores (N, vocab_size); RunError for rows whose best score is no number.

        Draws are the Gumbel-max trick: the largest score plus noise of that distribution.
        """
        if not self.temperature:
            likeliest: Array = scores.argmax(axis=-1)  # NaN, if there is one
            for row, token in enumerate(likeliest.tolist()):
                if not math.isfinite(scores.item(row, token)):  # a sixth of the time of numpy's, for one row
                    raise _no_numbers()
            return likeliest
        best = scores.max(axis=-1, keepdims=True)
        if not np.isfinite(best).all():
            raise _no_numbers()
        with np.errstate(over="ignore"):  # the colder, the nearer to minus infinity are all but the best
            relative = self._limited((scores - best).astype(np.float64) / self.temperature)
        chosen: Array = (relative + generator.gumbel(size=scores.shape)).argmax(axis=-1)
        return chosen

    def _limited(self, relative: Array) -> Array:
        """Minus infinity in the place of scores that are not among the likeliest."""
        if self.top_k is not None and self.top_k < relative.shape[-1]:
            least = np.partition(relative, -self.top_k, axis=-1)[:, -self.top_k, None]
            relative = np.where(relative < least, -np.inf, relative)
        if self.top_p is not None:
            order = np.argsort(-relative, axis=-1, kind="stable")
            shares = np.exp(np.take_along_axis(relative, order, axis=-1))
            before = np.cumsum(shares, axis=-1) - shares
            is_kept = np.empty(relative.shape, bool)
            np.put_along_axis(is_kept, order, before < self.top_p * shares.sum(axis=-1, keepdims=True), axis=-1)
            relative = np.where(is_kept, relative, -np.inf)
        return relative


def continued(
    prompt: Array,
    new_tokens: int,
    sampling: Sampling,
    next_scores: Callable[[Array], Array],
    rng: Rng = None,
    stop: int | Collection[int] | None = None,
) -> Tensor:
    """A prompt (N, T) or (T,) and up to `new_tokens` more, by the scores (N, vocab_size) that a sequence gets.

    A row that has come to a token of `stop` repeats it; when all have, the sequence ends.
    """
    length, generator, ends = prompt.shape[-1], generator_of(rng), _ends(stop)
    sequence = np.empty((len(prompt) if prompt.ndim == 2 else 1, length + new_tokens), np.int64)
    sequence[:, :length] = prompt
    has_ended, is_open, end = np.zeros(len(sequence), bool), not ends.size, length
    while end < sequence.shape[1] and (is_open or not has_ended.all()):
        sequence[:, end] = sampling.choose(next_scores(sequence[:, :end]), generator)
        if not is_open:
            sequence[has_ended, end] = sequence[has_ended, end - 1]
            has_ended |= np.isin(sequence[:, end], ends)
        end += 1
    return Tensor(sequence[:, :end] if prompt.ndim == 2 else sequence[0, :end])


def _ends(stop: Any) -> Array:
    """The tokens that end a sequence; UsageError for what are no tokens."""
    stop = stop.ravel() if isinstance(stop, np.ndarray) else stop
    is_several = isinstance(stop, Collection) and not isinstance(stop, str)
    tokens = [] if stop is None else list(stop) if is_several else [stop]
    if not all(is_whole(token) and 0 <= token < 2**31 for token in tokens):
        raise UsageError(f"stop must be a token or several, integers from 0 on, not {stop!r}")
    return np.array(tokens, np.int64)


def _no_numbers() -> RunError:
    mend = "look at its weights: training may have failed"
    return RunError("the model's scores are not finite numbers", mend=mend)
