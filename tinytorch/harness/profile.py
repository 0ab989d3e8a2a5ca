"""Profiling a contender's model, layer by layer, in a worker: both ends of the wire."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from tinytorch.benchmarking.footprint import footprint
from tinytorch.benchmarking.light import LightSpeed
from tinytorch.benchmarking.records.work import Limits
from tinytorch.benchmarking.remote import REQUEST_LIMIT_S, Sendable
from tinytorch.core.tensor import Tensor
from tinytorch.harness.contender import Challenge
from tinytorch.harness.faults import blaming
from tinytorch.harness.frozen import INPUTS
from tinytorch.harness.kernels import environment
from tinytorch.harness.prepare import UNOBSERVED, WITHHOLD, Observer, prepared
from tinytorch.perf.profiling import Bottleneck, ModelProfile, find_bottleneck, look_beside, profile_model
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.processes.worker import Worker
from tinytorch.showing import safe_text

SERVICE = "tinytorch.harness.profile:ProfileService"
LONGEST_NAME = 60

Reply = tuple[ModelProfile, Limits, LightSpeed | None]


@dataclass(frozen=True)
class Profiled:
    """Where the time of one inference of one sample goes, what this machine can do, and what follows from both.

    `light` is None where the model's work cannot be counted.
    """

    task: str
    source: str
    model: ModelProfile
    limits: Limits
    bottleneck: Bottleneck
    light: LightSpeed | None


def profile_contender(challenge: Challenge, told: Observer = UNOBSERVED) -> Profiled:
    """Profile the optimized model; EntryError when an entry fails, in building or while it runs."""
    with prepared(challenge, told) as ready:
        _, source = ready.sources
        sendable = Sendable((source,), str(ready.frozen.path(INPUTS)), True, challenge.task.freshen, WITHHOLD)
        told.progress("profile", 0.0)
        with (
            blaming(challenge.contender, "running the optimized model"),
            Worker(SERVICE, environment(ready.kernels), challenge.memory_limit_bytes) as worker,
        ):
            model, limits, light = _checked(worker.ask("profile", REQUEST_LIMIT_S, subject=asdict(sendable)))
        told.output("profiling", worker.output)
    return Profiled(
        challenge.task.name, challenge.contender.name, model, limits, find_bottleneck(model, limits, light), light
    )


def _checked(reply: object) -> Reply:
    """What a worker said, which foreign code may have written, with names that are fit to show."""
    try:
        model, limits, light = TypeAdapter(Reply).validate_python(reply)
    except ValidationError:
        raise WorkerFailedError("broke the protocol", "its profile is none") from None
    numbers = [model.whole_ns, *(value for layer in model.layers for value in vars(layer).values())]
    is_possible = all(isinstance(each, str) or 0 <= each < math.inf for each in numbers) and _is_possible(light)
    if not (model.layers and is_possible):
        raise WorkerFailedError("broke the protocol", "its profile has impossible numbers")
    layers = [
        replace(layer, name=safe_text(layer.name, LONGEST_NAME), kind=safe_text(layer.kind, LONGEST_NAME))
        for layer in model.layers
    ]
    return replace(model, layers=layers), limits, light


def _is_possible(light: LightSpeed | None) -> bool:
    if light is None:
        return True
    bounds = (light.interval.lower, light.interval.upper) if light.interval else ()
    return all(0 < each < math.inf for each in (light.least_ns, light.taken_ns, light.share, *bounds))


class ProfileService:
    """The child's end."""

    def profile(self, subject: dict[str, Any]) -> Any:
        """The profile of a model and the limits of this machine, as JSON can carry them."""
        subjects = TypeAdapter(Sendable).validate_python(subject).load()
        model, generator, turn = subjects.builders[0](), np.random.default_rng(0), count()

        def take() -> Tensor:
            row = subjects.inputs[[next(turn) % len(subjects.inputs)]]
            return Tensor(row if subjects.freshen is None else subjects.freshen(row, generator))

        profile = profile_model(model, take)
        reply = (profile, *look_beside(model, take, footprint(model).kept_bytes))
        return TypeAdapter(Reply).dump_python(reply, mode="json")
