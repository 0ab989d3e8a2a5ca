"""`tito olympics status`: how far you are, and what to type next. Reads the history only; imports no numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from tinytorch.files import sha256
from tito import screen
from tito.olympics.options import Json, WorkspaceFolder
from tito.workspace import Workspace

EVENTS = 5
MOST_RUNS = 5  # that are listed; --json has all


def status(json_: Json = False, folder: WorkspaceFolder = None) -> None:
    """Show the five stages, the last run, the submissions and the next command."""
    place = Workspace(folder)
    history = place.history()
    runs = [entry for entry in history if entry["kind"] == "run"]
    submissions = [{**entry, "file_state": _file_state(entry)} for entry in history if entry["kind"] == "submission"]
    document = {
        "stages": _stages(runs, submissions), "runs": runs, "last_run": runs[-1] if runs else None,
        "last_failure": place.last_failure(),
        "submissions": submissions, "next": _next(runs, submissions),
    }  # fmt: skip
    if json_:
        screen.put_json(document)
    else:
        _show(document)


def _stages(runs: list[dict[str, Any]], submissions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    measured = f"{len(runs)} run(s)" if runs else "measured by tito olympics benchmark"
    scored = bool(runs) and any(value is not None for value in runs[-1]["scores"].values())
    return [
        {"stage": "events", "done": True, "detail": f"{EVENTS} events"},
        {"stage": "baseline", "done": bool(runs), "detail": measured},
        {"stage": "optimized", "done": bool(runs), "detail": runs[-1]["source"] if runs else measured},
        {"stage": "scores", "done": scored, "detail": "tito olympics score"},
        {"stage": "submission", "done": bool(submissions), "detail": f"{len(submissions)} written"},
    ]


def _next(runs: list[dict[str, Any]], submissions: list[dict[str, Any]]) -> str:
    if not runs:
        return "tito olympics benchmark"
    if not submissions:
        return "tito olympics submit --event all_around"
    return (
        f"tito olympics validate {submissions[-1]['file']}" if submissions[-1]["file"] != "-" else "tito olympics score"
    )


def _file_state(entry: dict[str, Any]) -> str:
    """Whether a submission's file is still what was validated when it was written."""
    path = Path(entry["file"])
    if entry["file"] == "-" or not path.is_file():
        return "elsewhere"
    return "valid" if sha256(path.read_bytes()) == entry["sha256"] else "changed since"


def _show(document: dict[str, Any]) -> None:
    table = Table(title="Torch Olympics", title_justify="left")
    for heading in ("stage", "done", "detail"):
        table.add_column(heading, overflow="fold")
    for stage in document["stages"]:
        done = Text("yes", "green") if stage["done"] else Text("not yet", "yellow")
        table.add_row(stage["stage"], done, Text(stage["detail"]))
    screen.show(table)
    for run in document["runs"][-MOST_RUNS:]:
        screen.show(Text(f"run:        {run['id']}  {run['source']}"))
    if document["last_failure"]:
        screen.show(Text(f"failed:     {document['last_failure']['source']}, after these runs", "yellow"))
    for entry in document["submissions"]:
        screen.show(Text(f"submission: {entry['file']}  {entry['event']}  {entry['file_state']}"))
    screen.show(Text(f"next:       {document['next']}"))
