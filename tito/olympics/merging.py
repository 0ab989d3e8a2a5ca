"""Merging the shards of a class: everything brought into one folder, and looked whether it belongs together."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinytorch.competition.checks.merged import wrong
from tinytorch.competition.checks.shift import Shift
from tinytorch.competition.checks.verified import Verification
from tinytorch.competition.ranking.classes import several, words_of
from tinytorch.competition.rules.events import read_rules
from tinytorch.errors import UsageError
from tinytorch.files import sha256
from tito import start
from tito.exit_codes import ExitCode
from tito.terminal import screen
from tito.views import shifts as render
from tito.workspace.verified import Verified


def merge(folders: Sequence[str], output: Path, rules: Path | None, json_: bool) -> ExitCode:
    """Bring the records of other folders into this one, and say what is missing or does not belong together."""
    start.finished()
    into = Verified(output)
    for name in folders:
        if not Path(name).is_dir():
            raise UsageError(
                f"there is no folder {name}", mend="name the folders that shards were written into with -o"
            )
    if not folders and not output.is_dir():
        raise UsageError(f"there is no folder {output}", mend="name the folder that shards were written into with -o")
    into.make()
    for name in folders:
        if Path(name).resolve() != output.resolve():
            _bring(Verified(Path(name)), into)
    shifts, records, digests = list(into.shifts()), {}, {}
    for path, content, each in into.contents():
        if path.stem == each.id:  # else it is a copy of another one
            records[path.stem], digests[path.stem] = each, sha256(content)
    found = [*into.damaged_shifts(len(shifts)), *wrong(shifts, records, digests)]
    classes = words_of(shifts, read_rules(rules))
    if json_:
        screen.put_json(render.document(shifts, classes, records.values(), found))
    else:
        screen.show(render.table_of(shifts, classes, len(records), found))
        if several(classes):
            screen.say("machines of several classes: a board ranks each class apart, where speed is ranked")
        if not found:
            screen.say(f"next: tito olympics verify sign {shlex.quote(str(output))} --key ~/.ssh/id_ed25519")
    return ExitCode.FINDINGS if found else ExitCode.GOOD


def _bring(source: Verified, into: Verified) -> None:
    """What is finished there and not here; of two that are finished the later one."""
    for path, content, each in source.contents():
        here = into.finished(each.id) if path.stem == each.id else None
        if path.stem == each.id and (here is None or _is_better(each, here)):
            into.keep(path.name, content)
    taken = {path.stem: sha256(content) for path, content, _ in into.contents()}
    for shift in source.shifts():
        known = next((each for each in into.shifts() if each.id == shift.id), None)
        into.keep_shift(_united(shift, known, taken))


def _is_better(one: Verification, other: Verification) -> bool:
    return one.is_finished and one.verified_at > other.verified_at


def _united(one: Shift, other: Shift | None, taken: Mapping[str, str]) -> Shift:
    """Of the two halves of a shift, that a machine wrote into two folders, all; the digests of what was taken."""
    if other is None:
        return one
    records = {**other.records, **one.records}
    records |= {id_: digest for id_, digest in other.records.items() if taken.get(id_) == digest}
    canaries = {each.measured_at: each for each in (*other.canaries, *one.canaries)}
    return one.model_copy(update={
        "records": records, "canaries": [canaries[at] for at in sorted(canaries)],
    })  # fmt: skip
