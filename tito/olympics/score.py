"""`tito olympics score`: the normalized scores of a run and, per event, eligible or not and why."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tito.options import Json, RecordedTask, RulesFile, WorkspaceFolder
from tito.terminal import screen
from tito.workspace.workspace import Workspace

if TYPE_CHECKING:
    from tinytorch.benchmarking.comparison import Statistics
    from tinytorch.competition.record.run import Run
    from tinytorch.competition.record.submission import Scores
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
    from tinytorch.benchmarking.light import Split, light_speed
    from tinytorch.competition.rules.events import read_rules
    from tinytorch.competition.scoring.advice import advice
    from tinytorch.competition.scoring.eligibility import eligibility
    from tinytorch.competition.scoring.expectation import standing
    from tinytorch.competition.scoring.scores import compared, compute_scores
    from tito.olympics.attempts import reference_values, story
    from tito.views import scores as render
    from tito.views.light import light_words, split_words
    from tito.views.runs import busy
    from tito.views.verdict import verdict_lines

    judged_by = read_rules(rules)
    place = Workspace(folder)
    record = _run(place, run, task)
    metrics = record.optimized.metrics
    tested = compared(record, judged_by)
    scores = compute_scores(record, judged_by, tested)
    events = eligibility(record, scores, judged_by)
    standings = {event.event: standing(record, event.event, judged_by) for event in events}
    light = {"baseline": light_speed(record.baseline), "optimized": light_speed(record.optimized)}
    split = Split.of(scores.speedup, light["baseline"], light["optimized"]) if record.optimized.whole_work else None
    references = reference_values(place, record, judged_by)
    advices = {event.event: advice(event, scores, metrics.accuracy, judged_by) for event in events}
    if json_:
        rows = [
            {**render.event_row(event, standings[event.event], advices[event.event]),
             "reference": references.get(event.event)}
            for event in events
        ]  # fmt: skip
        screen.put_json({
            **_scored(record, tested, scores, judged_by),
            "light_speed": {role: found and asdict(found) for role, found in light.items()},
            "split": split and {"less_work": split.less_work, "better_use": split.better_use}, "events": rows,
        })  # fmt: skip
        return
    screen.show(verdict_lines(record, tested))
    screen.show("")
    screen.show(render.scores_table(scores.model_dump(), tested))
    screen.show("")
    for said in busy(record, tested, judged_by):
        screen.show(said)
    if light["optimized"]:
        screen.show(light_words(record.source.name, light["optimized"]))
    if split:
        screen.show(split_words(split))
    screen.show("")
    screen.show(render.events_table(events, standings, advices, references))
    for told in story(place.runs(), record):
        screen.show(told)
    _warn(record, judged_by)
    again = f"change {record.source.name}, then: tito olympics benchmark --entry {record.source.name}"
    screen.say(f"next: {'tito olympics init' if record.source.kind == 'strategy' else again}")


def _scored(run: Run, tested: Statistics, scores: Scores, rules: Rules) -> dict[str, Any]:
    """The scores of a run for JSON, and what they are judged by."""
    from tinytorch.competition.scoring.busy import busy_words
    from tinytorch.competition.scoring.scores import speedup_across_sessions

    found = speedup_across_sessions(tested.speedup, run.protocol.sessions, rules)
    return {
        "run": run.id, "task": run.task.name, "normalized_scores": scores.model_dump(),
        "rules": {"version": rules.version, "sha256": rules.sha256},
        "speedup_across_sessions": None if found is None else [found.lower, found.upper],
        "machine": busy_words(run, tested, rules),
    }  # fmt: skip


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
