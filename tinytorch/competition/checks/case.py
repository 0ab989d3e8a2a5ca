"""What the checks look at: one submission, the document it was read from, the rules, and the samples as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.comparison import Comparison, Statistics
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Metrics
from tinytorch.competition.checks.findings import Check
from tinytorch.competition.record.declaration import Declaration
from tinytorch.competition.record.document import SCHEMA_VERSION
from tinytorch.competition.record.run import Measurement
from tinytorch.competition.record.submission import Derived, Scores, Submission
from tinytorch.competition.rules.events import DivisionRules, Plausibility, Rules, shipped_rules
from tinytorch.competition.scoring.scores import compared, compute_scores

Times = NDArray[np.float64]  # nanoseconds, one per sample, in the order they are stored


@dataclass(frozen=True)
class Case:
    """A submission and what it is judged by; `content_sha256` is the digest that its content really has.

    `written_version` is the version of the schema that it was written in: an older one knows less. A `speedup_outside`
    is a referee's, which counts in the place of the run's.
    """

    submission: Submission
    rules: Rules
    document: dict[str, Any] = field(repr=False)
    content_sha256: str
    written_version: str = SCHEMA_VERSION
    speedup_outside: Comparison | None = None

    def knows(self, version: str) -> bool:
        """Whether it was written in that version of the schema or a later one."""
        return [int(part) for part in self.written_version.split(".")] >= [int(part) for part in version.split(".")]

    def limits_of(self, check: Check[Case]) -> dict[str, float]:
        """The limits of a check that a package adds, as the rules have them or else as it does."""
        return {**check.limits, **self.rules.checks.get(check.name, {})}

    @property
    def declaration(self) -> Declaration:
        """What is declared."""
        return self.submission.declaration

    @property
    def run(self) -> Measurement:
        """What was measured."""
        return self.submission.run

    @property
    def derived(self) -> Derived:
        """What the submission says that follows."""
        return self.submission.derived

    @property
    def limits(self) -> Plausibility:
        """Beyond these a submission is flagged."""
        return self.rules.plausibility

    @property
    def division(self) -> DivisionRules:
        """What the submission's division asks."""
        return self.rules.divisions[self.declaration.division]

    @property
    def baseline(self) -> Metrics:
        """The baseline's metrics."""
        return self.run.baseline.metrics

    @property
    def optimized(self) -> Metrics:
        """The optimized model's metrics."""
        return self.run.optimized.metrics

    @property
    def models(self) -> dict[str, Metrics]:
        """Both models' metrics by their role."""
        return {"baseline": self.baseline, "optimized": self.optimized}

    @cached_property
    def medians(self) -> dict[str, float]:
        """Of all samples of each model, by its role; nanoseconds."""
        return {role: float(np.median(times)) for role, times in self.times.items()}

    @cached_property
    def statistics(self) -> Statistics:
        """The statistics, recomputed by the rules that it is judged by."""
        found = compared(self.run, self.rules)
        return found.model_copy(update={"speedup": self.speedup_outside}) if self.speedup_outside else found

    @cached_property
    def scores(self) -> Scores:
        """The scores, recomputed by the rules that it is judged by."""
        return compute_scores(self.run, self.rules, self.statistics)

    @cached_property
    def made_under(self) -> Rules | None:
        """The rules that the submission was made under; None where they are not known here."""
        stated = self.declaration.rules
        is_ours = (stated.version, stated.sha256) == (self.rules.version, self.rules.sha256)
        return self.rules if is_ours else shipped_rules(stated.version)

    @cached_property
    def as_made(self) -> Case | None:
        """The same by the rules that it was made under; None where they are not known here."""
        if self.made_under is None:
            return None
        return self if self.made_under is self.rules else replace(self, rules=self.made_under)

    @cached_property
    def latencies(self) -> dict[str, Latency]:
        """The latency of each model that has raw samples."""
        measured = {role: metrics.latency for role, metrics in self.models.items()}
        return {role: latency for role, latency in measured.items() if latency and latency.has_raw_samples}

    @cached_property
    def times(self) -> dict[str, Times]:
        """All latency samples of each model that has any."""
        known = {role: latency.times_ns for role, latency in self.latencies.items()}
        return {role: times.ravel().astype(np.float64) for role, times in known.items() if times is not None}

    @property
    def in_protocol(self) -> dict[str, Latency]:
        """The latencies that the protocol speaks of: those of the optimized model's session."""
        session = self.optimized.latency.session if self.optimized.latency else None
        return {
            role: latency
            for role, latency in self.latencies.items()
            if role == "optimized" or (session is not None and latency.session == session)
        }
