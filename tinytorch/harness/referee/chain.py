"""Which input comes next: nobody knows before the answer to the one before is there.

A request has a pool of inputs. Were they asked for in their order, a model could compute all of them in one product,
which takes a fraction of the time. So each answer leads on to the next input, and the pool is so large that computing
all of it takes longer than what is asked. It is written just before its request: nobody can compute anything before.
Only what is scored of an
answer leads on: the class that it names, or its tokens. Whoever changed other bits of it, to be led where it wants,
changes nothing, and a wrong class costs accuracy. The state is carried along; a fixed one would walk in a circle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

from numpy.typing import NDArray

Follow = Callable[[NDArray[Any], int], int]
STATES = 2**32


def scored(answers: NDArray[Any], tokens: bool) -> NDArray[Any]:
    """What is scored of answers (N, ...): tokens as they are, or the class of the largest score.

    What is no number is the largest of all, as it is in the chain: no answer leads on as one and counts as another.
    """
    return answers if tokens else answers.argmax(axis=-1)


def by_class(answer: NDArray[Any], state: int) -> int:
    """The next state, from the largest of an answer's scores (classes,)."""
    return crc32(answer.argmax().tobytes(), state)


def by_tokens(answer: NDArray[Any], state: int) -> int:
    """The next state, from an answer that is tokens (length,)."""
    return crc32(answer.tobytes(), state)


def follow_by(tokens: bool) -> Follow:
    """How the answers of a task lead on."""
    return by_tokens if tokens else by_class


def inputs_asked(answers: NDArray[Any], start: int, state: int, size: int, follow: Follow) -> list[int]:
    """The numbers of the inputs that answers (N, ...) were given to, of a pool of `size`."""
    numbers = []
    for answer in answers:
        numbers.append(start)
        state = follow(answer, state)
        start = state % size
    return numbers
