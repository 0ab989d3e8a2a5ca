"""What a file is, told by its first lines, and by no more than these."""

from __future__ import annotations

import json

import pytest

from tinytorch.competition.formats import FORMATS
from tinytorch.competition.formats import leaderboard as rankings
from tinytorch.competition.ranking.leaderboard import Wanted, leaderboard
from tinytorch.competition.record.document import json_schema
from tinytorch.competition.record.kinds import event_of, kind_of
from tinytorch.competition.record.run import Run, RunFile, parse_run
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.rules.events import load_rules
from tinytorch.errors import UsageError


def test_a_run_and_a_submission_say_what_they_are(run: Run, submission: dict[str, object]) -> None:
    assert kind_of(RunFile.text(run).encode()) == "run"
    assert (
        kind_of(json.dumps(submission).encode()) == kind_of(json.dumps(submission, indent=4).encode()) == "submission"
    )
    assert kind_of(json.dumps(json_schema(Submission)).encode()) == "schema"
    assert event_of(json.dumps(submission, indent=2).encode()) == "all_around"


@pytest.mark.parametrize("format_", FORMATS)
def test_every_report_says_that_it_is_one(format_: str) -> None:
    assert kind_of("".join(FORMATS[format_]([])).encode()) == "report"


@pytest.mark.parametrize("format_", rankings.FORMATS)
def test_every_leaderboard_says_that_it_is_a_report(format_: str) -> None:
    assert kind_of(rankings.FORMATS[format_](leaderboard([], load_rules(), Wanted())).encode()) == "report"


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff\xfe", b'{"document": "novel"}', b'{"x": 1, "document": "run"}', b"Torch Olympics",
     b'{"document": "submission", "to": "Journal of X"}', b'{"schema_version": "2.0", "rules": ["my firewall"]}',
     b'{"schema_version": "1.0", "id": "my-own-config"}', b"Torch Olympics: my own notes\n",
     b"# Torch Olympics: lecture\n",
     b"event,task,division,rank,athlete_name,my_remarks\n", b'{"document": "report", "author": "me"}',
     b'{"$schema": "x"}', b"1 of 2 submissions are valid", b"\n" * 5000 + b'{"document": "run"}'],
)  # fmt: skip
def test_somebody_s_own_file_is_none_of_ours(content: bytes) -> None:
    assert kind_of(content) is None


@pytest.mark.parametrize("piece", [b'" by a: "', b"<", b"{", b'"document": ', b" ", b"<!doctype html>", b"<?xml\n"])
def test_only_the_first_lines_are_looked_at(piece: bytes) -> None:
    start = piece * (5000 // len(piece))

    assert kind_of(start + b"x" * 8_000_000) == kind_of(start)


FLOODS = [
    b'{"document": "run", "a": 1, "a": 2}', b"[" + b"[1]," * 600_000 + b"1]", b"[" * 10_000,
    b'{"document": "run", "run": [' + b"{}," * 20_000 + b"{}]}",
]  # fmt: skip


@pytest.mark.parametrize("content", FLOODS, ids=["a key twice", "values", "depth", "objects"])
def test_a_run_is_read_as_carefully_as_a_submission(content: bytes) -> None:
    with pytest.raises(UsageError, match="is not a run record"):
        parse_run("run.json", content)


def test_what_lies_behind_the_first_lines_decides_nothing() -> None:
    late = b"<!doctype html>\n" + b" " * 5000 + b'<meta name="generator" content="tito olympics report">'

    assert kind_of(late) is None
