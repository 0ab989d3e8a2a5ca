"""One competition run: baseline, built entry or strategy, both measured interleaved in fresh workers, one record."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.bench import ModelSource
from tinytorch.benchmarking.benchmark import correctness, model_record
from tinytorch.benchmarking.samples import (
    METRICS,
    Division,
    ModelRecord,
    Run,
    SourceRecord,
    TaskRecord,
    Throughput,
)
from tinytorch.benchmarking.schedule import Tier
from tinytorch.benchmarking.session import AnyBench, Progress, Session, Survey, run_session, silent
from tinytorch.benchmarking.workers import Worker, WorkerFailedError, remote_bench
from tinytorch.errors import EntryError, UsageError
from tinytorch.files import sha256
from tinytorch.harness.faults import definition_line, entry_error
from tinytorch.text import safe_text
from tinytorch.workloads import strategies
from tinytorch.workloads.cache import Baseline, cached_baseline
from tinytorch.workloads.task import Task

BUILD_SERVICE = "tinytorch.harness.entry:BuildService"
BUILD_LIMIT_S = 300.0
LARGEST_ENTRY_BYTES = 1_000_000


@dataclass(frozen=True)
class Contender:
    """Who challenges the baseline: an entry file, or a reference strategy (then `path` is None)."""

    kind: Literal["entry", "strategy"]
    name: str
    sha256: str
    path: Path | None = None

    @classmethod
    def entry(cls, path: Path) -> Contender:
        """The entry in the file at `path`; UsageError when it is no readable Python file of sensible size."""
        if path.is_dir():
            raise UsageError(f"{path} is a directory; an entry is one Python file")
        if not path.is_file():
            raise UsageError(f"there is no entry file {path}")
        if path.suffix != ".py":
            raise UsageError(f"{path.name} is not a Python file: an entry's name ends in .py")
        if path.stat().st_size > LARGEST_ENTRY_BYTES:
            raise UsageError(f"{path} is larger than {LARGEST_ENTRY_BYTES:,} bytes; weights belong in what it returns")
        return cls("entry", safe_text(path.name, 100), sha256(path.read_bytes()), path.resolve())

    @classmethod
    def strategy(cls, name: str) -> Contender:
        """The reference strategy `name`, identified by the digest of the file that defines it."""
        found = strategies.find_strategy(name)
        return cls("strategy", found.name, sha256(Path(strategies.__file__).read_bytes()))


@dataclass(frozen=True)
class Options:
    """What the caller may choose about a run."""

    tier: Tier
    seed: int = 0
    build_limit_s: float = BUILD_LIMIT_S
    cache_directory: Path | None = None


@dataclass(frozen=True)
class _Built:
    artifact: Path
    techniques: list[str]
    division: Division


def run_competition(
    task: Task,
    contender: Contender,
    options: Options,
    progress: Progress = silent,
    warn: Callable[[str], None] = lambda message: None,
) -> Run:
    """Train or load the baseline, build the contender, measure both; EntryError when the entry fails."""
    baseline = cached_baseline(task, _training(progress), warn, options.cache_directory)
    with tempfile.TemporaryDirectory(prefix="tinytorch-") as folder:
        scratch = Path(folder)
        progress("build", 0.0)
        with _blaming(contender, "in optimize"):
            built = _build(task, contender, baseline, scratch, options)
        with _blaming(contender, "running the optimized model"):
            session, labels = _measure(task, contender, baseline, built, scratch, options, progress)
        artifact = built.artifact.read_bytes()
    first = _record(session, 0, labels, f"{task.name} baseline", baseline.sha256, baseline.size_bytes)
    second = _record(session, 1, labels, contender.name, sha256(artifact), len(artifact))
    return _run_record(task, contender, built, session, first, second)


def _training(progress: Progress) -> Callable[[int, int, float], None]:
    return lambda step, steps, loss: progress("train", step / steps)


@contextmanager
def _blaming(contender: Contender, phase: str) -> Iterator[None]:
    """A worker's failure is the entry's, where an entry ran in it."""
    try:
        yield
    except WorkerFailedError as failure:
        if contender.path is None:
            raise
        raise entry_error(failure, contender.path, phase) from failure


def _build(task: Task, contender: Contender, baseline: Baseline, scratch: Path, options: Options) -> _Built:
    """Run `optimize` in a process of its own that ends with it."""
    artifact = scratch / "optimized.pickle"
    subject = {"name": contender.name} if contender.path is None else {"path": str(contender.path)}
    arguments: dict[str, Any] = {
        **subject, "task": task.name, "baseline": str(baseline.path), "artifact": str(artifact), "seed": options.seed
    }  # fmt: skip
    with Worker(BUILD_SERVICE, blas_threads=1) as worker:
        declared = worker.ask(contender.kind, options.build_limit_s, **arguments)
    return _Built(artifact, [safe_text(name, 100) for name in declared["techniques"]], declared["division"])


def _measure(
    task: Task,
    contender: Contender,
    baseline: Baseline,
    built: _Built,
    scratch: Path,
    options: Options,
    progress: Progress,
) -> tuple[Session, NDArray[Any]]:
    """Measure both models; the workers are given the test inputs and never the labels."""
    _, test = task.load_data()
    inputs = scratch / "inputs.npy"
    np.save(inputs, test.inputs, allow_pickle=False)
    sources = [_baseline_source(baseline), _optimized_source(contender, built)]

    @contextmanager
    def open_bench(copies: int, seed: int) -> Iterator[AnyBench]:
        with remote_bench(sources, inputs, True, copies, seed, scratch) as bench:
            yield bench

    shapes: list[tuple[int, ...]] = []

    def accept(model: int, survey: Survey) -> None:
        shapes.append(survey.outputs.shape)
        if model == 1:
            _check_outputs(survey.outputs, shapes[0], contender)

    session = run_session(
        open_bench, len(sources), options.tier, options.seed, "worker processes", METRICS, progress, accept
    )
    return session, test.labels


def _baseline_source(baseline: Baseline) -> ModelSource:
    return ModelSource("tinytorch.workloads.models:load_model", {"path": str(baseline.path)})


def _optimized_source(contender: Contender, built: _Built) -> ModelSource:
    if contender.path is None:
        return ModelSource("tinytorch.workloads.models:load_model", {"path": str(built.artifact)})
    arguments = {"artifact": str(built.artifact), "entry": str(contender.path)}
    return ModelSource("tinytorch.harness.entry:load_artifact", arguments)


def _check_outputs(outputs: NDArray[Any], shape: tuple[int, ...], contender: Contender) -> None:
    """EntryError for outputs that cannot be scored: not numbers, another shape than the baseline's, NaN or infinite."""
    if not np.issubdtype(outputs.dtype, np.number):
        found = f"returns {outputs.dtype} instead of numbers"
    elif outputs.shape != shape:
        found = f"returns shape {outputs.shape} where the baseline returns {shape}"
    elif not np.isfinite(outputs).all():
        found = f"returns {int((~np.isfinite(outputs)).sum())} values that are NaN or infinite"
    else:
        return
    where = definition_line(contender.path, "optimize") if contender.path else ""
    mend = "return a model with the baseline's inputs and outputs"
    raise EntryError(f"{contender.name}: the optimized model {found}{where}", mend=mend)


def _record(session: Session, model: int, labels: NDArray[Any], name: str, digest: str, size_bytes: int) -> ModelRecord:
    survey = session.surveys[model]
    return model_record(
        name, survey.description, METRICS, session.latency[model] if session.latency else None,
        correctness(survey.outputs, labels), Throughput.from_samples(survey.pass_ns, len(labels)), digest, size_bytes,
    )  # fmt: skip


def _run_record(
    task: Task, contender: Contender, built: _Built, session: Session, baseline: ModelRecord, optimized: ModelRecord
) -> Run:
    now = datetime.now(UTC)
    test_accuracy = baseline.metrics.accuracy
    samples = test_accuracy.total if test_accuracy and test_accuracy.total else 0
    return Run(
        id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        created_at=now,
        task=TaskRecord(
            name=task.name,
            dataset_sha256=task.dataset_sha256,
            test_samples=samples,
            expected_accuracy=task.expected_accuracy,
        ),
        source=SourceRecord(kind=contender.kind, name=contender.name, sha256=contender.sha256),
        division=built.division,
        techniques=built.techniques,
        system_info=session.system_info,
        protocol=session.protocol,
        baseline=baseline,
        optimized=optimized,
    )
