"""`tito olympics doctor`: how disturbed this machine is now, and how well speedups repeat on it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from tinytorch.errors import UsageError
from tinytorch.workloads.registry import DEFAULT_TASK
from tito.exit_codes import ExitCode
from tito.options import Json, RulesFile, Task
from tito.terminal import screen


def doctor(
    task: Task = DEFAULT_TASK,
    minutes: Annotated[
        float | None,
        typer.Option(
            "--minutes",
            min=0.1,
            max=600,
            metavar="M",
            help="How long to look (default: eight looks, one or two minutes; at least four).",
        ),
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Instead drop what is known of this machine, of all tasks.")
    ] = False,
    rules: RulesFile = None,
    json_: Json = False,
) -> None:
    """Look at this machine: is it quiet now, and how well does it repeat? Exit code 1 when it is disturbed.

    Eight short sessions of the baseline, its copy, a small model and the yardstick. What they show of this clock hour
    is kept, so that later runs know this machine's best.
    """
    from tinytorch.competition.rules.events import read_rules
    from tito.olympics import measuring
    from tito.views.doctor import doctor_table
    from tito.workspace.machine import MachineFile

    judged_by, machine = read_rules(rules), MachineFile()
    if forget:
        dropped = machine.forget()
        if dropped is None:
            raise UsageError(f"{machine.path} could not be emptied", mend="remove the file, or name another TITO_CACHE")
        if json_:
            screen.put_json({"forgotten": dropped})
        screen.say(f"forgotten: the best times of {dropped} baseline{'' if dropped == 1 else 's'} in {machine.path}")
        return
    found, hours = measuring.diagnosed(task, minutes, machine, judged_by)
    if json_:
        screen.put_json({"task": task, "state": found.state, "hours": hours, **_plain(asdict(found))})
    else:
        screen.show(doctor_table(task, found, hours, judged_by))
    if found.state == "disturbed":
        raise typer.Exit(ExitCode.FINDINGS)


def _plain(found: dict[str, object]) -> dict[str, object]:
    known = found["known"]
    return {**found, "known": None if known is None else known.model_dump(mode="json")}  # type: ignore[attr-defined]
