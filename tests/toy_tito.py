"""`tito` as a process of its own, where measuring is a toy: each entry shows what was claimed, and takes no time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.competition.checks.test_shift import canary
from tests.competition.conftest import make_run
from tests.harness.referee.test_verify import HELD
from tinytorch.harness.referee import turns
from tinytorch.harness.referee import verify as harness
from tito.app import main
from tito.olympics import on_shift, rerunning

SPAN_S = 0.05


@contextmanager
def measured(challenge: Any, told: Any) -> Iterator[Any]:
    """What an entry shows; begun and ended are noted for whoever looks whether two were measured at once."""
    began = time.monotonic_ns()
    time.sleep(SPAN_S)
    with Path("spans").open("a") as file:
        file.write(f"{began} {time.monotonic_ns()}\n")
    yield SimpleNamespace(run=make_run())


harness.competed = measured
rerunning.refusal = lambda tier: None
rerunning.box_tested = lambda tier, told: HELD
rerunning.hides_labels = lambda tier: True
on_shift.canary = lambda place, told: canary(1.0)
runtime = Path("runtime").absolute()
runtime.mkdir(exist_ok=True)
turns.runtime_folder = lambda: runtime
turns.LOOK_AGAIN_S = 0.01

if __name__ == "__main__":
    main()
