"""Options that several commands share, each written once. Light: what they may be comes from modules without numpy."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tinytorch.competition.names import DIVISIONS, TRACKS, OlympicEvent
from tinytorch.workloads.registry import DEFAULT_TASK, TASKS

USUAL_WAIT = 10  # minutes, of --wait-quiet
USUAL_VALUES = {"--wait-quiet": str(USUAL_WAIT)}  # of options that may stand without one, which Typer has none of
LEAST_MEMORY_MB = 300  # so that Python, numpy and the task fit
EVENTS = ", ".join(OlympicEvent)

WorkspaceFolder = Annotated[
    Path | None, typer.Option("--workspace", metavar="DIR", help="Where runs are kept (default: .tito).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Event = Annotated[str | None, typer.Option("--event", metavar="EVENT", help=f"One of {EVENTS}.")]
Task = Annotated[
    str,
    typer.Option(
        "--task", metavar="TASK", help=f"What is to be solved: {', '.join(TASKS)}, or yours: package.module:TASK."
    ),
]
RulesFile = Annotated[
    Path | None,
    typer.Option("--rules", metavar="FILE", help="Your class's rules, which extend ours (default: ours)."),
]
RecordedTask = Annotated[
    str | None, typer.Option("--task", metavar="TASK", help=f"Of this task only: {', '.join(TASKS)}.")
]
Division = Annotated[
    str | None, typer.Option("--division", metavar="DIVISION", help=f"Of this division only: {' or '.join(DIVISIONS)}.")
]
Track = Annotated[
    str | None, typer.Option("--track", metavar="TRACK", help=f"Of this track only: {', '.join(TRACKS)}.")
]


class Level(StrEnum):
    """The least trust that is ranked."""

    T0 = "T0"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"


Trust = Annotated[Level, typer.Option("--trust", help="T0 ranks numbers given by hand, too, below all others.")]
Entry = Annotated[
    Path | None, typer.Option("--entry", metavar="FILE", help="A Python file with optimize(model, train_data).")
]
Strategy = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        metavar="NAME",
        help=f"A reference strategy of the task instead: {EVENTS}, or another that tito olympics tasks lists.",
    ),
]
TimeLimit = Annotated[float, typer.Option("--time-limit", min=1, metavar="SECONDS", help="For optimize.")]
MemoryLimit = Annotated[
    float | None,
    typer.Option(
        "--memory-limit", min=LEAST_MEMORY_MB, metavar="MB",
        help="For optimize and for each measuring process (default: half of the machine).",
    ),
]  # fmt: skip
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, max=2**32 - 1, metavar="N", help="Of order and inputs (default: one is drawn)."),
]
Assigned = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Another default of an argument of the entry's optimize; may be repeated."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file of -o that tito did not write.")]
Output = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it (default: stdout).")
]

VerifiedFolder = Annotated[
    Path | None,
    typer.Option(
        "--verified", metavar="DIR", help="Records of tito olympics verify: what repeats there is ranked first."
    ),
]
Signers = Annotated[
    Path | None,
    typer.Option("--signers", metavar="FILE", help="Check who signed the records of --verified; tell it on the board."),
]
ClassFile = Annotated[
    Path | None,
    typer.Option("--class", metavar="FILE", help="What your class is asked for (default: class.toml in the folder)."),
]
Roster = Annotated[
    Path | None,
    typer.Option("--roster", metavar="CSV", help="Who is in your class: the columns id and name."),
]
Times = Annotated[
    Path | None,
    typer.Option("--times", metavar="CSV", help="When your platform received files: the columns file and time."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="What came later does not count: 2026-12-15T23:59Z."),
]
Names = Annotated[
    str | None,
    typer.Option("--names", metavar="HOW", help="Show all, initials, pseudonyms, none or top:N (default: all)."),
]
Key = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="CSV",
        help="Where pseudonyms are kept, for you alone (default: pseudonyms.csv beside class.toml).",
    ),
]
Example = Annotated[bool, typer.Option("--example", help="Show a class of ten synthetic submissions.")]
Title = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="What stands at the top.")]


def options_of(rules: Path | None) -> str:
    """What a command that judges by the same rules is told, to be shown behind its name."""
    return f" --rules {shlex.quote(str(rules))}" if rules else ""


def task_option(task: str) -> str:
    """The same of a task; nothing for the default one."""
    return "" if task == DEFAULT_TASK else f" --task {shlex.quote(task)}"
