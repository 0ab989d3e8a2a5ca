"""One competition run: freeze what it is made from, build, survey, check, measure, record."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.remote import Sendable, Workers
from tinytorch.benchmarking.session import (
    Artifact,
    Session,
    long_measurement,
    measure_models,
)
from tinytorch.benchmarking.survey import ModelSurvey, Survey, survey_models
from tinytorch.competition.record.run import FileRecord, Run, SourceRecord, TaskRecord
from tinytorch.errors import EntryError, ModelError
from tinytorch.files import sha256
from tinytorch.harness.boxes import box_of
from tinytorch.harness.builder import Declared
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.faults import blaming, definition_line
from tinytorch.harness.frozen import INPUTS
from tinytorch.harness.kernels import environment
from tinytorch.harness.prepare import UNOBSERVED, WITHHOLD, Observer, Prepared, prepared
from tinytorch.showing import safe_text

COUNT = "tinytorch.perf.profiling.layers:counted"
LARGEST_OUTPUTS_BYTES = 2**26  # a thousand times what the answers to any test data take


@dataclass(frozen=True)
class Competed:
    """What was measured, while the files are there that it was measured from."""

    ready: Prepared
    session: Session
    run: Run


def run_competition(challenge: Challenge, told: Observer = UNOBSERVED) -> Run:
    """Both models, measured interleaved in fresh workers; EntryError when the contender's entry fails."""
    with competed(challenge, told) as done:
        return done.run


@contextmanager
def competed(challenge: Challenge, told: Observer = UNOBSERVED) -> Iterator[Competed]:
    """The same, for whoever wants more of both models."""
    with prepared(challenge, told) as ready:
        session = _measured(challenge, ready, told)
        yield Competed(ready, session, record(challenge, ready, session))


def _measured(challenge: Challenge, ready: Prepared, told: Observer) -> Session:
    """Survey, check and measure what was frozen."""
    inputs = str(ready.frozen.path(INPUTS))
    sendable = Sendable(ready.sources, inputs, True, challenge.task.freshen, WITHHOLD, COUNT)
    keep = partial(told.output, "a measuring process")
    frozen, frozen_baseline = ready.frozen.folder, ready.frozen_baseline.folder
    of_both = box_of(challenge, ready.kernels, frozen, frozen_baseline)
    venue = Workers(
        sendable, ready.folder, largest_answer_bytes=LARGEST_OUTPUTS_BYTES,
        memory_limit_bytes=challenge.memory_limit_bytes, environment=environment(ready.kernels), keep_output=keep,
        box=of_both, solo_boxes=(of_both, box_of(challenge, ready.kernels, frozen)),  # which sees its own files
    )  # fmt: skip
    settings, running = challenge.settings, "running the optimized model"
    is_boxed = challenge.isolation is not None
    with blaming(challenge.contender, running, is_boxed), venue.alone(settings.first_seed) as alone:
        survey = survey_models(alone, told.progress)
        check(challenge, survey)
        for inspection in survey.inspections:
            check_threads(inspection.blas_threads)
        if warning := long_measurement(settings, survey):
            told.say(warning)
        session = measure_models(venue, alone, settings, survey, told.progress, watch=told.watch)
        check_threads(session.protocol.threads)
        check_baseline(session)
        ready.refuse_changes()
    return session


def check(challenge: Challenge, survey: Survey) -> None:
    """EntryError for outputs that cannot be scored, or are other ones when a sample comes alone."""
    baseline, optimized = survey.models
    found = _fault_of(optimized, baseline.outputs.shape, challenge.task.vocabulary)
    if found:
        where = definition_line(challenge.contender, "optimize")
        mend = "return a model with the baseline's inputs and outputs"
        if optimized.differing is not None and "alone" in found:
            mend = "let the answer to a sample depend on that sample alone, and on no chance and no earlier call"
        raise EntryError(f"{challenge.contender.name}: the optimized model {found}{where}", mend=mend)


def _fault_of(model: ModelSurvey, shape: tuple[int, ...], vocabulary: int | None) -> str:
    """What is wrong with the outputs, in words; empty when nothing is."""
    outputs = model.outputs
    if not np.issubdtype(outputs.dtype, np.number) or np.issubdtype(outputs.dtype, np.complexfloating):
        return f"returns {outputs.dtype} instead of numbers"
    if vocabulary is not None and (wrong := _fault_of_tokens(outputs, shape, vocabulary)):
        return wrong
    if outputs.shape != shape and outputs.shape[:1] == shape[:1]:
        return f"returns for each sample the shape {outputs.shape[1:]} where the baseline returns {shape[1:]}"
    if outputs.shape != shape:
        return f"returns shape {outputs.shape} where the baseline returns {shape}"
    missing = int((~np.isfinite(outputs)).sum())
    if missing:
        return f"returns {missing} values that are NaN or infinite"
    if model.differing is not None:
        return f"gives another output for sample {model.differing} alone, as it is timed, than in the whole test set"
    return ""


def _fault_of_tokens(tokens: NDArray[Any], shape: tuple[int, ...], vocabulary: int) -> str:
    """What is wrong with outputs that are to be tokens of a vocabulary, in words."""
    if not np.issubdtype(tokens.dtype, np.integer):
        return f"returns {tokens.dtype} where whole tokens are wanted"
    if tokens.ndim == len(shape) and tokens.shape[:-1] == shape[:-1] and tokens.shape != shape:
        word = "few" if tokens.shape[-1] < shape[-1] else "many"
        return f"generates too {word} tokens: {tokens.shape[-1]} where the task wants {shape[-1]}"
    outside = tokens[(tokens < 0) | (tokens >= vocabulary)]
    return f"generates the token {outside[0]}, and the vocabulary is 0..{vocabulary - 1}" if outside.size else ""


def check_threads(threads: int | None) -> None:
    """ModelError when a model made the BLAS library use more threads than the one that both models have."""
    if threads is not None and threads > 1:
        message = f"BLAS used {threads} threads after the timing; both models have one"
        raise ModelError(message, mend="leave the number of threads as it is")


def check_baseline(session: Session) -> None:
    """ModelError when the baseline's weights are not, or do not lie, as they were before the timing."""
    if session.first_was_changed:
        message = "the baseline's weights were changed, or moved, while both models were timed"
        raise ModelError(message, mend="leave the model alone that yours is compared with")


def record(challenge: Challenge, ready: Prepared, session: Session) -> Run:
    """The run, with everything that a judge needs and nothing that names the machine's owner."""
    task, contender, now = challenge.task, challenge.contender, datetime.now(UTC)
    built, truth = ready.built, ready.truth
    return Run(
        id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        task=TaskRecord(
            name=task.name,
            dataset_sha256=task.dataset_sha256,
            test_samples=truth.labels.size,  # a sequence has a label for each token
        ),
        source=_source_record(contender, built.declared),
        system_info=session.system_info,
        protocol=session.protocol,
        baseline=session.record(0, f"{task.name} baseline", truth, Artifact.of(ready.baseline)),
        optimized=session.record(1, contender.name, truth, built.artifact),
    )


def _source_record(contender: Contender, declared: Declared) -> SourceRecord:
    """Where the optimized model came from."""
    return SourceRecord(
        kind=contender.kind, name=contender.name, sha256=contender.sha256, helpers=_files(contender.helpers),
        data=_files(contender.data),
        division=declared.division, techniques=declared.techniques, track=declared.track,
    )  # fmt: skip


def _files(contents: Mapping[str, bytes]) -> list[FileRecord]:
    return [FileRecord(name=safe_text(name), sha256=sha256(content)) for name, content in contents.items()]
