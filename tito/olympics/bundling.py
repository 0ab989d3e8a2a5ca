"""A submission and the entry that it speaks of, packed into one file that a referee can build again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tinytorch.competition.record.bundle import ENTRY, LARGEST_BUNDLE_BYTES, SUBMISSION, packed
from tinytorch.competition.record.run import FileRecord, Run
from tinytorch.errors import UsageError
from tinytorch.files import sha256
from tinytorch.showing import safe_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def files_of(run: Run, entry: Path | None) -> dict[str, bytes]:
    """The entry's files by their names in a bundle, all as they were measured; none of a reference strategy.

    UsageError where one is not there, or is another one than was measured.
    """
    from tinytorch.competition.checks.verification import digests
    from tinytorch.harness.contender import Contender

    if run.source.kind == "strategy":
        return {}
    path = entry or Path(Path(run.source.name).name)
    if not path.is_file():
        message = f"the entry {safe_text(str(path))} that run {run.id} measured is not here"
        raise UsageError(message, mend="name it: --entry FILE")
    made = Contender.entry(path)
    found = {ENTRY: made.source or b"", **made.helpers, **made.data}
    _check_unchanged(digests(run.source), found, run, path)
    size_bytes = sum(map(len, found.values()))
    if size_bytes > LARGEST_BUNDLE_BYTES:
        message = f"the entry's files have {size_bytes:,} bytes, at most {LARGEST_BUNDLE_BYTES:,} fit in a bundle"
        raise UsageError(message, mend="let optimize make what is large, or name less in its source")
    return found


def records(files: Mapping[str, bytes]) -> list[FileRecord]:
    """What a submission declares of them."""
    return [FileRecord(name=name, sha256=sha256(content)) for name, content in files.items()]


def bundle(submission: str, files: Mapping[str, bytes]) -> bytes:
    """The bundle of a submission's text and the files."""
    return packed({SUBMISSION: submission.encode() + b"\n", **files})


def _check_unchanged(wanted: Mapping[str, str], found: Mapping[str, bytes], run: Run, path: Path) -> None:
    given = {name: sha256(content) for name, content in found.items()}
    other = sorted(name for name in {*wanted, *given} if wanted.get(name) != given.get(name))
    if other:
        name = path.name if other[0] == ENTRY else other[0]
        word = "gone" if other[0] not in given else "new" if other[0] not in wanted else "changed"
        message = f"{safe_text(name)} is {word} since run {run.id} was measured"
        again = f"tito olympics benchmark --task {run.task.name} --entry {shlex.quote(str(path))}"
        raise UsageError(message, mend=f"measure what you hand in: {again}")
