"""`tito olympics submit`: package a run as a valid submission."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from tinytorch.competition.events import DIVISIONS, OlympicEvent, parse_event
from tinytorch.competition.run import Run, parse_run
from tinytorch.competition.submission import submission_from_run
from tinytorch.competition.validation import validate_submission
from tinytorch.errors import SetupMissingError, UsageError
from tinytorch.text import nearest
from tito import render, screen, workspace
from tito.olympics.benchmark import measure, reference
from tito.olympics.options import Event, Json, WorkspaceFolder

DEFAULT_OUTPUT = "submission.json"
ANONYMOUS = "anonymous"


def submit(
    event: Event = None,
    run: Annotated[str | None, typer.Option("--run", help="A run's id or file (default: the last run).")] = None,
    athlete: Annotated[str | None, typer.Option("--athlete", help="Your name (default: git's user.name).")] = None,
    repo: Annotated[str | None, typer.Option("--repo", help="URL of your repository.")] = None,
    technique: Annotated[list[str] | None, typer.Option("--technique", help="What you used; repeat it.")] = None,
    division: Annotated[str | None, typer.Option("--division", help="closed or open (default: the entry's).")] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="Where to write it; - is stdout.")] = DEFAULT_OUTPUT,
    json_: Json = False,
    folder: WorkspaceFolder = None,
) -> None:
    """Package the last run for an event and write it if it is valid; measures first if there is no run."""
    if event is None:
        choices = ", ".join(OlympicEvent)
        raise UsageError("which event is it for?", mend=f"tito olympics submit --event EVENT, one of {choices}")
    if division is not None and division not in DIVISIONS:  # before anything is measured
        raise UsageError(f"there is no division {division!r}", mend=nearest(division, DIVISIONS))
    chosen = parse_event(event)
    if output != "-":
        workspace.check_writable(Path(output))
    place = workspace.Workspace(folder)
    record = _run(place, run, chosen.value)
    document = submission_from_run(
        record, event=chosen, athlete_name=athlete or athlete_name(), github_repo=repo,
        techniques=technique or record.techniques, division=division or record.division,
    )  # fmt: skip
    verdict = validate_submission(document)
    if not verdict["valid"]:
        _refuse(verdict, json_)
    digest = screen.put_json(document, output)
    receipt = _receipt(document, record.id, output, digest)
    place.record_submission({**receipt, "valid": True})
    _show_receipt(receipt, json_ and output != "-")


def _run(place: workspace.Workspace, named: str | None, event: str) -> Run:
    """The run that is meant; measured now when none was named and none is recorded."""
    failure = place.last_failure() if named is None else None
    if failure:
        message = f"the last attempt, with {failure['source']}, failed, and an older run is not what you want to submit"
        raise UsageError(message, mend="measure again, or name the run: --run ID (tito olympics status lists them)")
    try:
        record = parse_run(*place.run_content(named))
        screen.say(f"packing run {record.id}: {record.source.name}, measured {record.created_at:%Y-%m-%d %H:%M} UTC")
        return record
    except SetupMissingError:
        screen.say(f"no run is recorded yet: measuring the reference strategy of {event} first")
        return measure(place, reference(event))


def athlete_name() -> str:
    """Git's `user.name`, else `anonymous` with a hint; never the login name."""
    try:
        command = ["git", "config", "user.name"]
        name = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    except FileNotFoundError:  # no git on this machine
        name = ""
    if name:
        return name
    screen.say("hint: git knows no user.name, so the athlete is 'anonymous'; give yours with --athlete NAME")
    return ANONYMOUS


def _refuse(verdict: dict[str, Any], json_: bool) -> None:
    """Show the findings and end with exit code 1; nothing is written."""
    if json_:
        screen.put_json({"written": False, **verdict})
    else:
        failed = [check for check in verdict["checks"] if check["passed"] is False]
        screen.show(render.checks_table("Not written: the submission would be invalid", failed))
    raise typer.Exit(1)


def _receipt(document: dict[str, Any], run: str, output: str, digest: str | None) -> dict[str, Any]:
    return {
        "id": document["digest"][:16], "created_at": document["created_at"], "event": document["event"],
        "run": run, "file": output, "sha256": digest, "trust": document["trust"],
    }  # fmt: skip


def _show_receipt(receipt: dict[str, Any], as_json: bool) -> None:
    """The receipt is talk, unless it was asked for as data."""
    if as_json:
        screen.put_json(receipt)
        return
    for name in ("id", "created_at", "event", "trust", "file", "sha256"):
        if receipt[name] is not None:
            screen.say(f"{name + ':':<12}{receipt[name]}")
    if receipt["file"] != "-":
        screen.say(f"next: tito olympics validate {receipt['file']}")
