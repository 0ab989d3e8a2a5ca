"""Who qualifies: for which events a run does, and checks that a submission does for its event, division and task."""

from __future__ import annotations

from dataclasses import dataclass

from tinytorch.benchmarking.records import Metrics
from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Outcome, check, failed, passed, unknown
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import (
    Constraint,
    ConstraintResult,
    EventRules,
    Rules,
    check_constraints,
    load_rules,
)
from tinytorch.competition.scoring.scores import Scores, metric_values
from tinytorch.text import safe_text
from tinytorch.units import format_limit, format_metric, parse_metric

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Eligibility:
    """What an event would say of a run: the value that it ranks by (None: not measured), and each constraint."""

    event: OlympicEvent
    asked: EventRules
    value: float | None
    constraints: list[ConstraintResult]

    @property
    def is_eligible(self) -> bool | None:
        """Whether every constraint holds; None where one could not be checked and none is missed."""
        states = [constraint.satisfied for constraint in self.constraints]
        return False if False in states else None if None in states else True


def eligibility(optimized: Metrics, scores: Scores, rules: Rules | None = None) -> list[Eligibility]:
    """For every event, in their order."""
    values, demands = {**scores.model_dump(), **metric_values(optimized)}, rules or load_rules()
    return [
        Eligibility(event, asked, values[asked.ranked_by], check_constraints(event, values, demands))
        for event, asked in ((event, demands.events[event]) for event in OlympicEvent)
    ]


@check
def constraints(case: Case) -> Outcome:
    results = check_constraints(case.submission.event, metric_values(case.optimized), case.rules)
    missed = [result for result in results if result.satisfied is False]
    if missed:
        return failed(f"constraint missed: {'; '.join(map(_missed, missed))}", **{r.metric: r.value for r in missed})
    absent = [result.metric for result in results if result.satisfied is None]
    if absent:
        return unknown(f"{' and '.join(absent)} of the optimized model was not measured")
    return passed(f"all {len(results)} constraints satisfied" if results else "the event has no constraints")


@check
def completeness(case: Case) -> Outcome:
    event = case.rules.events[case.submission.event]
    values = metric_values(case.optimized)
    missing: list[str] = sorted({item.metric for item in event.constraints if values[item.metric] is None})
    if {**case.scores.model_dump(), **values}[event.ranked_by] is None:
        missing.append(event.ranked_by)
    if missing:
        return failed(f"the event needs {', '.join(missing)}, which is missing", missing=", ".join(missing))
    return passed("everything that the event needs is there")


@check
def test_set(case: Case) -> Outcome:
    task = case.submission.task
    totals = {role: metrics.accuracy.total for role, metrics in case.models.items() if metrics.accuracy}
    known = {role: total for role, total in totals.items() if total is not None}
    if task is None or not known:
        return unknown("no task is named" if task is None else "no per-sample accuracy")
    wrong = [f"{role} was judged on {total}" for role, total in known.items() if total != task.test_samples]
    if wrong:
        message = f"the task has {task.test_samples} test samples, but {' and '.join(wrong)}"
        return failed(message, task_samples=task.test_samples, **known)
    return passed(f"both models judged on {task.test_samples} test samples")


@check
def layer_kinds(case: Case) -> Outcome:
    division = case.submission.division
    if not case.division.keeps_layer_kinds:
        return passed(f"the {division} division allows any architecture")
    first, second = case.submission.baseline.layer_kinds, case.submission.optimized.layer_kinds
    if (first is None or second is None) and case.submission.trust is Trust.T0:
        return unknown("numbers given by hand name no layers")
    if first is None or second is None:
        which = "baseline" if first is None else "optimized model"
        return failed(f"{division} division: the {which} is no Layer, so what it is made of is not known")
    if first != second:
        shown = [safe_text(" ".join(kinds), 80) for kinds in (first, second)]
        message = f"{division} division: layer kinds changed from {shown[0]} to {shown[1]}"
        return failed(message, baseline_layers=len(first), optimized_layers=len(second))
    return passed(f"both models have the same {len(first)} layer kinds")


CHECKS: tuple[Check[Case], ...] = (constraints, completeness, test_set, layer_kinds)


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


def _missed(result: ConstraintResult) -> str:
    return f"{result.metric} is {value_words(result)}, must be {limit_words(result)}"
