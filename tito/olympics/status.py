"""`tito olympics status`: how far you are, and what to type next. Light: imports neither numpy nor a table."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tinytorch.competition.names import RULES_FILE, OlympicEvent
from tinytorch.showing import safe_text
from tinytorch.workloads.registry import DEFAULT_TASK
from tito.options import Json, RecordedTask, WorkspaceFolder
from tito.terminal import screen
from tito.terminal.plots import histogram, trend
from tito.terminal.screen import STANDARD
from tito.workspace.history import FailureLine, FileState, RunLine, SubmissionLine
from tito.workspace.workspace import Workspace, benchmark_command, file_state

MOST_LISTED = 10  # runs and submissions, without --all; --json has every one
MOST_DRAWN = 24  # runs of the trend
MARKS = {"disturbed": "!", "not known": "?"}
MEANT = {"!": "!: the baseline was disturbed", "?": "?: not known whether the baseline was disturbed"}
TREND = DEFAULT_EVENT = "all_around"  # the score that every run of a whole task has
DETAILS = 12  # columns before what is told
STAGE = "{stage:<12}{done:<9}{detail}"

Row = dict[str, Any]


def status(
    every: Annotated[bool, typer.Option("--all", help=f"Every run, not only the last {MOST_LISTED}.")] = False,
    task: RecordedTask = None,
    json_: Json = False,
    folder: WorkspaceFolder = None,
) -> None:
    """Show the five stages, the runs, the submissions and the next command."""
    place = Workspace(folder)
    runs = [_run_row(place, run) for run in place.runs(task)]
    ids = {run["id"] for run in runs}
    entries = [entry for entry in place.history_of(SubmissionLine) if task is None or entry.run in ids]
    submissions = _submission_rows(entries)
    failure = place.last_failure(task)
    document = {
        "stages": _stages(runs, submissions, task), "runs": runs, "last_run": runs[-1] if runs else None,
        "last_failure": failure.as_dict() if failure else None,
        "submissions": submissions, "next": _next(runs, submissions, failure, task),
    }  # fmt: skip
    if json_:
        screen.put_json(document)
    else:
        screen.put_lines(map(safe_text, _lines(document, None if every else MOST_LISTED)), DETAILS)


def _run_row(place: Workspace, run: RunLine) -> Row:
    return {**run.as_dict(), "file_state": place.run_state(run)}


def _submission_rows(entries: Sequence[SubmissionLine]) -> list[Row]:
    """Of several that were written to one file, only the last can still be there."""
    last = {entry.file: entry for entry in entries}
    return [{**entry.as_dict(), "file_state": _state(entry, last[entry.file] is not entry)} for entry in entries]


def _state(entry: SubmissionLine, is_replaced: bool) -> FileState:
    return "replaced" if is_replaced and entry.file != STANDARD else file_state(entry.file, entry.sha256)


def _stages(runs: Sequence[Row], submissions: Sequence[Row], task: str | None) -> list[Row]:
    """The five stages, each looked at: the rules, the last run's file, its scores, the files of submissions."""
    events = len(tomllib.loads(RULES_FILE.read_text("utf-8"))["events"])
    last = runs[-1] if runs else None
    is_there = last is not None and last["file_state"] == "valid"
    run = benchmark_command(task) if last is None else f"run {last['id']} at {last['task']}"
    measured = run if is_there or last is None else f"{run}: its file is {last['file_state']}"
    known = [] if last is None else [name for name, value in last["scores"].items() if value is not None]
    good = sum(row["file_state"] == "valid" for row in submissions)
    return [
        {"stage": "events", "done": events > 0, "detail": f"{events} events"},
        {"stage": "baseline", "done": is_there, "detail": measured},
        {"stage": "optimized", "done": is_there, "detail": last["source"] if last and is_there else measured},
        {"stage": "scores", "done": is_there and bool(known), "detail": f"{len(known)} scores: tito olympics score"},
        {"stage": "submission", "done": good > 0, "detail": f"{len(submissions)} packaged, {good} still as written"},
    ]


