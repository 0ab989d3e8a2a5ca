"""What a ranking needs of one submission: thousands fit in memory, and all of it follows from the file."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime

from tinytorch.benchmarking.records import Metrics, Record, Sha256
from tinytorch.benchmarking.statistics import Interval, Verdict
from tinytorch.competition.names import Division, OlympicEvent
from tinytorch.competition.record.run import TaskRecord
from tinytorch.competition.record.submission import Submission, Trust
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.expectation import standing
from tinytorch.competition.scoring.scores import Scores, metric_values, session_spread

Bounds = tuple[float, float]


class Figures(Record):
    """One valid submission as a ranking sees it.

    `value` is what its event ranks by, `interval` its 95 % interval over many sessions (of accuracy: of the change, in
    points), `verdict` what it says beside the baseline. The rest is what two submissions are told apart by: log ratios
    of the units with the spread from session to session, kept bytes, and a bit for each test sample.
    """

    athlete_name: str
    github_repo: str | None
    techniques: list[str]
    created_at: AwareDatetime
    digest: Sha256
    event: OlympicEvent
    division: Division
    task: TaskRecord | None
    trust: Trust
    scores: Scores
    latency_ms: float | None
    memory_mb: float | None
    accuracy: float | None
    value: float | None
    interval: Bounds | None
    verdict: Verdict | None
    log_ratios: list[float] | None
    session_spread: float
    kept_bytes: tuple[int, int] | None
    bitmaps: tuple[str, str] | None

    @classmethod
    def of(cls, submission: Submission, rules: Rules) -> Self:
        """The figures of a valid submission by the rules that it was judged by."""
        first, second = submission.baseline.metrics, submission.optimized.metrics
        metrics, scores = metric_values(second), submission.normalized_scores
        ranked, found = rules.events[submission.event].ranked_by, standing(submission, submission.event, rules)
        speedup = submission.statistics.speedup
        return cls(
            athlete_name=submission.athlete_name, github_repo=submission.github_repo, techniques=submission.techniques,
            created_at=submission.created_at, digest=submission.digest, event=submission.event,
            division=submission.division, task=submission.task, trust=submission.trust, scores=scores,
            latency_ms=metrics["latency"], memory_mb=metrics["memory"], accuracy=metrics["accuracy"],
            value=metrics["accuracy"] if ranked == "accuracy" else scores.model_dump()[ranked],
            interval=_bounds(found.interval), verdict=found.verdict,
            log_ratios=speedup.log_ratios if speedup else None,
            session_spread=session_spread(submission.protocol.sessions if submission.protocol else 1, rules),
            kept_bytes=_kept_bytes(first, second), bitmaps=_bitmaps(first, second),
        )  # fmt: skip

    @property
    def ranked_value(self) -> float:
        """What the event ranks by; ValueError where that was not measured, which has no place in a ranking."""
        if self.value is None:
            raise ValueError("a submission without a value cannot be ranked")
        return self.value

    @property
    def athlete(self) -> str:
        """Whose it is: names that differ only in case or spaces are one athlete's."""
        return " ".join(self.athlete_name.casefold().split())

    @property
    def key(self) -> tuple[datetime, str]:
        """An order of submissions that does not depend on how they were given: the earlier first."""
        return self.created_at, self.digest


def _bounds(interval: Interval | None) -> Bounds | None:
    return None if interval is None else (interval.lower, interval.upper)


def _kept_bytes(baseline: Metrics, optimized: Metrics) -> tuple[int, int] | None:
    """Baseline and optimized, where both were counted and keep something."""
    first = baseline.memory.kept_bytes if baseline.memory else None
    second = optimized.memory.kept_bytes if optimized.memory else None
    return (first, second) if first and second else None


def _bitmaps(baseline: Metrics, optimized: Metrics) -> tuple[str, str] | None:
    first = baseline.accuracy.bitmap if baseline.accuracy else None
    second = optimized.accuracy.bitmap if optimized.accuracy else None
    return (first, second) if first and second else None
