"""How a worker can fail, as an error that carries what is known of it. Light: measuring processes load it, too."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from tinytorch.errors import RunError, WorkerError
from tinytorch.showing import safe_text

Failure = Literal["raised", "timed out", "died", "broke the protocol", "ran out of memory"]

_MENDS: dict[Failure, str] = {
    "raised": "run the same command again with --debug, which shows where",
    "timed out": "close other programs and run the same command again",
    "ran out of memory": "close other programs, or allow more: --memory-limit MB",
    "died": "make sure that there is memory enough, and run the same command again",
    "broke the protocol": "run the same command again; what runs there must leave its worker's pipes alone",
}


@dataclasses.dataclass(frozen=True)
class Frame:
    """One line of a worker's stack."""

    file: str
    line: int
    function: str
    code: str = ""


class WorkerFailedError(WorkerError):
    """A worker did not answer as asked: `outcome`, `detail` in words, the stack, innermost last, and its `output`."""

    def __init__(
        self, outcome: Failure, detail: str, frames: Sequence[Frame] = (), output: str = "", mend: str = ""
    ) -> None:
        super().__init__(f"a worker process {outcome}: {detail}", mend=mend or _MENDS[outcome])
        self.has_own_mend = bool(mend)
        self.outcome = outcome
        self.detail = detail
        self.frames = tuple(frames)
        self.output = output


class BoxFailedError(RunError):
    """A worker's box did not start: that is this machine's fault, because nothing foreign had run in it."""

    def __init__(self, ending: str, output: str) -> None:
        said = output.strip().splitlines()
        why = f"{ending}: {safe_text(said[-1], 300)}" if said else ending
        super().__init__(f"a box did not start: {why}", mend="tito olympics verify --self-test shows what is possible")
