"""Figures of submissions that never were, from a few numbers: what rankings are tested with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from tinytorch.benchmarking.bits import pack_bits
from tinytorch.benchmarking.records.metrics import Accuracy
from tinytorch.benchmarking.statistics import Verdict, mean_estimate, widened_interval
from tinytorch.competition.ranking.figures import POWERS, Figures
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.record.run import TaskRecord
from tinytorch.competition.record.submission import Scores
from tinytorch.files import sha256

SAMPLES = 100
TASK = TaskRecord(name="digits_mlp", dataset_sha256="a" * 64, test_samples=SAMPLES)
BORN = datetime(2026, 3, 1, tzinfo=UTC)


def log_ratios(speedup: float, error: float, units: int = 8) -> list[float]:
    """With the mean ln(speedup) and exactly that standard error."""
    spread = np.linspace(-1, 1, units)
    return list(math.log(speedup) + spread * error * math.sqrt(units) / spread.std(ddof=1))


def right(wrong: Sequence[int]) -> bytes:
    """The bitmap of a model that has these samples wrong."""
    return bytes.fromhex(pack_bits([index not in wrong for index in range(SAMPLES)]))


def figures(name: str, speedup: float = 2.0, error: float = 0.005, **changed: Any) -> Figures:
    """A submission to the Latency Sprint, `speedup` times faster with that standard error (log scale)."""
    usual = {
        "athlete": {"name": name}, "repository": None, "techniques": [], "created_at": BORN, "event": "latency_sprint",
        "ranked_by": "speedup",
        "division": "closed", "task": TASK, "trust": "T1", "scores": Scores(speedup=speedup),
        "latency_ms": 1.0 / speedup, "memory_mb": 1.0, "accuracy": 0.9, "value": speedup,
        "verdict": Verdict.BETTER if speedup > 1 else Verdict.NO_DETECTABLE_DIFFERENCE,
        "log_ratios": log_ratios(speedup, error), "session_spread": 0.01, "sizes_bytes": (1000, 1000),
        "bitmaps": (right(range(10)), right(range(10))), "digest": sha256(f"{name} {speedup}".encode()),
    }  # fmt: skip
    found = {**usual, **changed}
    return TypeAdapter(Figures).validate_python({"interval": _interval(found), **found}, strict=False)


def _interval(found: dict[str, Any]) -> tuple[float, float] | None:
    """That of the log ratios around the value."""
    power, logs = POWERS.get(found["ranked_by"], 1.0), found["log_ratios"]
    estimate = mean_estimate(logs) if logs and found["value"] is not None else None
    reaching = widened_interval(estimate, found["session_spread"]) if estimate else None
    if estimate is None or reaching is None:
        return None
    lower, upper = (math.exp((each - estimate.mean) * power) for each in (reaching.lower, reaching.upper))
    return found["value"] * lower, found["value"] * upper


def sized(name: str, before: int, after: int, **changed: Any) -> Figures:
    """A submission to the Memory Challenge."""
    ratio = before / after
    verdict = Verdict.BETTER if ratio > 1 else Verdict.NO_DETECTABLE_DIFFERENCE
    usual = {
        "event": "memory_challenge",
        "ranked_by": "compression_ratio",
        "interval": (ratio, ratio),
        "sizes_bytes": (before, after),
        "value": ratio,
        "verdict": verdict,
    }
    return figures(name, **{**usual, **changed})


def answered(name: str, wrong: Sequence[int], **changed: Any) -> Figures:
    """A submission to the Accuracy Contest that has these samples wrong; the baseline has the first ten."""
    bitmap = right(wrong)
    share = Accuracy.from_correctness([index not in wrong for index in range(SAMPLES)]).mean
    usual = {
        "event": "accuracy_contest", "ranked_by": "accuracy", "bitmaps": (right(range(10)), bitmap),
        "value": share, "accuracy": share,
        "verdict": Verdict.NO_DETECTABLE_DIFFERENCE,
    }  # fmt: skip
    return figures(name, **{**usual, **changed})


def handed_in(entry: Figures, days: int = 0, source: str = "") -> Judged:
    """The submission in a file of its own, as many days later."""
    later = replace(entry, created_at=BORN + timedelta(days=days)) if days else entry
    name = source or f"{entry.athlete_name}.json"
    return Judged(source=name, sha256=sha256(name.encode()), figures=later, findings=(), passed_unlisted=1)
