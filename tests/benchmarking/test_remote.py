"""What a worker says is looked at before it is believed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinytorch.benchmarking import remote
from tinytorch.benchmarking.placements import Inspection
from tinytorch.benchmarking.remote import RemotePlacements
from tinytorch.benchmarking.schedule import BlockShape, Probe, Schedule
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.processes.parcel import Parcel

PLAN = Schedule(1, 1, copies=1, visits=1, block=BlockShape(1, 0, 2), calls_per_sample=(1, 1))
PROBE, SEEN = Probe((5, 5), 1, 1), Inspection([1, 1], 1, [], [["a"], ["b"]])
VISIT = [[[[5, 5]]], [[[5, 5]]], [[[5] * 8]]]


def placements(reply: object) -> RemotePlacements:
    """Of two models, in a worker that says just that to everything."""
    worker = SimpleNamespace(ask=lambda *_, **__: reply)
    return RemotePlacements(worker, Parcel(1), limit_s=1, models=2)


def asked(verb: str, reply: object) -> Any:
    arguments = {"visit": (PLAN, 1), "time_passes": (0, 1)}.get(verb, ())
    return getattr(placements(reply), verb)(*arguments)


GOOD = {"probe": asdict(PROBE), "inspect": asdict(SEEN), "visit": VISIT, "time_passes": [5]}
BAD = [
    ("probe", {**asdict(PROBE), "call_ns": [5]}), ("inspect", {**asdict(SEEN), "kept_bytes": [1]}),
    ("inspect", {**asdict(SEEN), "weights_sha256": [["a"]]}),
    ("inspect", {**asdict(SEEN), "weights_sha256": [["a"], []]}),
    ("inspect", {**asdict(SEEN), "blas_threads": 0}), ("visit", [[*model, model[0]] for model in VISIT]),
    ("time_passes", []), ("time_passes", "nonsense"),
]  # fmt: skip


@pytest.mark.parametrize("verb", GOOD)
def test_what_makes_sense_is_believed(verb: str) -> None:
    asked(verb, GOOD[verb])


@pytest.mark.parametrize(("verb", "reply"), BAD)
def test_what_makes_none_breaks_the_protocol(verb: str, reply: object) -> None:
    with pytest.raises(WorkerFailedError, match="makes no sense") as caught:
        asked(verb, reply)

    assert caught.value.outcome == "broke the protocol"


def test_what_was_imported_is_not_collected_again_before_every_visit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the models are built: what comes later is theirs, and is collected."""
    happened: list[str] = []
    monkeypatch.setattr(remote, "Placements", lambda *_: happened.append("built"))
    monkeypatch.setattr(remote.gc, "freeze", lambda: happened.append("frozen"))
    np.save(tmp_path / "inputs.npy", np.zeros((2, 3)))
    subjects = {"sources": [], "inputs": str(tmp_path / "inputs.npy"), "as_tensor": True}
    remote.PlacementsService().open([], subjects, copies=1, seed=0)

    assert happened == ["built", "frozen"]
