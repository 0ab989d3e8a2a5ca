"""The parent's side of worker processes: start, ask with a time limit, and leave nothing behind.

A worker's replies are data (JSON, .npy): nothing that it sends is ever unpickled or executed here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import psutil
from numpy.typing import NDArray

from tinytorch.benchmarking.bench import Description, ModelSource
from tinytorch.benchmarking.measure import Limits, Observer, Samples
from tinytorch.benchmarking.schedule import Plan, Probe
from tinytorch.benchmarking.system import THREAD_VARIABLES
from tinytorch.errors import WorkerError

BENCH_SERVICE = "tinytorch.benchmarking.worker:BenchService"
SILENCE_LIMIT_S = 60.0  # a request without an answer or progress for so long has hung
GRACE_S = 3.0  # past the limit, for the worker to write down where it stands
LOG_BYTES = 65_536  # of the end of a worker's log that are looked at

_STACK_HEAD = "(most recent call first)"
_STACK_LINE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>\S+)')

Outcome = Literal["raised", "timed out", "died"]


@dataclasses.dataclass(frozen=True)
class Frame:
    """One line of a worker's stack."""

    file: str
    line: int
    function: str
    code: str = ""


class WorkerFailedError(WorkerError):
    """A worker did not answer as asked: `outcome`, `detail` in words, and the stack, innermost last."""

    def __init__(self, outcome: Outcome, detail: str, frames: Sequence[Frame] = ()) -> None:
        super().__init__(f"a worker process {outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.frames = tuple(frames)


class ModelLoadError(WorkerFailedError):
    """A worker could not rebuild the models that it was sent."""


class Worker:
    """One child process that serves requests; use it as a context manager."""

    def __init__(self, service: str, blas_threads: int) -> None:
        threads = dict.fromkeys(THREAD_VARIABLES, str(blas_threads))
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tinytorch.benchmarking.worker", service],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, env={**os.environ, **threads},
            start_new_session=True,  # a Ctrl-C on the terminal reaches the parent alone, which then ends us
        )  # fmt: skip
        self._replies: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self, method: str, limit_s: float = SILENCE_LIMIT_S, observer: Observer = lambda share: None, **arguments: Any
    ) -> Any:
        """The result of `service.method(**arguments)`; WorkerFailedError when it raises, dies or is silent too long."""
        request = {"method": method, "arguments": arguments, "limit_s": limit_s}
        stdin = self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # a dead worker's reply, the end of its output, says more
            if stdin is not None:
                stdin.write(json.dumps(request).encode() + b"\n")
                stdin.flush()
        while True:
            reply = self._reply(limit_s)
            if "progress" not in reply:
                break
            observer(float(reply["progress"]))
        if "error" in reply:
            raise _raised(reply["error"])
        return reply.get("result")

    def close(self) -> None:
        """End the worker and everything it started; safe to call twice."""
        for process in _tree(self._process.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what was still to be flushed has no reader any more
                    stream.close()
        self._log.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._replies.put(line)
        self._replies.put(None)

    def _reply(self, limit_s: float) -> dict[str, Any]:
        try:
            line = self._replies.get(timeout=limit_s + GRACE_S)
        except queue.Empty:
            raise WorkerFailedError("timed out", f"no answer within {limit_s:g} s", self._logged_frames()) from None
        if line is None:
            raise WorkerFailedError("died", _ending(self._process.wait()), self._logged_frames())
        try:
            reply = json.loads(line)
        except ValueError:
            raise WorkerFailedError("died", "its reply was not JSON") from None
        if not isinstance(reply, dict):
            raise WorkerFailedError("died", "its reply was not a JSON object")
        return reply

    def _logged_frames(self) -> list[Frame]:
        """The main thread's stack that the worker left in its log on a sudden end.

        faulthandler writes the innermost line first, and the main thread last.
        """
        end = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, end - LOG_BYTES))
        text = self._log.read().decode("utf-8", errors="replace")
        main_thread = text.rpartition(_STACK_HEAD)[2]
        found = [Frame(m["file"], int(m["line"]), m["function"]) for m in _STACK_LINE.finditer(main_thread)]
        return found[::-1]


class RemoteBench:
    """A `Bench` in a worker process, with the same methods."""

    def __init__(self, worker: Worker, scratch: Path) -> None:
        self._worker = worker
        self._scratch = scratch

    def describe(self, model: int) -> Description:
        return Description(**self._worker.ask("describe", model=model))

    def predict(self, model: int) -> NDArray[Any]:
        path = self._scratch / f"outputs-{model}.npy"
        self._worker.ask("predict", model=model, path=str(path))
        outputs: NDArray[Any] = np.load(path, allow_pickle=False)
        return outputs

    def probe(self) -> Probe:
        found = self._worker.ask("probe")
        return Probe(**{**found, "call_ns": tuple(found["call_ns"])})

    def limits(self, kept_bytes: int) -> Limits:
        return Limits(**self._worker.ask("limits", kept_bytes=kept_bytes))

    def time_passes(self, model: int) -> list[int]:
        return [int(ns) for ns in self._worker.ask("time_passes", model=model)]

    def measure(self, plan: Plan, seed: int, observer: Observer) -> Samples:
        samples: Samples = self._worker.ask("measure", observer=observer, plan=dataclasses.asdict(plan), seed=seed)
        return samples


@contextlib.contextmanager
def remote_bench(
    sources: Sequence[ModelSource], inputs: Path, as_tensor: bool, copies: int, seed: int, scratch: Path
) -> Iterator[RemoteBench]:
    """A bench in a fresh process with one BLAS thread; ModelLoadError when it cannot build the models there."""
    with Worker(BENCH_SERVICE, blas_threads=1) as worker:
        try:
            worker.ask(
                "open", search_path=[path for path in sys.path if path], inputs=str(inputs), as_tensor=as_tensor,
                sources=[dataclasses.asdict(source) for source in sources], copies=copies, seed=seed,
            )  # fmt: skip
        except WorkerFailedError as failure:
            raise ModelLoadError(failure.outcome, failure.detail, failure.frames) from None
        yield RemoteBench(worker, scratch)


def _raised(error: dict[str, Any]) -> WorkerFailedError:
    frames = [Frame(**frame) for frame in error["frames"]]
    return WorkerFailedError("raised", f"{error['type']}: {error['message']}", frames)


def _ending(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"


def _tree(pid: int) -> list[psutil.Process]:
    """The process and all below it; empty when it is gone."""
    try:
        root = psutil.Process(pid)
        return [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return []
