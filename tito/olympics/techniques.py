"""`tito olympics techniques`: what the library can do to a model, and what it did when it was measured."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tinytorch.workloads.techniques import TECHNIQUES, measured
from tito.options import Json
from tito.terminal import screen


def techniques(json_: Json = False) -> None:
    """List every technique with its reference, what it shrinks, and its measured effect: where, on what, and when."""
    found = measured()
    rows = [_row(asdict(technique), found.get("results", {})) for technique in TECHNIQUES]
    if json_:
        screen.put_json({"machine": found.get("machine"), "date": found.get("date"), "techniques": rows})
        return
    from tito.views import profile as render_profile

    screen.show(render_profile.techniques_table(rows, found.get("machine"), found.get("date")))


def _row(technique: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    """A technique with what was measured of it; None where it was not."""
    return {**technique, "measured": results.get(technique["name"])}
