"""`tito olympics techniques`: what the library can do to a model, and what it did when it was measured."""

from __future__ import annotations

from collections.abc import Sequence
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
        list[str] | None, typer.Argument(metavar="[NAME]", help="One, or a part of its name, or what it calls.")
    ] = None,
    json_: Json = False,
) -> None:
    """List every technique: its call, what it shrinks, and its measured effect; with a name also an example that runs.

    Examples: tito olympics techniques; tito olympics techniques low rank.
    """
    found, chosen = measured(), _named(" ".join(name)) if name else TECHNIQUES
    rows = [_row(technique, found.get("results", {})) for technique in chosen]
    if json_:
        screen.put_json({"machine": found.get("machine"), "date": found.get("date"), "techniques": rows})
        return
    from tito.views import techniques as render

    if len(chosen) == 1:
        screen.put_lines(render.told(rows[0], found.get("machine"), found.get("date")))
        screen.put(f"\n{rows[0]['example']}")
        measure = f"tito olympics benchmark --entry {ENTRY} --task {chosen[0].task}"
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


def _named(asked: str) -> Sequence[Technique]:
    """The technique that is called so; else all with that in their names, or that call the function of that name."""
    from tito.olympics.entry_text import call_names

    word = folded(asked)
    exactly = [technique for technique in TECHNIQUES if folded(technique.name) == word]
    fitting = exactly or [technique for technique in TECHNIQUES if word in folded(technique.name)]
    fitting = fitting or [technique for technique in TECHNIQUES if asked in call_names(technique.steps)]
    if fitting:
        return fitting
    names = [technique.name for technique in TECHNIQUES]
    raise UsageError(f"no technique is called {asked!r}", mend=nearest(asked, names, "tito olympics techniques"))
