"""`tito olympics score`: the normalized scores of a run and, per event, eligible or not and why."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from tito.options import Json, RecordedTask, RulesFile, WorkspaceFolder, task_option
from tito.terminal import screen
from tito.workspace.workspace import Workspace

if TYPE_CHECKING:
    from tinytorch.competition.record.run import Run
    from tinytorch.competition.rules.events import Rules


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
    from tito.olympics.attempts import reference_values, story
    from tito.olympics.scoring import Scored

    judged_by, place = read_rules(rules), Workspace(folder)
    record = _run(place, run, task)
    lines = place.runs()
    found = Scored.of(record, judged_by, reference_values(place, lines, record, judged_by))
    if json_:
        screen.put_json(found.document())
        return
    for part in (*found.screen(), *story(lines, record)):
        screen.show(part)
    _warn(record, judged_by)
    screen.say(f"next: {_next(record)}")


def _next(run: Run) -> str:
    """An entry of one's own, or this one again when it has been changed."""
    option = task_option(run.task.name)
    if run.source.kind == "strategy":
        return f"tito olympics init{option}"
    return f"change {run.source.name}, then: tito olympics benchmark --entry {shlex.quote(run.source.name)}{option}"


def _warn(record: Run, judged_by: Rules) -> None:
    """What a submission of this run would be refused for."""
    from tinytorch.competition.scoring.fresh import fresh_answers_of
    from tito.olympics.foreseen import refused_later, warn_of_kinds

    warn_of_kinds(record, judged_by)
    fresh = fresh_answers_of(record, judged_by)
    if fresh and fresh.knows_test_set:
        screen.say(refused_later(str(fresh.optimized), "TO-E05"))


def _run(place: Workspace, named: str | None, task: str | None) -> Run:
    """The run that is meant; a warning where it is older than an attempt that failed."""
    found = place.run(named, task)
    if named is None and (failure := place.last_failure(task)):
        told = f"the last attempt, with {failure.source}, {failure.outcome}"
        screen.say(f"warning: {told}; these are the scores of an older run")
    return found
