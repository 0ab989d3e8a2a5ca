"""A class's folder of valid submissions, made from synthetic measurements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.competition.conftest import FACTS, make_run, model_record
from tinytorch.benchmarking.records.session import Doubt
from tinytorch.competition.scoring.packaging import submission_from_run


def handed_in(
    folder: Path,
    athlete: str | Sequence[str],
    seed: int = 2,
    event: str = "latency_sprint",
    file: str = "",
    backend: str | None = None,
    doubts: Sequence[Doubt] = (),
    id_: str | Sequence[str] | None = None,
    **measured: Any,
) -> Path:
    """A valid submission of an athlete, whose samples are drawn with that seed."""
    run = make_run()
    optimized = model_record(
        "prune", seed, **{"typical_ns": 200_000, "kept_bytes": 3_000_000, "correct": 348, **measured}
    )
    baseline = model_record("digits_mlp baseline", seed + 1000, 1_000_000, FACTS.kept_bytes, 350)
    optimized = optimized.model_copy(update={"backend": backend})
    protocol = run.protocol.model_copy(update={"doubts": list(doubts)})
    changed = run.model_copy(update={"baseline": baseline, "optimized": optimized, "protocol": protocol})
    document = submission_from_run(
        changed,
        event=event,
        athlete_name=athlete,
        athlete_id=id_,
        github_repo="https://example.org/code",
        techniques=["pruning"],
    )
    path = folder / (file or f"{athlete}.json")
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
