"""What was measured: both models in one session, of which task, and what the optimized one was made from."""

from __future__ import annotations

import codecs
import json
import shlex
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from tinytorch.benchmarking.records.metrics import ModelRecord
from tinytorch.benchmarking.records.record import Positive, Record, Sha256, Text
from tinytorch.benchmarking.records.session import Protocol, SystemInfo
from tinytorch.competition.names import MOST_DATA_FILES, MOST_HELPERS, MOST_TECHNIQUES, RUN_ID, Division, Track
from tinytorch.competition.record.document import SCHEMA_VERSION, SchemaVersion, Tool, schema_words, this_tool
from tinytorch.competition.record.kinds import Kind, kind_of
from tinytorch.competition.record.migrations import migrated_run
from tinytorch.competition.record.plain import decoded, read_json
from tinytorch.competition.record.reading import ForeignError, RefusedError
from tinytorch.errors import UsageError

RunId = Annotated[str, StringConstraints(pattern=rf"^{RUN_ID.pattern}$")]
MEASURE_AGAIN = "measure again with: tito olympics benchmark"
INSTALL_NEWEST = "install the newest tinytorch-olympics"
MENDS: dict[Kind | None, str] = {
    "submission": "tito olympics validate {file} checks it; tito olympics status --all lists the runs",
    "verification": "the run is part of it: copy it into a file of its own",
    "report": "tito olympics status --all lists the runs",
    "schema": "tito olympics status --all lists the runs",
}


class TaskRecord(Record):
    """What was to be solved: the task's name, the test data's digest and size."""

    name: Text
    dataset_sha256: Sha256
    test_samples: Positive


class FileRecord(Record):
    """A file of an entry by its path from there: a module beside it that it imports, or data that it names."""

    name: Text
    sha256: Sha256


class SourceRecord(Record):
    """Where the optimized model came from, by digest, and what that says of itself: division, techniques, track.

    `helpers` are the modules beside an entry that it imports, `data` other files there that it names.
    """

    kind: Literal["strategy", "entry"]
    name: Text
    sha256: Sha256
    helpers: Annotated[list[FileRecord], Field(max_length=MOST_HELPERS)] | None = None
    data: Annotated[list[FileRecord], Field(max_length=MOST_DATA_FILES)] | None = None
    division: Division | None = None
    techniques: Annotated[list[Text], Field(max_length=MOST_TECHNIQUES)] | None = None
    track: Track | None = None

    @property
    def files(self) -> list[str]:
        """The names of all files that it was made from."""
        return [self.name, *(each.name for each in (*(self.helpers or ()), *(self.data or ())))]


class Measurement(Record):
    """Both models as they were measured; None is not known, because a script measured, or numbers came by hand."""

    id: RunId | None
    task: TaskRecord | None
    source: SourceRecord | None
    system_info: SystemInfo | None
    protocol: Protocol | None
    baseline: ModelRecord
    optimized: ModelRecord


class Run(Measurement):
    """One recorded `benchmark`, of which everything is known."""

    id: RunId
    task: TaskRecord
    source: SourceRecord
    system_info: SystemInfo
    protocol: Protocol


class RunFile(Record):
    """A recorded run in a file of its own; a submission has the same under `run`."""

    document: Literal["run"] = "run"
    schema_version: SchemaVersion = SCHEMA_VERSION
    tool: Tool = Field(default_factory=this_tool)
    run: Run

    @classmethod
    def text(cls, run: Run) -> str:
        """The file that holds a run."""
        return json.dumps(cls(run=run).model_dump(mode="json"), indent=2)


def parse_run(name: str, content: bytes) -> Run:
    """The run in a file's content; UsageError that names the first thing wrong with it."""
    if content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UsageError(f"{name} starts with a byte order mark (BOM)", mend="save it as UTF-8 without BOM")
    other = kind_of(content)
    if other in MENDS:
        raise UsageError(f"{name} is a {other}, and a run is wanted", mend=MENDS[other].format(file=shlex.quote(name)))
    try:
        return RunFile.model_validate(migrated_run(read_json(decoded(content)))).run
    except ForeignError as foreign:
        mend = foreign.mend or MENDS["report"]
        raise UsageError(f"{name} is {foreign.words}, and a run is wanted", mend=mend) from None
    except RefusedError as refusal:
        mend = INSTALL_NEWEST if refusal.stage == "schema_version" else MEASURE_AGAIN
        raise UsageError(f"{_no_run(name)}: {refusal.message}", mend=mend) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise UsageError(f"{_no_run(name)}: {schema_words(first, 'the file')}", mend=MEASURE_AGAIN) from None


def _no_run(name: str) -> str:
    return f"{name} is not a run record, or a damaged one"
