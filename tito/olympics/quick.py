"""`tito olympics benchmark --quick`: what an entry answers, keeps and does, without its time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from tinytorch.competition.names import Expectation
from tinytorch.competition.scoring.expectation import no_more_work
from tito.olympics import expecting, measuring
from tito.terminal import screen
from tito.views.quick import quick_document, quick_table


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
) -> None:
    """Build the entry, with other defaults where `settings` say so, and show what can be seen of it in seconds."""
    who, values = measuring.assigned(measuring.contender(task, event, entry, strategy), settings)
    run = measuring.quick_look(measuring.challenge(who, task, "default", seed, time_limit_s, memory_limit_mb))
    if json_:
        screen.put_json(quick_document(run, values))
    else:
        told = ", ".join(f"{name}={value!r}" for name, value in values.items())
        screen.show(quick_table(run, f" ({told})" if told else ""))
    if expect:
        raise typer.Exit(expecting.told(expect, *no_more_work(run.baseline.work, run.optimized.work)))
