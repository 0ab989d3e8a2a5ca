"""Both models as a referee timed them from outside their processes, with what the asking itself takes."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.record import Count, NotNegative, Positive, Record, SessionId
from tinytorch.benchmarking.records.samples import SamplesNs, Times, read_samples
from tinytorch.benchmarking.statistics import Floats, block_times, quiet_time

LEFT_OUT = 8  # one of so many blocks


class Requests(Record):
    """Requests of so many inputs each, [process, block, request] in nanoseconds, with all that the asking takes.

    Each request had a new pool of so many inputs. Of all `answers` so many were `correct`, and `distinct` counts the
    different inputs of each request.
    """

    inputs: Positive
    pool: Positive
    samples_ns: SamplesNs
    answers: Positive
    correct: Count
    distinct: Count

    @cached_property
    def times_ns(self) -> Times:
        """As an array."""
        return read_samples(self.samples_ns)

    @property
    def accuracy(self) -> float:
        """Of the timed answers."""
        return self.correct / self.answers

    @property
    def distinct_share(self) -> float:
        """Of the inputs that were asked for, how many were another one than before in the same request."""
        return self.distinct / self.answers

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        if max(self.correct, self.distinct) > self.answers:
            raise ValueError("more answers are right, or inputs different, than there are")
        if self.answers % (self.times_ns.size * self.inputs) or self.pool < self.inputs:
            raise ValueError("its answers are not those of its requests, or its pool is smaller than one")
        return self


class OutsideTimes(Record):
    """One session: in each process a model, and in each group of three processes the baseline, the entry and `null`.

    The null model does nothing, by requests like the entry's: what they take beyond a `round_trip`, an empty request,
    is the runner's own loop. Both are taken off the models' times, process by process, and of each process the fastest
    eighth of the blocks is left out: being fast for once, with a few wrong answers, wins nothing. While the others
    were asked, the entry's processes took `unasked_share` of that time.
    """

    session: SessionId
    baseline: Requests
    optimized: Requests
    null: SamplesNs
    null_inputs: Positive
    round_trips_ns: SamplesNs
    unasked_share: NotNegative

    @model_validator(mode="after")
    def _fits(self) -> Self:
        shapes = {each.times_ns.shape for each in (self.baseline, self.optimized)} | {read_samples(self.null).shape}
        if len(shapes) > 1 or len(self.round_trips_ns) != len(self.null):
            raise ValueError("the models and the null model have other processes, blocks or requests")
        return self

    @cached_property
    def round_trip_ns(self) -> Floats:
        """[process] the quiet time of a request that asks for nothing."""
        return np.array([quiet_time(each) for each in block_times(read_samples(self.round_trips_ns))])

    @cached_property
    def loop_ns(self) -> Floats:
        """[process] what the runner's loop takes for one input."""
        quiet = np.array([quiet_time(each) for each in block_times(read_samples(self.null))])
        return np.maximum(0.0, quiet - self.round_trip_ns) / self.null_inputs

    @cached_property
    def latencies(self) -> tuple[Latency, Latency]:
        """The baseline's and the entry's, without what the asking takes; each process is a unit."""
        return self._net(self.baseline), self._net(self.optimized)

    @property
    def asking_share(self) -> float:
        """The part of a request, of the model where it is larger, that its round trip takes."""
        return max(
            float(np.mean(self.round_trip_ns / [quiet_time(blocks) for blocks in block_times(each.times_ns)]))
            for each in (self.baseline, self.optimized)
        )

    def _net(self, requests: Requests) -> Latency:
        asking = self.round_trip_ns + requests.inputs * self.loop_ns
        times = np.take_along_axis(requests.times_ns, _without_the_fastest(requests.times_ns)[:, :, None], axis=1)
        net = np.maximum(1, np.rint(times - asking[:, None, None])).astype(np.int64)
        return Latency.from_samples(net, requests.inputs, 1, self.session)


def _without_the_fastest(times_ns: Times) -> NDArray[np.int64]:
    """[process, block] the numbers of the blocks that count, in their order."""
    order = np.argsort(block_times(times_ns), axis=1, kind="stable")
    counting: NDArray[np.int64] = np.sort(order[:, order.shape[1] // LEFT_OUT :], axis=1)
    return counting
