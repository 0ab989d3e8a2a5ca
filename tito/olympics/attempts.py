"""What this workspace knows beside a run: the reference strategies that were measured here, and earlier attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.eligibility import eligibility
from tinytorch.competition.scoring.scores import compute_scores
from tinytorch.errors import UsageError
from tinytorch.units import three_digits
from tito.terminal import screen
from tito.workspace.history import RunLine
from tito.workspace.workspace import Workspace

STORY = "all_around"  # the score that every run of a whole task has
MOST_TOLD = 6  # attempts
CHANGES: dict[str, tuple[str, Callable[[float], str]]] = {
    "speedup": ("speed", lambda ratio: f"{three_digits(ratio)}x"),
    "compression_ratio": ("size", lambda ratio: f"{three_digits(ratio)}x"),
    "accuracy_delta": ("accuracy", lambda delta: f"{100 * delta:+.1f} points"),
}


def reference_values(place: Workspace, lines: Sequence[RunLine], beside: Run, rules: Rules) -> dict[str, float]:
    """By event, what the last run of its reference strategy is worth there, other than the run beside which it stands.

    An event without such a run is left out.
    """
    found = {}
    for event in OlympicEvent:
        asked = (beside.task.name, event)
        others = [line for line in lines if (line.task, line.source) == asked and line.id != beside.id]
        if others and place.run_state(others[-1]) == "valid":
            value = _value(place, others[-1].id, event, rules)
            if value is not None:
                found[str(event)] = value
    return found


def _value(place: Workspace, run_id: str, event: str, rules: Rules) -> float | None:
    try:
        run = place.run(run_id)
    except UsageError as error:
        screen.say(f"warning: the reference run of {event} is left out: {error.message}")
        return None
    return next(each.value for each in eligibility(run, compute_scores(run, rules), rules) if each.event == event)


def story(lines: Sequence[RunLine], run: Run) -> Iterator[str]:
    """How the attempts at a task went up to this run: best so far, and what changed since the one before."""
    scored = [(value, line) for line in lines if (value := _told(line, run.task.name)) is not None]
    numbers = [number for number, (_, line) in enumerate(scored) if line.id == run.id]
    if not numbers or len(scored) < 2:
        return
    until_now = scored[: numbers[-1] + 1]
    told = [three_digits(value) for value, _ in until_now[-MOST_TOLD:]]
    value, best = max(until_now, key=lambda each: each[0])
    known = f"the best so far is {three_digits(value)}, {best.source} of run {best.id}"
    which = "this is the best so far" if best.id == run.id else known
    yield f"your runs at {run.task.name}, {STORY}: {', '.join(told)}; {which}"
    if len(until_now) > 1:
        (_, before), (_, here) = until_now[-2:]
        yield f"since the run before ({before.source}): {_changes(before, here)}"


def _told(line: RunLine, task: str) -> float | None:
    """The score of a run that was of that task; None where it has none."""
    return line.scores.get(STORY) if line.task == task else None


def _changes(before: RunLine, after: RunLine) -> str:
    """Each score of both, where both have it."""
    pairs = {name: (before.scores.get(name), after.scores.get(name)) for name in CHANGES}
    return ", ".join(
        f"{CHANGES[name][0]} {CHANGES[name][1](first)} -> {CHANGES[name][1](second)}"
        for name, (first, second) in pairs.items()
        if first is not None and second is not None
    )
