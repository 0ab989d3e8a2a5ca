"""`tito olympics submit`: package a run as a valid submission."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinytorch.competition.names import DIVISIONS, TRACKS, parse_event, parse_track
from tinytorch.competition.record.kinds import event_of
from tinytorch.errors import SetupMissingError, UsageError
from tinytorch.showing import from_argument, nearest
from tinytorch.workloads.registry import DEFAULT_TASK
from tito.options import Event, Force, Json, RecordedTask, RulesFile, WorkspaceFolder, options_of
from tito.terminal import screen
from tito.terminal.screen import STANDARD
from tito.workspace import athlete as people
from tito.workspace.documents import Destination
from tito.workspace.history import SubmissionLine
from tito.workspace.provenance import provenance
from tito.workspace.workspace import Workspace

if TYPE_CHECKING:
    from tinytorch.competition.record.run import Run
    from tinytorch.competition.rules.events import Rules

DEFAULT_OUTPUT, BUNDLE_OUTPUT = "submission.json", "submission.zip"


def submit(
    event: Event = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="A run's id or file, - is stdin (default: the last run).")
    ] = None,
    task: RecordedTask = None,
    athlete: Annotated[
        list[str] | None,
        typer.Option("--athlete", metavar="NAME", help="Your name (default: git's user.name); repeat it for a team."),
    ] = None,
    id_: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="ID", help="Your student number or e-mail, if your class asks; one a name."),
    ] = None,
    repo: Annotated[
        str | None,
        typer.Option("--repo", metavar="URL", help="The web address of your code: https://github.com/you/your-entry."),
    ] = None,
    technique: Annotated[
        list[str] | None, typer.Option("--technique", metavar="NAME", help="What you used; repeat it for each.")
    ] = None,
    division: Annotated[
        str | None,
        typer.Option("--division", metavar="DIVISION", help=f"{' or '.join(DIVISIONS)} (default: the entry's)."),
    ] = None,
    bundled: Annotated[
        bool,
        typer.Option("--bundle", help=f"Pack it with the entry and its files, for verify (default: {BUNDLE_OUTPUT})."),
    ] = False,
    entry: Annotated[
        Path | None, typer.Option("--entry", metavar="FILE", help="For --bundle: the entry (default: as it was named).")
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(
            "--track", metavar="TRACK", help=f"Who wrote the entry: {', '.join(TRACKS)} (default: its TRACK)."
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help=f"Where (default: {DEFAULT_OUTPUT}); - is stdout."),
    ] = None,
    rules: RulesFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show the receipt; write nothing.")] = False,
    force: Force = False,
    json_: Json = False,
    folder: WorkspaceFolder = None,
) -> None:
    """Package the last run for an event and write it if it is valid; measures first if there is no run."""
    if division is not None and division not in DIVISIONS:  # before anything is measured
        raise UsageError(f"there is no division {division!r}", mend=nearest(division, DIVISIONS))
    from tinytorch.competition.record.people import athlete_of
    from tinytorch.competition.rules.events import read_rules

    judged_by = read_rules(rules)
    if event is None:
        choices = ", ".join(judged_by.events)
        raise UsageError("which event is it for?", mend=f"tito olympics submit --event EVENT, one of {choices}")
    chosen = parse_event(event, judged_by.events)
    parse_track(track)
    target = _target(output, bundled, entry, force)
    target.replaced()
    names, ids = people.names(athlete), list(map(from_argument, id_)) if id_ else None
    athlete_of(names, ids)  # said before anything is measured
    place = Workspace(folder)
    record = _run(place, run, task, chosen)
    from tinytorch.competition.scoring.packaging import submission_from_run
    from tito.olympics import bundling

    files = bundling.files_of(record, entry) if bundled else None
    document = submission_from_run(
        record, event=chosen, athlete_name=names, athlete_id=ids,
        github_repo=from_argument(repo) if repo else None,
        techniques=[*map(from_argument, technique)] if technique else None, division=division, rules=judged_by,
        provenance=provenance(record.source.files) if record.source.kind == "entry" else None,
        files=None if files is None else bundling.records(files), track=track,
    )  # fmt: skip
    _check(document, judged_by, json_)
    if dry_run:
        _tell_dry(document, record.id, json_)
    else:
        _write(place, document, files, record.id, target, json_, options_of(rules))


def _target(output: str | None, bundled: bool, entry: Path | None, force: bool) -> Destination:
    """Where it goes. UsageError for a bundle on stdout, which is no text, and for an entry without a bundle."""
    if entry is not None and not bundled:
        raise UsageError("--entry says what comes along with --bundle", mend="add --bundle, or leave --entry out")
    target = Destination(output or (BUNDLE_OUTPUT if bundled else DEFAULT_OUTPUT), "submission", force)
    if bundled and target.is_stdout:
        raise UsageError("a bundle is no text for a screen", mend=f"name a file: -o {BUNDLE_OUTPUT}")
    return target


def _check(document: dict[str, Any], judged_by: Rules, json_: bool) -> None:
    """Exit code 1 with the findings for a submission that would be invalid."""
    from tinytorch.competition.checks.validation import validate_submission

    verdict = validate_submission(document, judged_by)
    if not verdict["valid"]:
        _refuse(verdict, json_)


def _write(
    place: Workspace, document: dict[str, Any], files: dict[str, bytes] | None, run: str, target: Destination,
    json_: bool, options: str,
) -> None:  # fmt: skip
    """Write the submission, remember it, and show the receipt; `options` are what checking it needs."""
    old, declared = target.replaced(), document["declaration"]
    from tito.olympics.bundling import bundle

    text = screen.as_json(document)
    digest = target.write(text) if files is None else target.write_bytes(bundle(text, files))
    entry = SubmissionLine(
        id=document["digest"][:16], created_at=declared["created_at"], event=declared["event"], run=run,
        file=target.place, trust=document["derived"]["trust"], sha256=digest,
    )  # fmt: skip
    with screen.done_before(f"the submission is written to {target.name}"):
        _remember(place, entry)
        _tell_replaced(old, entry.event, str(target.name))
        receipt = {**entry.as_dict(), "athlete": declared["athlete"]["name"], "file": target.name}
        if files is not None:
            receipt["packed"] = ", ".join(["the submission", *files])
        _show_receipt(receipt, json_, target, options)


def _tell_dry(document: dict[str, Any], run: str, json_: bool) -> None:
    """What would be written."""
    declared = document["declaration"]
    receipt = {
        "athlete": declared["athlete"]["name"], "event": declared["event"], "trust": document["derived"]["trust"],
        "run": run, "rules": declared["rules"]["version"],
    }  # fmt: skip
    if json_:
        screen.put_json({"written": False, "valid": True, **receipt})
        return
    for name, value in receipt.items():
        screen.say(f"{name + ':':<12}{value}")
    screen.say("valid; nothing is written, as --dry-run says")


def _remember(place: Workspace, entry: SubmissionLine) -> None:
    """Note it for `status`; the submission is what it is, even where nothing can be noted."""
    try:
        place.record_submission(entry)
    except UsageError as error:
        screen.say(f"warning: {error.message}, so tito olympics status will not list this submission")


def _run(place: Workspace, named: str | None, task: str | None, event: str) -> Run:
    """The run that is meant; measured now when none was named and none is recorded."""
    failure = place.last_failure(task) if named is None else None
    if failure:
        outcome = failure.outcome
        message = f"the last attempt, with {failure.source}, {outcome}, and an older run is not what you want to submit"
        raise UsageError(message, mend="measure again, or name the run: --run ID (tito olympics status lists them)")
    try:
        record = place.run(named, task)
    except SetupMissingError:
        from tito.olympics import measuring

        wanted = task or DEFAULT_TASK
        screen.say(f"no run of {wanted} is recorded yet: measuring the reference strategy of {event} first")
        return measuring.measure(place, measuring.challenge(measuring.contender(wanted, event, None, None), wanted))
    what = f"{record.source.name} at {record.task.name}"
    screen.say(f"packing run {record.id}: {what}, measured {record.protocol.ended_at:%Y-%m-%d %H:%M} UTC")
    return record


def _refuse(verdict: dict[str, Any], json_: bool) -> None:
    """Show the findings and end with exit code 1; nothing is written."""
    from tito.views import runs as render

    if json_:
        screen.put_json({"written": False, **verdict})
    else:
        failed = [check for check in verdict["checks"] if check["passed"] is False and check["severity"] == "error"]
        screen.show(render.checks_table("Not written: the submission would be invalid", failed))
    raise typer.Exit(1)


def _tell_replaced(old: bytes | None, event: str, name: str) -> None:
    """A submission for another event that was there is no longer, which should surprise nobody."""
    before = event_of(old) if old else None
    if before and before != event:
        screen.say(f"warning: {name} held your submission for {before}; it is replaced")
        screen.say("         give each event a file of its own with -o FILE")


def _show_receipt(receipt: dict[str, Any], json_: bool, target: Destination, options: str) -> None:
    """The receipt is talk, unless it was asked for as data; beside a submission on stdout it is always talk."""
    if json_ and not target.is_stdout:
        screen.put_json({name: value for name, value in receipt.items() if name != "kind"})
        return
    for name in ("id", "created_at", "athlete", "event", "trust", "file", "packed", "sha256"):
        if receipt.get(name) is not None:
            screen.say(f"{name + ':':<12}{receipt[name]}")
    if target.place != STANDARD:
        screen.say(f"next: tito olympics validate {shlex.quote(str(target.name))}{options}")
