"""The child's side of a worker process: `python -m tinytorch.benchmarking.worker package.module:Service`.

One JSON document a line: requests on standard input, replies on what was standard output. Whatever a model prints goes
to standard error, which the parent keeps as the log. When the parent is gone, so is the worker.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import json
import os
import queue
import sys
import threading
import traceback
from typing import Any, NoReturn, TextIO

from tinytorch.benchmarking.bench import Bench, resolve
from tinytorch.benchmarking.measure import Observer
from tinytorch.benchmarking.schedule import BlockShape, Plan


class BenchService:
    """A bench behind the pipe: every method takes and returns what JSON can carry; arrays travel as .npy files."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def open(self, search_path: list[str], **arguments: Any) -> None:
        """Build the copies; `search_path` is where the parent's imports come from."""
        sys.path.extend(entry for entry in search_path if entry not in sys.path)
        self._bench = Bench.load(**arguments)

    def describe(self, model: int) -> dict[str, Any]:
        return dataclasses.asdict(self._bench.describe(model))

    def predict(self, model: int, path: str) -> None:
        import numpy as np

        np.save(path, self._bench.predict(model), allow_pickle=False)

    def probe(self) -> dict[str, Any]:
        return dataclasses.asdict(self._bench.probe())

    def limits(self, kept_bytes: int) -> dict[str, float]:
        return dataclasses.asdict(self._bench.limits(kept_bytes))

    def time_passes(self, model: int) -> list[int]:
        return self._bench.time_passes(model)

    def measure(self, plan: dict[str, Any], seed: int) -> Any:
        block, calls = BlockShape(**plan.pop("block")), tuple(plan.pop("calls_per_sample"))
        return self._bench.measure(Plan(block=block, calls_per_sample=calls, **plan), seed, self._observer)


def main() -> None:
    """Serve requests until standard input ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _explain_sudden_ends()
    requests = _read_requests()
    service = resolve(sys.argv[1])(lambda share: _send(replies, {"progress": share}))
    while True:
        request = requests.get()
        faulthandler.dump_traceback_later(request["limit_s"], file=sys.stderr)
        reply = _answer(service, request)
        faulthandler.cancel_dump_traceback_later()
        _send(replies, reply)


def _answer(service: object, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": getattr(service, request["method"])(**request["arguments"])}
    except BaseException as error:  # noqa: BLE001 - a model may raise anything; the parent decides what it means
        return {"error": _describe(error)}


def _describe(error: BaseException) -> dict[str, Any]:
    frames = [
        {"file": frame.filename, "line": frame.lineno or 0, "function": frame.name, "code": frame.line or ""}
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        code = (error.text or "").strip()
        frames.append({"file": error.filename, "line": error.lineno or 0, "function": "<module>", "code": code})
    return {"type": type(error).__qualname__, "message": str(error), "frames": frames}


def _send(replies: TextIO, message: dict[str, Any]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _read_requests() -> queue.SimpleQueue[dict[str, Any]]:
    """A queue fed by a thread, so that the end of the parent ends this process even in the middle of a request."""
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    exit_now = os._exit

    def read() -> None:
        for line in sys.stdin:
            requests.put(json.loads(line))
        exit_now(0)

    threading.Thread(target=read, daemon=True).start()
    return requests


def _explain_sudden_ends() -> None:
    """A segmentation fault or an `os._exit` leaves its stack in the log, so that the line at fault can be named."""
    faulthandler.enable(sys.stderr)
    exit_now = os._exit

    def explained_exit(status: int) -> NoReturn:
        faulthandler.dump_traceback(sys.stderr, all_threads=False)
        exit_now(status)

    os._exit = explained_exit


if __name__ == "__main__":
    main()
