"""Runners in plain processes, and models that they serve: an honest one, and others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinytorch.benchmarking.blas import thread_environment
from tinytorch.benchmarking.placements import ModelSource
from tinytorch.core.dataloader import TensorDataset
from tinytorch.harness.referee.channel import ENTRY, Channel, Form
from tinytorch.harness.referee.outside import Match
from tinytorch.processes.worker import Worker

INPUTS, CLASSES = 6, 10
MODELS = '''
import os, sys, threading, time
import numpy as np

WEIGHTS = np.random.default_rng(0).normal(size=(6, 10)).astype(np.float32)

def local(name):
    """The variables of the runner's loop."""
    frame = sys._getframe()
    while frame and frame.f_code.co_name != name:
        frame = frame.f_back
    return frame.f_locals if frame else {}

def honest(x): return x.data @ WEIGHTS
def of_tokens(x): return x.data[:, ::-1]
def garbage(x): return np.zeros((1, 10), np.float32) if local("serve").get("what") == b"C" else honest(x)
def numbers_are_missing(x): return np.full((1, 10), np.nan, np.float32)
def fails(x): raise ValueError("no answer")
def exits(x): os._exit(3)
def hangs(x): time.sleep(600)
def prints(x): print("x" * 2_000, flush=True); return honest(x)
def early(x):
    os.write(local("serve")["replies"], b"D")
    return np.full((1, 10), np.nan, np.float32) if "never" in os.environ else honest(x)
def twice(x):
    answer, serve = honest(x), local("serve")
    serve["kept"][0] = answer[0]
    os.write(serve["replies"], b"D")
    return answer
def idles(x):
    if not hasattr(idles, "thread"):
        idles.thread = threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True)
        idles.thread.start()
    return honest(x)
def grows(x):
    grows.held = getattr(grows, "held", None) or bytearray(b"x") * 50_000_000
    return honest(x)
def made(name): return globals()[name]
'''


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModelSource]:
    """How any process gets a model by its name."""
    (tmp_path / "runner_models.py").write_text(MODELS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    return lambda name: ModelSource("runner_models:made", {"name": name})


def hire(model: int, service: str, *given: int) -> Worker:
    """Without a box."""
    return Worker(service, thread_environment(1), None, *given)


def weights() -> Any:
    """Of the models above."""
    return np.random.default_rng(0).normal(size=(INPUTS, CLASSES)).astype(np.float32)


def samples(count: int, generator: np.random.Generator) -> TensorDataset:
    """New inputs, and what the honest model says."""
    inputs = generator.normal(size=(count, INPUTS)).astype(np.float32)
    return TensorDataset(inputs, (inputs @ weights()).argmax(axis=1))


@pytest.fixture
def match(models: Callable[[str], ModelSource]) -> Callable[..., Match]:
    """The honest model as the baseline, beside another."""

    def make(name: str) -> Match:
        form = ((CLASSES,), "<f4")
        return Match(
            (models("honest"), models(name)), ((INPUTS,), "<f4"), (form, form), False, samples, (20_000.0, 20_000.0)
        )

    return make


@pytest.fixture
def channel(models: Callable[[str], ModelSource]) -> Iterator[Callable[..., Channel]]:
    """Makes a channel to a model by its name, which serves."""
    opened: list[Channel] = []

    def make(name: str, **options: Any) -> Channel:
        one = Channel(hire, ENTRY, Form(40, (INPUTS,), "<f4"), Form(20, (CLASSES,), "<f4"), False, **options)
        opened.append(one)
        one.load(models(name))
        one.serve()
        return one

    yield make
    for one in opened:
        one.close()
