"""A recorded competition run: both models, measured in one session, and where they came from."""

from __future__ import annotations

import codecs
import shlex
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError

from tinytorch.benchmarking.records import Fraction, ModelRecord, Positive, Protocol, Record, Sha256, SystemInfo, Text
from tinytorch.competition.names import MOST_HELPERS, MOST_TECHNIQUES, Division
from tinytorch.competition.record.kinds import Kind, kind_of
from tinytorch.errors import UsageError

RunVersion = Literal["2.1"]  # as submissions had it then: tinytorch/competition/record/migrations.py
RUN_VERSION: RunVersion = "2.1"


MENDS: dict[Kind | None, str] = {
    "submission": "tito olympics validate {file} checks it; tito olympics status --all lists the runs",
    "report": "tito olympics status --all lists the runs",
    "schema": "tito olympics status --all lists the runs",
}


class TaskRecord(Record):
    """What was to be solved: the task's name, the test data's digest and size, the accuracy expected of a baseline."""

    name: Text
    dataset_sha256: Sha256
    test_samples: Positive
    expected_accuracy: Fraction | None = None


class HelperRecord(Record):
    """A module beside an entry that it imports, by its path from there."""

    name: Text
    sha256: Sha256


class SourceRecord(Record):
    """Where the optimized model came from: a shipped strategy, or an entry file and its helpers by digest."""

    kind: Literal["strategy", "entry"]
    name: Text
    sha256: Sha256
    helpers: Annotated[list[HelperRecord], Field(max_length=MOST_HELPERS)] | None = None


class Run(Record):
    """One recorded `benchmark`: both models, measured in one session."""

    schema_version: RunVersion = RUN_VERSION
    id: Annotated[str, StringConstraints(pattern=r"^[0-9TZ]+-[0-9a-f]{8}$")]
    created_at: AwareDatetime
    task: TaskRecord
    source: SourceRecord
    division: Division
    techniques: Annotated[list[Text], Field(max_length=MOST_TECHNIQUES)]
    system_info: SystemInfo
    protocol: Protocol
    baseline: ModelRecord
    optimized: ModelRecord


def parse_run(name: str, content: bytes) -> Run:
    """The run in a file's content; UsageError that names the first thing wrong with it."""
    if content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UsageError(f"{name} starts with a byte order mark (BOM)", mend="save it as UTF-8 without BOM")
    other = kind_of(content)
    if other in MENDS:
        raise UsageError(f"{name} is a {other}, and a run is wanted", mend=MENDS[other].format(file=shlex.quote(name)))
    try:
        return Run.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        message = f"{name} is not a run record, or a damaged one: {where}: {first['msg']}"
        raise UsageError(message, mend="measure again with: tito olympics benchmark") from None
