"""`tito milestone`: what there is, what each is about, running one, and what was reached."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Annotated, Any

import typer

from tinytorch.units import format_share, three_digits
from tito.course.course import find_module
from tito.course.coursework import Coursework, Progress
from tito.course.milestones import MILESTONES, Milestone, find_milestone
from tito.options import Json
from tito.terminal import screen
from tito.terminal.tables import table

Name = Annotated[str, typer.Argument(metavar="NAME|N", help="A milestone, by number or name.")]


def listing(json_: Json = False) -> None:
    """List the milestones, oldest first."""
    if json_:
        screen.put_json({"milestones": [_row(milestone) for milestone in MILESTONES]})
        return
    shown = table("Milestones", "milestone", "what it is")
    for milestone in MILESTONES:
        shown.add_row(milestone.label, milestone.title)
    screen.show(shown)


def info(name: Name, json_: Json = False) -> None:
    """Tell what a milestone is about, the modules that it stands on, and where its program is, to be read."""
    milestone = find_milestone(name)
    program = import_module(milestone.home)
    file, about = inspect.getfile(program), inspect.getdoc(program) or ""
    if json_:
        screen.put_json({**_row(milestone), "about": about, "file": file})
        return
    screen.put(f"{milestone.label}\n\n{about}\n")
    screen.put(f"stands on: {', '.join(find_module(each).label for each in milestone.needs)}")
    screen.put(f"program:   {file}")
    screen.say(f"next: tito milestone run {milestone.number}")


def run(name: Name, json_: Json = False) -> None:
    """Run a milestone, a minute at most, and record the figure that it ends with."""
    milestone = find_milestone(name)
    place = Coursework()
    place.progress()  # a workspace that cannot be read is said before, not after
    figure = _figure(milestone)
    with screen.done_before(f"{milestone.label} reached {_shown(milestone.metric, figure)}"):
        place.reach(milestone.name, milestone.metric, figure)
    following = _next(place.progress())
    if json_:
        screen.put_json({**_row(milestone), "value": figure, "next": following})
    else:
        screen.put(f"{milestone.label}: {milestone.metric} {_shown(milestone.metric, figure)}")
        screen.say(f"next: {following}")


def status(json_: Json = False) -> None:
    """Show the figure that each milestone has reached, which of its modules are complete, and the next command."""
    progress = Coursework().progress()
    rows = [{**_row(milestone), **_state(milestone, progress)} for milestone in MILESTONES]
    if json_:
        screen.put_json({"milestones": rows, "next": _next(progress)})
        return
    shown = table("Milestones", "milestone", "reached", "modules complete")
    for milestone, row in zip(MILESTONES, rows, strict=True):
        reached = "" if row["value"] is None else f"{_shown(milestone.metric, row['value'])}, {row['reached_at'][:10]}"
        shown.add_row(milestone.label, reached, f"{len(row['complete'])} of {len(milestone.needs)}")
    screen.show(shown)
    screen.say(f"next: {_next(progress)}")


def _figure(milestone: Milestone) -> float:
    """What the program gives, with a bar where it trains; the competition has bars of its own."""
    from tito import start
    from tito.terminal import bars

    program = import_module(milestone.home).run
    start.finished()
    if not milestone.trains:
        return float(program())
    with bars.progress() as progress:
        return float(program(progress))


def _row(milestone: Milestone) -> dict[str, Any]:
    return {"number": milestone.number, "name": milestone.name, "title": milestone.title, "metric": milestone.metric,
            "needs": list(milestone.needs)}  # fmt: skip


def _state(milestone: Milestone, progress: Progress) -> dict[str, Any]:
    reached = progress.milestones.get(milestone.name)
    return {
        "value": reached.value if reached else None,
        "reached_at": reached.reached_at.isoformat() if reached else None,
        "complete": [name for name in milestone.needs if name in progress.completed],
    }


def _next(progress: Progress) -> str:
    left = [milestone for milestone in MILESTONES if milestone.name not in progress.milestones]
    return f"tito milestone run {left[0].number}" if left else "tito olympics init"


def _shown(metric: str, value: float) -> str:
    return format_share(value) if metric == "accuracy" else three_digits(value)
