"""The referee of one entry: everything that T3 asks beyond T2, one after the other."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from tinytorch.benchmarking.comparison import compare_latency
from tinytorch.benchmarking.schedule import Tier
from tinytorch.benchmarking.session import Session
from tinytorch.competition.record.refereed import Both, Redraw, Refereed, Right
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.metrics import AT_A_TIME, correctness
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.errors import EntryError
from tinytorch.harness.boxes import box_of
from tinytorch.harness.contender import Challenge
from tinytorch.harness.faults import blaming
from tinytorch.harness.kernels import environment
from tinytorch.harness.prepare import Observer, Prepared, prepared
from tinytorch.harness.referee.channel import BASELINE, ENTRY, NULL, Hire
from tinytorch.harness.referee.outside import Match, OneForm, time_outside
from tinytorch.harness.referee.private import DISTORTED, PRIVATE, PUBLIC, UNTIMED, PrivateFile, questions
from tinytorch.harness.referee.redraw import Redraws
from tinytorch.harness.referee.witness import witness
from tinytorch.harness.run import Competed
from tinytorch.processes.worker import Worker
from tinytorch.workloads.task import Task

REDRAWN = Tier("redrawn", 1_000_000_000, processes=3, copies=1)  # a factor of 1.25 is told by less


@dataclass(frozen=True)
class Referee:
    """What a referee has for a whole class: private data by the task, and redrawn baselines."""

    private: Mapping[str, PrivateFile]
    redraws: Redraws

    def looked(self, done: Competed, challenge: Challenge, told: Observer) -> Refereed:
        """All of one entry, which was built and measured just before. EntryError where it fails now."""
        task, ready, is_boxed = challenge.task, done.ready, challenge.isolation is not None
        match, hire = match_of(task, ready, done.session), hired(challenge, ready)
        asked = questions(task, self.private)
        with blaming(challenge.contender, "asked by the referee", is_boxed):
            seen = witness(match, hire, asked)
            times = time_outside(match, hire, progress=told.progress)
            ready.refuse_changes()
        baseline = answered(ready.baseline, asked)
        both = {name: Both(baseline=baseline[name], optimized=seen.answers[name]) for name in asked}
        private = self.private.get(task.name)
        return Refereed(
            outside=times, untimed=seen.answers[UNTIMED], private=both.get(PRIVATE),
            private_sha256=private.sha256 if private else None, distorted=both.get(DISTORTED),
            redraws=list(self._redrawn(challenge, done.session, told)),
            idle_share=seen.idle_share, left_behind=seen.left_behind, grown_bytes=seen.grown_bytes,
        )  # fmt: skip

    def _redrawn(self, challenge: Challenge, session: Session, told: Observer) -> Iterator[Redraw]:
        """What `optimize` makes of each redrawn baseline."""
        _, test = challenge.task.load_data()
        for seed, content in self.redraws.of(challenge.task, told.progress).items():
            baseline = answered(content, {PUBLIC: test})[PUBLIC]
            again = replace(challenge, baseline=content)
            try:
                optimized, speedup = _measured_again(again, session, test, told)
            except EntryError as error:
                yield Redraw(seed=seed, baseline=baseline, fault=" ".join(error.message.split()))
            else:
                yield Redraw(seed=seed, baseline=baseline, optimized=optimized, speedup=speedup)


def _measured_again(challenge: Challenge, session: Session, test: TensorDataset, told: Observer) -> tuple[Right, float]:
    """The accuracy on the test set, and the speedup by the clock outside."""
    with (
        prepared(challenge, told) as ready,
        blaming(challenge.contender, "on a redrawn baseline", challenge.isolation is not None),
    ):
        match, hire = match_of(challenge.task, ready, session), hired(challenge, ready)
        seen = witness(match, hire, {PUBLIC: test})
        times = time_outside(match, hire, REDRAWN, told.progress)
        ready.refuse_changes()
    return seen.answers[PUBLIC], compare_latency(*times.latencies).estimate


def answered(artifact: bytes, asked: Mapping[str, TensorDataset]) -> dict[str, Right]:
    """How a baseline, which is ours, answers."""
    model = pickle.loads(artifact)
    with threadpool_limits(1, user_api="blas"), no_grad():
        return {name: _right(model, data) for name, data in asked.items()}


def _right(model: object, data: TensorDataset) -> Right:
    parts = [
        correctness(np.asarray(model(Tensor(inputs.data)).data), labels.data)  # type: ignore[operator]
        for inputs, labels in DataLoader(data, AT_A_TIME)
    ]
    right = np.concatenate(parts)
    return Right(correct=int(right.sum()), total=right.size, tokens=right[0].size)


def _form(outputs: np.ndarray) -> OneForm:
    return outputs.shape[1:], outputs.dtype.str


def match_of(task: Task, ready: Prepared, session: Session) -> Match:
    """Both models of a run, whose answers have the form that its session saw."""
    _, test = task.load_data()
    first, second = (_form(survey.outputs) for survey in session.surveys)
    if session.latency is None:
        raise ValueError("a session without times plans nothing")
    baseline, optimized = session.latency
    return Match(
        ready.sources, _form(test.inputs), (first, second), task.vocabulary is not None, task.new_samples,
        (baseline.mean_ns, optimized.mean_ns),
    )  # fmt: skip


def hired(challenge: Challenge, ready: Prepared) -> Hire:
    """Workers in boxes, each of which sees the files of its own model alone."""
    folders = {BASELINE: [ready.frozen_baseline.folder], ENTRY: [ready.frozen.folder], NULL: []}
    boxes = {model: box_of(challenge, ready.kernels, *shown) for model, shown in folders.items()}

    def hire(model: int, service: str, *given: int) -> Worker:
        limit = challenge.memory_limit_bytes
        return Worker(service, environment(ready.kernels), limit, *given, box=boxes[model])

    return hire
