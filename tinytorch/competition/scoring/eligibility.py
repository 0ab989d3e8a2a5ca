"""For which events a run qualifies, and how its constraints are said in words."""

from __future__ import annotations

from dataclasses import dataclass

from tinytorch.competition.names import Division
from tinytorch.competition.record.run import Measurement
from tinytorch.competition.record.submission import Scores
from tinytorch.competition.rules.events import (
    Constraint,
    ConstraintResult,
    EventRules,
    Rules,
    check_constraints,
    load_rules,
)
from tinytorch.competition.scoring.scores import limited_values, ranked_value
from tinytorch.showing import safe_text
from tinytorch.units import COUNTED_UNITS, format_limit, format_metric, parse_metric

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Eligibility:
    """What an event would say of a run: the value that it ranks by (None: not measured), and each constraint.

    `unseen` says why what it counts cannot be counted of this run; empty where it can.
    """

    event: str
    asked: EventRules
    value: float | None
    constraints: list[ConstraintResult]
    unseen: str = ""

    @property
    def is_eligible(self) -> bool | None:
        """Whether every constraint holds; None where one could not be checked and none is missed."""
        states = [not self.unseen, *(constraint.satisfied for constraint in self.constraints)]
        return False if False in states else None if None in states else True


def eligibility(run: Measurement, scores: Scores, rules: Rules | None = None) -> list[Eligibility]:
    """For every event of the rules, in their order."""
    values, demands = limited_values(run.optimized), rules or load_rules()
    return [
        Eligibility(
            event,
            asked,
            ranked_value(asked.ranked_by, run, scores),
            check_constraints(event, values, demands),
            unseen_work(asked, run.source.division if run.source else None, demands),
        )
        for event, asked in demands.events.items()
    ]


def unseen_work(event: EventRules, division: Division | None, rules: Rules) -> str:
    """Why an event that counts work cannot take a model of that division; empty where it counts none, or can.

    Only of the framework's own layers nothing goes unseen.
    """
    counts = event.ranked_by == "less_work" or any(limit.metric in COUNTED_UNITS for limit in event.constraints)
    if not counts or division is None or rules.divisions[division].keeps_layer_kinds:
        return ""
    return f"it counts work, which a model of the {division} division can do unseen"


def value_words(result: ConstraintResult) -> str:
    """The value that a constraint met, with as many digits as it takes to see on which side of the limit it is."""
    if result.value is None:
        return NOT_MEASURED
    texts = [format_metric(result.metric, result.value, digits) for digits in range(3, 18)]
    asked = Constraint(metric=result.metric, operator=result.operator, limit=result.limit)
    return next((text for text in texts if asked.allows(parse_metric(text)) == result.satisfied), texts[-1])


def limit_words(result: ConstraintResult) -> str:
    """What a constraint asks for: `>= 85 %`, `< 100 ms`."""
    return f"{result.operator} {format_limit(result.metric, result.limit)}"


def changed_kinds(run: Measurement, division: Division, rules: Rules) -> str:
    """In words, what of the layer kinds a division does not allow; empty where it allows all."""
    if not rules.divisions[division].keeps_layer_kinds:
        return ""
    first, second = run.baseline.layer_kinds, run.optimized.layer_kinds
    if first is None or second is None:
        which = "baseline" if first is None else "optimized model"
        return f"{division} division: the {which} is no Layer, so what it is made of is not known"
    if first == second:
        return ""
    shown = [safe_text(" ".join(kinds), 80) for kinds in (first, second)]
    return f"{division} division: layer kinds changed from {shown[0]} to {shown[1]}"
