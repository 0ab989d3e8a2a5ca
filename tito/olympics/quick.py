"""`tito olympics benchmark --quick`: what an entry answers, keeps and does, without its time.

What was seen of an entry is kept, and shown again as long as nothing of it has changed; a sweep finds it there, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from tinytorch.competition.names import Expectation
from tinytorch.competition.scoring.expectation import no_more_work
from tinytorch.errors import TinyTorchError
from tito.olympics import expecting, measuring
from tito.olympics.sweeping import folder_of_sweep
from tito.terminal import screen
from tito.views.quick import quick_document, quick_table, work_of
from tito.workspace.sweeps import ROLES, Arguments, SweepFolder


def look(
    task: str,
    event: str | None,
    entry: Path | None,
    strategy: str | None,
    settings: Sequence[str],
    seed: int | None,
    time_limit_s: float,
    memory_limit_mb: float | None,
    expect: Expectation | None,
    json_: bool,
    folder: Path | None,
) -> None:
    """Build the entry, with other defaults where `settings` say so, and show what can be seen of it in seconds."""
    given = measuring.contender(task, event, entry, strategy)
    who, values = measuring.assigned(given, settings)
    kept = folder_of_sweep(folder, given, task, seed)
    found = kept.look(values)
    if found is None:
        run = measuring.quick_look(measuring.challenge(who, task, "default", seed, time_limit_s, memory_limit_mb))
        found = quick_document(run, values)
        _keep(kept, values, found)
    else:
        screen.say(f"as it was seen before, since its files are the same ({kept.root}; --seed N builds it anew)")
    if json_:
        screen.put_json(found)
    else:
        screen.show(quick_table(found))
    if expect:
        raise typer.Exit(expecting.told(expect, *no_more_work(*(work_of(found[role]) for role in ROLES))))


def _keep(kept: SweepFolder, values: Arguments, found: dict[str, Any]) -> None:
    """For the next time; where that cannot be done the figures are shown all the same."""
    try:
        kept.put_look(values, json.dumps(found))
    except TinyTorchError as error:
        screen.say(f"warning: what was seen is not kept: {error.message}")
