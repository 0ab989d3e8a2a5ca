"""The canary: a pair of our own models whose speedup shows whether machines, and one machine's hours, are alike."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import tinytorch
from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.benchmarking.system import describe
from tinytorch.competition.checks.shift import Canary, Machine
from tinytorch.competition.scoring.scores import compared
from tinytorch.errors import RunError
from tinytorch.files import sha256
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.prepare import UNOBSERVED, Observer
from tinytorch.harness.referee.verify import Place
from tinytorch.harness.run import competed
from tinytorch.workloads.registry import find_task

TASK, STRATEGY = "fashion_mlp", "latency_sprint"
CODE = ("**/*.py", "**/*.toml")


def canary(place: Place, told: Observer = UNOBSERVED) -> Canary:
    """Measure it now, as entries are measured here. RunError where even that cannot be done."""
    task, how = find_task(TASK), place.how
    challenge = Challenge(
        task, Contender.reference(task.strategy(STRATEGY)), Settings.of(TIERS[how.tier], None), how.build_limit_s,
        place.cache_directory, how.memory_limit_bytes, place.tier,
    )  # fmt: skip
    with competed(challenge, told) as done:
        speedup = compared(place.known(done.run), place.rules).speedup
    if speedup is None:
        raise RunError("the known pair has no speedup", mend="tito olympics doctor shows this machine")
    return Canary(measured_at=datetime.now(UTC), speedup=speedup)


def this_machine() -> Machine:
    """Of what class we are."""
    info = describe()
    return Machine(cpu_model=info.cpu_model, logical_cores=info.logical_cores, memory_bytes=info.memory_bytes)


@cache
def code_sha256() -> str:
    """Of all code that measures and judges: two machines with one digest do the same."""
    root = Path(tinytorch.__file__).parent
    files = sorted({path for pattern in CODE for path in root.glob(pattern)})
    named = (f"{path.relative_to(root).as_posix()} {sha256(path.read_bytes())}" for path in files)
    return sha256("\n".join(named).encode())
