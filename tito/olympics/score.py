"""`tito olympics score`: the normalized scores of a run and, per event, eligible or not and why."""

from __future__ import annotations

from typing import Annotated

import typer

from tito.options import Json, RecordedTask, RulesFile, WorkspaceFolder
from tito.terminal import screen
from tito.workspace.workspace import Workspace


def score(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="A run's id or file, - is stdin (default: the last run).")
    ] = None,
    task: RecordedTask = None,
    rules: RulesFile = None,
    json_: Json = False,
    folder: WorkspaceFolder = None,
) -> None:
    """Score a run for every event: with interval and verdict, eligible or not, and what would win most next."""
    from tinytorch.competition.rules.events import read_rules
    from tinytorch.competition.scoring.advice import advice
    from tinytorch.competition.scoring.eligibility import changed_kinds, eligibility
    from tinytorch.competition.scoring.expectation import standing
    from tinytorch.competition.scoring.fresh import fresh_answers_of
    from tinytorch.competition.scoring.scores import compared, compute_scores, speedup_across_sessions
    from tito.views import runs as render

    judged_by = read_rules(rules)
    place = Workspace(folder)
    record, failure = place.run(run, task), place.last_failure(task) if run is None else None
    if failure:
        screen.say(f"warning: the last attempt, with {failure.source}, failed; these are the scores of an older run")
    metrics = record.optimized.metrics
    tested = compared(record.baseline.metrics, metrics, judged_by)
    scores = compute_scores(record, judged_by, tested)
    found = speedup_across_sessions(tested.speedup, record.protocol.sessions, judged_by)
    events = eligibility(metrics, scores, judged_by)
    standings = {event.event.value: standing(record, event.event, judged_by) for event in events}
    advices = {event.event.value: advice(event, scores, metrics.accuracy, judged_by) for event in events}
    if json_:
        rows = [render.event_row(event, standings[event.event], advices[event.event]) for event in events]
        across = None if found is None else [found.lower, found.upper]
        document = {
            "run": record.id, "task": record.task.name, "normalized_scores": scores.model_dump(),
            "rules": {"version": judged_by.version, "sha256": judged_by.sha256},
            "speedup_across_sessions": across, "events": rows,
        }  # fmt: skip
        screen.put_json(document)
        return
    title = f"{record.task.name}: normalized scores of {record.source.name}"
    screen.show(render.scores_table(scores.model_dump(), tested, title))
    if found:
        screen.show(render.across_sessions(found))
    screen.show(render.events_table(events, standings, advices))
    division = record.source.division or "open"
    if changed := changed_kinds(record, division, judged_by):
        screen.say(f"warning: {changed}: a submission would not be valid (validate --explain TO-E04)")
    fresh = fresh_answers_of(record, judged_by)
    if fresh and fresh.knows_test_set:
        screen.say(f"warning: {fresh.optimized}: a submission would not be valid (validate --explain TO-E05)")