def _next(runs: Sequence[Row], submissions: Sequence[Row], failure: FailureLine | None, task: str | None) -> str:
    """The command to type: measure, submit what was measured last, or see what would win most next."""
    if failure or not runs or runs[-1]["file_state"] != "valid":
        last = runs[-1]["task"] if runs else DEFAULT_TASK
        return benchmark_command(task or (last if last != DEFAULT_TASK else None))
    option = f" --task {task}" if task else ""
    if any(row["run"] == runs[-1]["id"] and row["file_state"] in ("valid", "elsewhere") for row in submissions):
        return f"tito olympics score{option}"
    known = [row["event"] for row in submissions if row["event"] in tuple(OlympicEvent)]  # a class's needs its rules
    event = known[-1] if known else DEFAULT_EVENT
    return f"tito olympics submit --event {event}{option}"


def _lines(document: dict[str, Any], most: int | None) -> Iterator[str]:
    """A line for each stage, run and submission."""
    for stage in document["stages"]:
        yield STAGE.format(**{**stage, "done": "done" if stage["done"] else "not yet"})
    yield from _listed("run", document["runs"], most, _run_fields)
    yield from _plotted(document["runs"])
    yield from _listed("submission", document["submissions"], most, _submission_fields)
    if document["last_failure"]:
        yield f"{'failed':<12}{document['last_failure']['source']}, after these runs"
    yield f"{'next':<12}{document['next']}"


def _plotted(runs: Sequence[Row]) -> Iterator[str]:
    """How the block pairs of the last run are spread, and how the runs of its task went."""
    last = runs[-1] if runs else None
    if last and last["blocks"]:
        (columns,), blocks = histogram(last["blocks"]["counts"]), last["blocks"]
        yield f"{'blocks':<12}{blocks['lower']:.3g}x |{columns}| {blocks['upper']:.3g}x  speedup, block by block"
    of_task = [run for run in runs if last and run["task"] == last["task"]]
    values = [run["scores"].get(TREND) for run in of_task][-MOST_DRAWN:]
    if last and len(values) > 1 and values[-1] is not None:
        yield f"{'trend':<12}{trend(values)}  {TREND} of {len(values)} runs at {last['task']}, now {values[-1]:.3g}"
        marks = "".join(MARKS.get(run["machine"], " ") for run in of_task[-MOST_DRAWN:])
        if marks.strip():
            yield f"{'':<12}{marks}  ({'; '.join(words for mark, words in MEANT.items() if mark in marks)})"


def _listed(word: str, rows: Sequence[Row], most: int | None, fields: Callable[[Row], Sequence[str]]) -> Iterator[str]:
    shown = rows if most is None else rows[-most:]
    if len(shown) < len(rows):
        yield f"{'':<12}{len(rows) - len(shown)} older, shown by --all"
    for row in shown:
        yield f"{word:<12}{_fitted(fields(row), screen.columns() - 12)}"


def _fitted(fields: Sequence[str], columns: int) -> str:
    """The fields in a line, the beginning of the longest left out where there is no room for it."""
    longest, excess = max(fields, key=len), len("  ".join(fields)) - columns
    short = f"...{longest[excess + 3 :]}" if excess > 0 else longest
    return "  ".join(short if field is longest else field for field in fields)


def _run_fields(row: Row) -> Sequence[str]:
    return row["id"], row["task"], row["source"], row["file_state"]


def _submission_fields(row: Row) -> Sequence[str]:
    """Of a file that is as it was written, its trust: only what is valid is ever written."""
    trust = [f"trust {row['trust']}"] if row["file_state"] == "valid" else []
    return _near(row["file"]), row["event"], row["file_state"], *trust


def _near(file: str) -> str:
    """A path as seen from here."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
