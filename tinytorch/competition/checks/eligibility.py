"""Checks that a submission qualifies for its event, division and task."""

from __future__ import annotations

from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Outcome, check, failed, passed, unknown
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import ConstraintResult, check_constraints
from tinytorch.competition.scoring.eligibility import changed_kinds, limit_words, unseen_work, value_words
from tinytorch.competition.scoring.fresh import fresh_answers_of
from tinytorch.competition.scoring.scores import limited_values, ranked_value


@check
def constraints(case: Case) -> Outcome:
    results = check_constraints(case.declaration.event, limited_values(case.run.optimized), case.rules)
    missed = [result for result in results if result.satisfied is False]
    if missed:
        return failed(f"constraint missed: {'; '.join(map(_missed, missed))}", **{r.metric: r.value for r in missed})
    absent = [result.metric for result in results if result.satisfied is None]
    if absent:
        return unknown(f"{' and '.join(absent)} of the optimized model was not measured")
    return passed(f"all {len(results)} constraints satisfied" if results else "the event has no constraints")


@check
def completeness(case: Case) -> Outcome:
    event = case.rules.events[case.declaration.event]
    values = limited_values(case.run.optimized)
    missing: list[str] = sorted({item.metric for item in event.constraints if values[item.metric] is None})
    if ranked_value(event.ranked_by, case.run, case.scores) is None:
        missing.append(event.ranked_by)
    if why := unseen_work(event, case.declaration.division, case.rules):
        return failed(why, "submit it for the closed division, or for an event that measures")
    if missing:
        return failed(f"the event needs {', '.join(missing)}, which is missing", missing=", ".join(missing))
    return passed("everything that the event needs is there")


@check
def test_set(case: Case) -> Outcome:
    task = case.run.task
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
    division = case.declaration.division
    if not case.division.keeps_layer_kinds:
        return passed(f"the {division} division allows any architecture")
    first, second = case.run.baseline.layer_kinds, case.run.optimized.layer_kinds
    if (first is None or second is None) and case.derived.trust is Trust.T0:
        return unknown("numbers given by hand name no layers")
    if changed := changed_kinds(case.run, division, case.rules):
        return failed(changed, baseline_layers=len(first or []), optimized_layers=len(second or []))
    return passed(f"both models have the same {len(first or [])} layer kinds")


@check
def fresh_answers(case: Case) -> Outcome:
    found = fresh_answers_of(case.run, case.rules)
    if found is None:
        return unknown("the run did not ask both models about inputs that were made after them")
    if found.knows_test_set:
        shares = {"fresh": found.optimized.fresh, "test": found.optimized.known}
        return failed(f"{found.optimized}: it knows the test set", **shares)
    return passed(str(found.optimized))


CHECKS: tuple[Check[Case], ...] = (constraints, completeness, test_set, layer_kinds, fresh_answers)


def _missed(result: ConstraintResult) -> str:
    return f"{result.metric} is {value_words(result)}, must be {limit_words(result)}"
