"""`tito olympics sweep`: every setting of an entry looked at, and those that no other beats timed."""

from __future__ import annotations

import shlex
import time
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Annotated

import typer

from tinytorch.harness.contender import BUILD_LIMIT_S
from tinytorch.workloads.registry import DEFAULT_TASK
from tito import start
from tito.olympics.benchmark import TierName
from tito.olympics.pages import maker
from tito.options import (
    Force,
    Json,
    MemoryLimit,
    RulesFile,
    Seed,
    Task,
    TimeLimit,
    WorkspaceFolder,
    options_of,
    task_option,
)
from tito.terminal import screen
from tito.workspace.documents import Destination

Tried = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE,VALUE", help="Values of an argument of optimize; may be repeated."),
]


def sweep(
    entry: Annotated[Path, typer.Argument(metavar="ENTRY", help="A Python file that defines optimize.")],
    set_: Tried = None,
    task: Task = DEFAULT_TASK,
    tier: Annotated[TierName, typer.Option("--tier", help="How those are timed that no other beats.")] = TierName.FAST,
    budget: Annotated[
        float | None, typer.Option("--budget", min=0, metavar="MINUTES", help="Begin nothing new after so long.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Also a page with the table and plots.")
    ] = None,
    force: Force = False,
    time_limit: TimeLimit = BUILD_LIMIT_S,
    memory_limit: MemoryLimit = None,
    seed: Seed = None,
    rules: RulesFile = None,
    json_: Json = False,
    folder: WorkspaceFolder = None,
) -> None:
    """Try values of an entry's arguments: accuracy, memory and counted work of all, and the time of the best.

    Each setting takes what optimize takes.

    Nothing of it is recorded as a run: write the values that you choose into the entry, and benchmark that. What was
    seen is kept, and not looked at again; Ctrl-C loses nothing, and --budget 0 shows what is there.
    Example: tito olympics sweep entry.py --set keep=256,128,64 --set bits=8,4
    """
    from tinytorch.competition.rules.events import read_rules
    from tito.olympics import measuring, sweeping
    from tito.views import sweep as render

    target = Destination(output, "report", force) if output else None
    page = maker("tito.report.sweep").page if target else None
    if target:
        target.replaced()
    judged_by = read_rules(rules)
    who = measuring.contender(task, None, entry, None)
    settings = sweeping.grid(who, set_ or [])
    asked = measuring.challenge(who, task, tier, seed, time_limit, memory_limit)
    kept = sweeping.folder_of_sweep(folder, who, task, seed)
    until_s = inf if budget is None else time.monotonic() + 60 * budget
    start.finished()
    command = sweeping.look_command(str(entry), task, seed, time_limit, memory_limit, folder)
    with screen.done_before(f"what was seen is kept in {kept.root}; the same command goes on"):
        seen = sweeping.look_at_all(sweeping.Looks(command, kept, sweeping.builds_at_once(), who), settings, until_s)
        sweeping.check_seen(seen)
        timed = measuring.timed_settings(sweeping.front(seen), asked, tier, kept, until_s, folder)
    again = f"tito olympics benchmark --entry {shlex.quote(str(entry))}{task_option(task)}{options_of(rules)}"
    together = sweeping.with_runs(seen, timed)
    shown = render.Sweep(task, who.name, together, judged_by, again, len(settings) - len(seen))
    if target and page:
        target.write(page(shown, datetime.now(UTC)))
    if json_:
        screen.put_json(shown.document())
    else:
        screen.show(render.sweep_view(shown, screen.columns()))
