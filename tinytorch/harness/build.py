"""Building the optimized model in a process of its own, and how a measuring worker loads what was built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tinytorch.benchmarking.placements import ModelSource
from tinytorch.benchmarking.session import Artifact
from tinytorch.files import LARGEST_ARTIFACT_BYTES
from tinytorch.harness.boxes import box_of
from tinytorch.harness.builder import Declared, Made
from tinytorch.harness.contender import Challenge
from tinytorch.harness.frozen import BASELINE, TRAINING, Frozen
from tinytorch.harness.helpers import module_name, needed_sources
from tinytorch.harness.kernels import environment
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.processes.parcel import Parcel
from tinytorch.processes.worker import Worker
from tinytorch.showing import safe_text

SERVICE = "tinytorch.harness.builder:BuildService"


@dataclass(frozen=True)
class Built:
    """The optimized model as the content of a file, what its contender says of it, and what it printed meanwhile.

    `sources` are the entry's own files, path -> content, without which the model cannot be loaded; of the framework's
    layers it needs none.
    """

    content: bytes
    declared: Declared
    output: str = ""
    sources: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def artifact(self) -> Artifact:
        """What is recorded of it."""
        return Artifact.of(self.content, b"".join(self.sources.values()))


def build(challenge: Challenge, own: Frozen, given: Frozen, kernels: Path) -> Built:
    """Run `optimize` in a process that ends with it, from the entry's `own` files and those that it is `given`.

    WorkerFailedError when that fails.
    """
    strategy = challenge.contender.strategy
    arguments: dict[str, Any] = {
        "subject": str(own.folder) if strategy is None else [asdict(step) for step in strategy.steps],
        "baseline": str(given.path(BASELINE)), "training": str(given.path(TRAINING)),
        "seed": challenge.settings.seed if challenge.build_seed is None else challenge.build_seed,
    }  # fmt: skip
    box = box_of(challenge, kernels, given.folder, *([own.folder] if own.digests else []))
    if box and strategy is None:  # where its author had its data beside it
        arguments["works_there"] = True
    with (
        Parcel(LARGEST_ARTIFACT_BYTES) as parcel,
        Worker(SERVICE, environment(kernels), challenge.memory_limit_bytes, parcel.descriptor, box=box) as worker,
    ):
        arguments["parcel"] = parcel.descriptor
        reply = worker.ask(challenge.contender.kind, challenge.build_limit_s, **arguments)
        worker.close()  # nobody writes any more
        try:
            made = TypeAdapter(Made).validate_python(reply)
            content = parcel.read(made.size_bytes)
        except ValueError:
            raise WorkerFailedError("broke the protocol", "it did not build what it says") from None
    named = [safe_text(name, 100) for name in made.declared.techniques]
    sources = needed_sources(challenge.contender.sources, made.modules)
    return Built(content, replace(made.declared, techniques=named), worker.output, sources)


def model_source(frozen: Frozen, artifact: str) -> ModelSource:
    """How any process gets a model of the framework's own classes."""
    arguments = {"path": str(frozen.path(artifact)), "digest": frozen.digests[artifact]}
    return ModelSource("tinytorch.workloads.models:load_model", arguments)


def entry_source(frozen: Frozen, sources: Iterable[str]) -> ModelSource:
    """How any process gets a model of an entry's classes; the globals of its modules are part of the model."""
    arguments = {"folder": str(frozen.folder), "digests": dict(frozen.digests)}
    return ModelSource("tinytorch.harness.loading:load_artifact", arguments, tuple(map(module_name, sources)))
