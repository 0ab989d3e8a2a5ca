"""Everything that `score` says of a run, computed once, for programs and for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from rich.console import RenderableType

from tinytorch.benchmarking.comparison import Statistics
from tinytorch.benchmarking.light import LightSpeed, Split, light_speed
from tinytorch.competition.record.run import Run
from tinytorch.competition.record.submission import Scores
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.advice import advice
from tinytorch.competition.scoring.busy import busy_words
from tinytorch.competition.scoring.eligibility import Eligibility, eligibility
from tinytorch.competition.scoring.expectation import Standing, standing
from tinytorch.competition.scoring.scores import compared, compute_scores, speedup_across_sessions
from tito.views import scores as render
from tito.views.light import light_words, split_words
from tito.views.runs import busy
from tito.views.verdict import verdict_lines


@dataclass(frozen=True)
class Scored:
    """A run's scores by the rules, and of each event: where the run stands, what would win most, the reference's value.

    `light` is by role, and None where a model's work cannot be counted; so is `split`.
    """

    run: Run
    rules: Rules
    tested: Statistics
    scores: Scores
    events: list[Eligibility]
    standings: dict[str, Standing]
    advices: dict[str, str]
    references: Mapping[str, float]
    light: dict[str, LightSpeed | None]
    split: Split | None

    @classmethod
    def of(cls, run: Run, rules: Rules, references: Mapping[str, float]) -> Self:
        """By the rules; `references` are what is known of the reference strategies here, by event."""
        tested = compared(run, rules)
        scores = compute_scores(run, rules, tested)
        events = eligibility(run, scores, rules)
        light = {"baseline": light_speed(run.baseline), "optimized": light_speed(run.optimized)}
        split = Split.of(scores.speedup, light["baseline"], light["optimized"]) if run.optimized.whole_work else None
        accuracy = run.optimized.metrics.accuracy
        return cls(
            run, rules, tested, scores, events,
            standings={each.event: standing(run, each.event, rules, tested) for each in events},
            advices={each.event: advice(each, scores, accuracy, rules) for each in events},
            references=references, light=light, split=split,
        )  # fmt: skip

    def document(self) -> dict[str, Any]:
        """For JSON."""
        across = speedup_across_sessions(self.tested.speedup, self.run.protocol.sessions, self.rules)
        return {
            "run": self.run.id, "task": self.run.task.name, "normalized_scores": self.scores.model_dump(),
            "rules": {"version": self.rules.version, "sha256": self.rules.sha256},
            "speedup_across_sessions": None if across is None else [across.lower, across.upper],
            "machine": busy_words(self.run, self.tested, self.rules),
            "light_speed": {role: found and asdict(found) for role, found in self.light.items()},
            "split": self.split and {"less_work": self.split.less_work, "better_use": self.split.better_use},
            "events": [
                {**render.event_row(each, self.standings[each.event], self.advices[each.event]),
                 "reference": self.references.get(each.event)}
                for each in self.events
            ],
        }  # fmt: skip

    def screen(self) -> Iterator[RenderableType]:
        """The verdict, the scores, what the machine did, how near to what it allows, and a line for each event."""
        yield from (verdict_lines(self.run, self.tested), "")
        yield from (render.scores_table(self.scores.model_dump(), self.tested), "")
        yield from busy(self.run, self.tested, self.rules)
        if self.light["optimized"]:
            yield light_words(self.run.source.name, self.light["optimized"])
        if self.split:
            yield split_words(self.split)
        yield from ("", render.events_table(self.events, self.standings, self.advices, self.references))
