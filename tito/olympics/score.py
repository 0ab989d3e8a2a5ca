"""`tito olympics score`: the normalized scores of a run and, per event, eligible or not and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tito.olympics.options import Json, Workspace

if TYPE_CHECKING:
    from tinytorch.competition.run import Run


def score(
    run: Annotated[str | None, typer.Argument(help="A run's id or file (default: the last run).")] = None,
    json_: Json = False,
    workspace: Workspace = None,
) -> None:
    """Score a run for every event."""
    from tinytorch.competition.scores import compute_scores
    from tito import render, screen
    from tito.workspace import Workspace as WorkspaceFiles

    record = WorkspaceFiles(workspace).load_run(run)
    scores = compute_scores(record.baseline.metrics, record.optimized.metrics).model_dump()
    events = eligibility(record, scores)
    if json_:
        screen.put(json.dumps({"run": record.id, "normalized_scores": scores, "events": events}, indent=2), None)
        return
    screen.show(render.scores_table(scores))
    screen.show(render.events_table((e["event"], e["score"], e["eligible"], e["why"]) for e in events))


def eligibility(run: Run, scores: dict[str, float | None]) -> list[dict[str, Any]]:
    """Per event: the value it ranks by, whether every constraint holds (None: could not check), and the margins."""
    from tinytorch.competition.events import OlympicEvent, check_constraints, load_rules
    from tinytorch.competition.scores import metric_values

    values = metric_values(run.optimized.metrics)
    rows = []
    for event in OlympicEvent:
        constraints = check_constraints(event, values)
        states = [constraint.satisfied for constraint in constraints]
        eligible = False if False in states else None if None in states else True
        ranked_by = load_rules().events[event].ranked_by
        value = values.get(ranked_by, scores.get(ranked_by))
        why = "; ".join(_margin(constraint) for constraint in constraints) or "no constraint"
        shown = "not measured" if value is None else f"{value:.4g}"
        rows.append({"event": event.value, "score": f"{ranked_by} {shown}", "eligible": eligible, "why": why})
    return rows


def _margin(constraint: Any) -> str:
    from tinytorch.units import UNITS

    unit = "" if constraint.metric == "accuracy" else f" {UNITS[constraint.metric]}"
    value = "not measured" if constraint.value is None else f"{constraint.value:.4g}{unit}"
    return f"{constraint.metric} {value} {constraint.operator} {constraint.limit:g}{unit}"
