"""`tito olympics techniques`: what the library can do to a model, and what it did when it was measured."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from tinytorch.errors import UsageError
from tinytorch.showing import folded, nearest
from tinytorch.workloads.techniques import TECHNIQUES, Technique, measured
from tito.options import Json
from tito.terminal import screen

ENTRY = "entry.py"


def techniques(
    name: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]", help="One of them, or a part of its name.")
    ] = None,
    json_: Json = False,
) -> None:
    """List every technique: its call, what it shrinks, and its measured effect; with a name also an example that runs.

    Examples: tito olympics techniques; tito olympics techniques low rank.
    """
    found, chosen = measured(), _named(" ".join(name)) if name else None
    rows = [_row(technique, found.get("results", {})) for technique in ([chosen] if chosen else TECHNIQUES)]
    if json_:
        screen.put_json({"machine": found.get("machine"), "date": found.get("date"), "techniques": rows})
        return
    from tito.views import techniques as render

    if chosen:
        screen.put_lines(render.told(rows[0], found.get("machine"), found.get("date")))
        screen.put(f"\n{rows[0]['example']}")
        measure = f"tito olympics benchmark --entry {ENTRY} --task {chosen.task}"
        screen.say(f"next: write this to {ENTRY}, and measure it: {measure}")
    else:
        screen.show(render.techniques_table(rows, found.get("machine"), found.get("date")))
        screen.say("next: tito olympics techniques NAME shows an example that runs")


def _row(technique: Technique, results: dict[str, Any]) -> dict[str, Any]:
    """A technique with its calls, an example, and what was measured of it; None where it was not."""
    from tito.olympics.entry_text import call_names, example_text

    return {
        **asdict(technique), "calls": call_names(technique.steps), "example": example_text(technique.steps),
        "measured": results.get(technique.name),
    }  # fmt: skip


def _named(asked: str) -> Technique:
    """The technique that is called so, or the only one with that in its name."""
    known = {folded(technique.name): technique for technique in TECHNIQUES}
    fitting = [known[key] for key in known if folded(asked) in key]
    if folded(asked) in known:
        return known[folded(asked)]
    if len(fitting) == 1:
        return fitting[0]
    names = [technique.name for technique in fitting or TECHNIQUES]
    if fitting:
        raise UsageError(
            f"{len(names)} techniques have {asked!r} in their names", mend=f"choose one: {'; '.join(names)}"
        )
    raise UsageError(f"no technique is called {asked!r}", mend=nearest(asked, names, "tito olympics techniques"))
