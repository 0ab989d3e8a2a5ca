"""What a ranking needs of one submission: thousands fit in memory, and all of it follows from the file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from math import exp
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer

from tinytorch.benchmarking.comparison import Disturbance
from tinytorch.benchmarking.records.metrics import Metrics
from tinytorch.benchmarking.records.record import STRICTLY, Moment, Sha256, one_of_equal
from tinytorch.benchmarking.statistics import Interval, Verdict
from tinytorch.competition.checks.case import Case
from tinytorch.competition.names import Division, Track
from tinytorch.competition.record.people import Athlete
from tinytorch.competition.record.run import Measurement, TaskRecord
from tinytorch.competition.record.submission import Scores, Trust
from tinytorch.competition.rules.events import EventName, Ranked, Rules
from tinytorch.competition.scoring.busy import moved_words
from tinytorch.competition.scoring.disturbance import Best, QuietTimes, floor, quiet_times
from tinytorch.competition.scoring.expectation import standing, verdict_of
from tinytorch.competition.scoring.scores import metric_values, ranked_value, session_spread

Bounds = tuple[float, float]
Bits = Annotated[  # as text in hexadecimal
    bytes, BeforeValidator(lambda value: bytes.fromhex(value) if isinstance(value, str) else value),
    AfterValidator(one_of_equal), PlainSerializer(bytes.hex),
]  # fmt: skip
POWERS = {"speedup": 1.0, "extreme_push": 1.0, "all_around": 1 / 3}  # of the speedup, in what is ranked by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What the athlete's own run showed, of an entry that was measured again."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICTLY

    value: float | None
    interval: Bounds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One submission as lists, rankings and pages see it; with slots it takes half of what a `Record` does.

    `value` is what its event ranks by, `interval` its 95 % interval over many sessions (of accuracy: of the change, in
    points), `verdict` what it says beside the baseline: of valid submissions only. The rest is what two submissions are
    told apart by: log ratios of the units with the spread from session to session, sizes, and a bit for each test
    sample. A ratio belongs to the `machine` (a processor) and the `backend` that it was measured with, by a `tier` of
    the recipe and with `doubts`, by their codes; None is not known. `quiet` tells how disturbed that machine was,
    beside the `best` that is known, and `moved` how far the speedup may have been moved for it; both interval and
    `judged_by`, what the verdict follows from, reach so far. `claimed` is what was claimed, where all of this is of a
    re-run, and `machine_class` the class of the machine that made it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICTLY

    athlete: Athlete
    repository: str | None
    techniques: list[str]
    created_at: Moment
    digest: Sha256
    event: EventName
    ranked_by: Ranked
    division: Division
    task: Annotated[TaskRecord, AfterValidator(one_of_equal)] | None
    trust: Annotated[Trust, Field(strict=False)]
    scores: Scores
    latency_ms: float | None
    memory_mb: float | None
    accuracy: float | None
    value: float | None
    interval: Bounds | None
    verdict: Annotated[Verdict, Field(strict=False)] | None
    log_ratios: list[float] | None
    session_spread: float
    sizes_bytes: tuple[int, int] | None
    bitmaps: tuple[Bits, Bits] | None
    machine: str | None = None
    cores: int | None = None
    backend: str | None = None
    tier: str | None = None
    doubts: list[str] = field(default_factory=list)
    quiet: QuietTimes | None = None
    best: Best | None = None
    moved: Disturbance | None = None
    judged_by: Bounds | None = None
    claimed: Claimed | None = None
    track: Track | None = None
    machine_class: str | None = None

    @classmethod
    def of(cls, case: Case, is_valid: bool) -> Self:
        """The figures of a submission, all of them derived anew by the rules that it is judged by."""
        submission, rules, scores = case.submission, case.rules, case.scores if is_valid else Scores()
        declared, run = submission.declaration, submission.run
        first, second = run.baseline.metrics, run.optimized.metrics
        quiet = quiet_times(run)
        metrics, speedup = metric_values(second), case.statistics.speedup if is_valid else None
        ranked = rules.events[declared.event].ranked_by
        found = standing(run, declared.event, rules, case.statistics) if is_valid else None
        return cls(
            athlete=declared.athlete, repository=declared.repository, techniques=declared.techniques,
            created_at=declared.created_at, digest=submission.digest, event=declared.event, ranked_by=ranked,
            track=declared.track,
            division=declared.division, task=run.task, trust=submission.derived.trust, scores=scores,
            latency_ms=metrics["latency"], memory_mb=metrics["memory"], accuracy=metrics["accuracy"],
            value=ranked_value(ranked, run, scores) if is_valid else None,
            interval=_bounds(found.interval) if found else None, verdict=found.verdict if found else None,
            judged_by=_bounds(found.judged_by or found.interval) if found else None,
            moved=speedup.disturbance if speedup else None, quiet=quiet, best=quiet.best if quiet else None,
            log_ratios=speedup.log_ratios if speedup else None,
            session_spread=session_spread(run.protocol.sessions if run.protocol else 1, rules),
            sizes_bytes=_sizes_bytes(first, second), bitmaps=_bitmaps(first, second),
            **_measured_with(run),
        )  # fmt: skip

    def beside(self, best: Best, rules: Rules) -> Self:
        """The same where this is the least that is known of the machine, which the file itself may not know.

        It comes from others' files, and so never counts for more than a machine that nobody knows.
        """
        power = POWERS.get(self.ranked_by)
        if self.quiet is None or self.moved is None or rules.disturbance is None:
            return self
        own, most = self.moved, floor(self.quiet.task, 0, rules.disturbance)
        down = min(self.quiet.moved(rules.disturbance, best).down, most)
        moved = Disturbance(down=max(own.down, down), up=own.up)
        if power is None or self.interval is None or self.judged_by is None:
            return replace(self, moved=moved, best=best)
        lower = exp((own.down - moved.down) * power)
        interval, judged_by = ((low * lower, high) for low, high in (self.interval, self.judged_by))
        verdict = verdict_of(Interval(*judged_by), 1.0)
        return replace(self, moved=moved, best=best, interval=interval, judged_by=judged_by, verdict=verdict)

    def busy_words(self, rules: Rules) -> str:
        """What the machine may have done to the speedup, where that is ranked; empty where it is little."""
        if self.moved is None or rules.disturbance is None or self.ranked_by not in POWERS:
            return ""
        return moved_words(self.moved, self.quiet, self.best, rules.disturbance)

    @property
    def shown(self) -> float | None:
        """What the data show of the value, by which entries are ordered; None of a claim.

        It is the lower end of the interval. Sizes are exact, and an accuracy is that of a given test set.
        """
        if self.ranked_by == "accuracy":
            return self.value if self.bitmaps else None
        if self.value is None or self.interval is None:
            return None
        if self.ranked_by == "compression_ratio" and self.sizes_bytes:
            return self.sizes_bytes[0] / self.sizes_bytes[1]  # equal for equal ratios, however the value was rounded
        return self.interval[0]

    @property
    def ranked_value(self) -> float:
        """What the event ranks by; ValueError where that was not measured, which has no place in a ranking."""
        if self.value is None:
            raise ValueError("a submission without a value cannot be ranked")
        return self.value

    @property
    def athlete_name(self) -> str:
        """As it was written."""
        return self.athlete.name

    @property
    def key(self) -> tuple[datetime, str]:
        """An order of submissions that does not depend on how they were given: the earlier first."""
        return self.created_at, self.digest


def _bounds(interval: Interval | None) -> Bounds | None:
    return None if interval is None else (interval.lower, interval.upper)


def _measured_with(run: Measurement) -> dict[str, Any]:
    info, protocol = run.system_info, run.protocol
    return {
        "machine": info.cpu_model if info else None, "cores": info.logical_cores if info else None,
        "backend": run.optimized.backend, "tier": protocol.tier if protocol else None,
        "doubts": [doubt.code for doubt in (protocol.doubts if protocol else None) or []],
    }  # fmt: skip


def _sizes_bytes(baseline: Metrics, optimized: Metrics) -> tuple[int, int] | None:
    """Baseline and optimized, where both were counted; nothing has the size of one byte."""
    first = baseline.memory.size_bytes if baseline.memory else None
    second = optimized.memory.size_bytes if optimized.memory else None
    return None if first is None or second is None else (max(first, 1), max(second, 1))


def _bitmaps(baseline: Metrics, optimized: Metrics) -> tuple[bytes, bytes] | None:
    first = baseline.accuracy.bitmap if baseline.accuracy else None
    second = optimized.accuracy.bitmap if optimized.accuracy else None
    return (bytes.fromhex(first), bytes.fromhex(second)) if first and second else None
