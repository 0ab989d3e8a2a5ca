"""The trusted end of a conversation with one runner: memory for inputs and answers, a pipe each way, and the clock.

A request is timed from before it is written until its reply is read. Before it, the answers that lie there are
overwritten, so that a reply which comes before its answers is seen: `_ask` looks at them at once.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.measure import CLOCK, Clock
from tinytorch.benchmarking.placements import ModelSource
from tinytorch.harness.referee.runner import CHAINED, DONE, FAILED, NOTHING, READY, REQUEST, SERIES, as_bytes, shared
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.processes.parcel import Parcel
from tinytorch.processes.worker import Worker

SERVICE = "tinytorch.harness.referee.runner:Runner"
LOAD_LIMIT_S = 60.0
SERVE_LIMIT_S = 3600.0  # for all requests together
REQUEST_LIMIT_S = 60.0
LOOK_MS = 50  # between two looks at what a runner prints, while it is waited for
FAILURE_LIMIT_S = 5.0  # for its own word of what went wrong
UNANSWERED = 0xFF  # in every byte: no number, and no token

Hire = Callable[..., Worker]  # for a model, by its number: a worker of our service, with descriptors that it is given
BASELINE, ENTRY, NULL = range(3)


@dataclass(frozen=True)
class Form:
    """Room for so many arrays of one shape and type."""

    count: int
    shape: tuple[int, ...]
    dtype: str

    @property
    def all(self) -> list[int]:
        """The shape of all of them together."""
        return [self.count, *self.shape]

    @property
    def size_bytes(self) -> int:
        """Of all of them."""
        return int(np.prod(self.all)) * np.dtype(self.dtype).itemsize


class Channel:
    """One runner; use it as a context manager. It must be `load`ed, then `serve`."""

    def __init__(self, hire: Hire, model: int, inputs: Form, answers: Form, tokens: bool, clock: Clock = CLOCK) -> None:
        self._clock, self._tokens, self._forms = clock, tokens, (inputs, answers)
        self._parcels = (Parcel(inputs.size_bytes), Parcel(answers.size_bytes))
        self.pool, self.answers = (
            shared(parcel.descriptor, form.all, form.dtype)
            for parcel, form in zip(self._parcels, self._forms, strict=True)
        )
        self._bytes = as_bytes(self.answers)
        self.asked_ns = 0
        """How long it has been waited for, altogether."""
        theirs, self._requests = os.pipe()
        self._replies, told = os.pipe()
        self._theirs = (theirs, told)
        self._poller = select.poll()
        self._poller.register(self._replies, select.POLLIN)
        try:
            self.worker = hire(model, SERVICE, *self._theirs, *(parcel.descriptor for parcel in self._parcels))
        except BaseException:
            self._close_ends()
            raise
        finally:
            for end in self._theirs:
                os.close(end)

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self, source: ModelSource | None) -> None:
        """Have it load a model, None for one that does nothing; `serve` must come next."""
        builder, arguments = (source.builder, source.arguments) if source else (None, {})
        self.worker.post("load", LOAD_LIMIT_S, builder=builder, arguments=arguments)

    def serve(self) -> None:
        """Wait until it is loaded, and let it serve. WorkerFailedError where it cannot be."""
        self.worker.result()
        memory = [
            (parcel.descriptor, form.all, form.dtype) for parcel, form in zip(self._parcels, self._forms, strict=True)
        ]
        requests, replies = self._theirs
        self.worker.post(
            "serve", SERVE_LIMIT_S, requests=requests, replies=replies, pool=memory[0], answers=memory[1],
            tokens=self._tokens,
        )  # fmt: skip
        self._expect(READY, LOAD_LIMIT_S)

    def chained(self, pool: NDArray[Any], count: int, start: int, state: int) -> int:
        """Nanoseconds for answers to so many of the inputs `pool` (N, ...), each led to by the last.

        They are written now and asked for at once: whoever computed anything between would take time of its processor.
        """
        return self._ask(CHAINED, count, len(pool), start, state, pool)

    def nothing(self) -> int:
        """Nanoseconds for a request that asks for nothing."""
        return self._ask(NOTHING)

    def answers_to(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """The answers to all inputs (N, ...), one by one."""
        parts, room = [], min(len(self.pool), len(self.answers))
        for start in range(0, len(inputs), room):
            part = inputs[start : start + room]
            self.pool[: len(part)] = part
            self._ask(SERIES, len(part))
            parts.append(self.answers[: len(part)].copy())
        return np.concatenate(parts)

    def close(self) -> None:
        """End the runner; safe to call twice."""
        self.worker.close()
        self._close_ends()

    def _close_ends(self) -> None:
        for parcel in self._parcels:
            parcel.close()
        for end in (self._requests, self._replies):
            if end >= 0:
                os.close(end)
        self._requests = self._replies = -1

    def _ask(
        self, what: bytes, count: int = 0, size: int = 0, start: int = 0, state: int = 0,
        pool: NDArray[Any] | None = None,
    ) -> int:  # fmt: skip
        request = REQUEST.pack(what, count, size, start, state)
        self._bytes[:count] = UNANSWERED
        if self._poller.poll(0):
            raise self._broken("it answered before it was asked")
        if pool is not None:
            self.pool[:size] = pool
        began = self._clock()
        self._send(request)
        self._expect(DONE, REQUEST_LIMIT_S)
        took = max(1, self._clock() - began)
        self.asked_ns += took
        if count and (self._bytes[count - 1 :: -1] == UNANSWERED).all(axis=1).any():  # the last one first
            raise self._broken("it replied before its answers were there")
        return took

    def _send(self, request: bytes) -> None:
        try:
            os.write(self._requests, request)
        except BrokenPipeError:
            raise self._failure() from None

    def _expect(self, word: bytes, limit_s: float) -> None:
        until_ns = None
        while not self._poller.poll(LOOK_MS):
            self.worker.look()
            now_ns = self._clock()
            until_ns = now_ns + limit_s * 1e9 if until_ns is None else until_ns
            if now_ns > until_ns:
                self.worker.close()
                raise WorkerFailedError("timed out", f"no answer within {limit_s:g} s", output=self.worker.output)
        reply = os.read(self._replies, 2)
        if reply in (b"", FAILED):
            raise self._failure()
        if reply != word:
            raise self._broken("it replied something else, or more than once")

    def _failure(self) -> WorkerFailedError:
        """What the worker says of it."""
        self.worker.hasten(FAILURE_LIMIT_S)
        try:
            self.worker.result()
        except WorkerFailedError as failure:
            return failure
        return self._broken("it stopped serving")

    def _broken(self, why: str) -> WorkerFailedError:
        self.worker.close()
        return WorkerFailedError("broke the protocol", why, output=self.worker.output)
