"""`tito olympics validate`: many files, every format, the manual of checks."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from tinytorch.competition import generate_submission
from tinytorch.competition.checks import verification
from tinytorch.competition.checks.refereed import REFEREED
from tinytorch.competition.checks.validation import PAGES
from tinytorch.competition.formats import FORMATS
from tinytorch.competition.formats.document import Document
from tito.olympics.parallel import watched
from tito.olympics.validate import OURS

NUMBERS = {"latency": 50.0, "memory": 12.0, "accuracy": 0.97}


@pytest.fixture
def folder(beginner: Path) -> Path:
    """A class of two good files, one with a warning, and a broken one."""
    for name, techniques in (("ada", ["pruning"]), ("bob", [])):
        document = generate_submission(
            baseline_results=NUMBERS, optimized_results={**NUMBERS, "latency": 10.0}, event="latency_sprint",
            athlete_name=name, techniques=techniques,
        )  # fmt: skip
        (beginner / f"{name}.json").write_text(json.dumps(document))
    (beginner / "class").mkdir()
    (beginner / "broken.json").write_text("{")
    return beginner


def test_of_a_single_file_what_passed_is_a_number_and_the_rest_is_shown(folder: Path, tito) -> None:
    done, document = tito("validate", "ada.json"), tito("validate", "ada.json", "--json").json
    (found,) = document["results"]
    passed = [check for check in found["checks"] if check["passed"]]

    others = len(verification.CHECKS) + len(REFEREED)
    assert (done.code, len(found["checks"])) == (0, len(PAGES) - others)
    assert "ada.json: valid, trust T0" in done.out
    assert f"{len(passed)} checks passed" in done.out
    assert all((f"{check['id']} {check['name']}" in done.out) is not check["passed"] for check in found["checks"]
               if check["passed"] is not None)  # fmt: skip


def test_what_is_wrong_comes_first(folder: Path, tito) -> None:
    shown = [line for line in tito("validate", "bob.json").out.splitlines() if "TO-" in line]
    weights = [next(word for word in ("error", "warning", "could not check") if word in line) for line in shown]

    assert weights == sorted(weights, key=["error", "warning", "could not check"].index)
    assert len({*weights}) > 1


def test_of_several_files_only_what_is_wrong_is_shown(folder: Path, tito) -> None:
    done = tito("validate", "bob.json", "broken.json", "ada.json")

    assert done.code == 1
    assert [line.split(":")[0] for line in done.out.splitlines() if ".json: " in line] == [
        "bob.json", "broken.json", "ada.json",
    ]  # fmt: skip
    assert "techniques" in done.out
    assert "digest" not in done.out
    assert done.out.splitlines()[-1] == "2 of 3 submissions are valid; 1 warning(s)"


def test_without_a_file_the_usual_one_is_meant(folder: Path, tito) -> None:
    (folder / "ada.json").rename(folder / "submission.json")

    assert tito("validate").code == 0


def test_a_folder_stands_for_its_files_in_their_order(folder: Path, tito) -> None:
    done = tito("validate", ".", "--json")

    assert [result["file"] for result in done.json["results"]] == ["ada.json", "bob.json", "broken.json"]


def test_an_empty_folder_is_a_finding(folder: Path, tito) -> None:
    done = tito("validate", "class", "--json")

    assert (done.code, done.json["results"][0]["checks"][0]["id"]) == (1, "TO-F01")
    assert "has no *.json" in done.json["results"][0]["issues"][0]


def test_strict_makes_a_warning_an_error(folder: Path, tito) -> None:
    assert tito("validate", "bob.json").code == 0
    assert tito("validate", "bob.json", "--strict").code == 1
    assert tito("validate", "ada.json", "--strict").code == 0


def test_a_pipe_and_a_link_that_leads_away_are_findings(folder: Path, tito) -> None:
    os.mkfifo(folder / "pipe.json")
    (folder / "class" / "away.json").symlink_to("../ada.json")
    done = tito("validate", "pipe.json", "class/away.json", "--json")

    assert [result["checks"][0]["passed"] for result in done.json["results"]] == [False, False]


def test_a_dash_is_stdin(folder: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO((folder / "ada.json").read_bytes())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=content))

    assert tito("validate", "-", "--json").json["results"][0]["valid"]


def test_every_format_can_be_chosen_and_people_have_one_more(folder: Path, tito) -> None:
    assert OURS.split(", ") == ["human", *FORMATS]
    for format_ in FORMATS:
        assert tito("validate", "ada.json", "broken.json", "--format", format_).code == 1


def test_json_follows_its_published_model(folder: Path, tito) -> None:
    document = Document.model_validate_json(tito("validate", ".", "--json").out)

    assert (document.files, document.valid) == (3, 2)
    assert document.results[0].trust == "T0"


@pytest.mark.parametrize("format_", ["human", "junit"])
def test_a_format_can_be_written_to_a_file(folder: Path, tito, format_: str) -> None:
    done = tito("validate", ".", "--format", format_, "-o", "out.txt")
    written = (folder / "out.txt").read_text()

    assert (done.code, done.out) == (1, "")
    assert "\x1b" not in written
    assert "broken.json" in written
    if format_ == "junit":
        assert len(ElementTree.fromstring(written)) == 3


def test_explain_shows_a_page_of_the_manual(tito) -> None:
    done = tito("validate", "--explain", "digest")

    assert done.code == 0
    for word in ("digest (error)", "what", "why", "mend"):
        assert word in done.out


def test_explain_all_has_every_page(tito) -> None:
    assert [page["name"] for page in tito("validate", "--explain", "all", "--json").json["checks"]] == list(PAGES)


@pytest.mark.parametrize(
    ("arguments", "words"), [(["digst"], "did you mean 'digest'"), (["digest", "--format", "junit"], "human or json")]
)
def test_explain_helps_who_mistypes(tito, arguments: list[str], words: str) -> None:
    done = tito("validate", "--explain", *arguments)

    assert done.code == 2
    assert words in done.err


@pytest.mark.parametrize(("content", "words"), [
    ('{"document": "run", "run": {}}', "this is a run, not a submission"),
    ('{"document": "report", "results": []}', "this is a report, not a submission"),
    ('{"$schema": "x", "properties": {}}', "this is a schema, not a submission"),
])  # fmt: skip
def test_another_document_of_ours_is_named(folder: Path, tito, content: str, words: str) -> None:
    (folder / "other.json").write_text(content)
    checks = tito("validate", "other.json", "--json").json["results"][0]["checks"]

    assert words in checks[-1]["message"]


@pytest.mark.parametrize("format_", ["human", *FORMATS])
@pytest.mark.parametrize("files", [["ada.json"], ["ada.json", "broken.json"]])
def test_a_report_replaces_the_last_one_and_nothing_else(folder: Path, tito, format_: str, files: list[str]) -> None:
    for _ in range(2):
        assert tito("validate", *files, "--format", format_, "-o", "report").code in (0, 1)

    assert tito("validate", *files, "--format", format_, "-o", "ada.json").code == 2


def test_the_last_report_is_no_submission_though_it_lies_among_them(folder: Path, tito) -> None:
    for _ in range(2):
        tito("validate", ".", "--format", "json", "-o", "report.json")

    assert json.loads((folder / "report.json").read_text())["files"] == 3


@pytest.mark.parametrize("pattern", ["*.json", "./[ab]*.json", "**/*.json", "ABSOLUTE/*.json"])
def test_a_pattern_that_no_shell_has_replaced_stands_for_its_files(folder: Path, tito, pattern: str) -> None:
    named = pattern.replace("ABSOLUTE", str(folder))
    files = [Path(result["file"]).name for result in tito("validate", named, "--json").json["results"]]

    assert files == ["ada.json", "bob.json", "broken.json"][: len(files)]
    assert len(files) >= 2


def test_a_pattern_without_files_and_a_file_with_its_name_are_told_apart(folder: Path, tito) -> None:
    assert tito("validate", "none*.json", "--json").json["results"][0]["checks"][0]["id"] == "TO-F01"
    (folder / "[ada].json").write_bytes((folder / "ada.json").read_bytes())

    assert tito("validate", "[ada].json").code == 0


def test_many_files_are_watched_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    monkeypatch.setattr(
        "tito.terminal.bars.progress", lambda: contextlib.nullcontext(lambda stage, share: told.append(share))
    )
    for is_terminal, count in ((True, 40), (False, 40), (True, 3)):
        monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda is_terminal=is_terminal: is_terminal))
        assert list(watched(range(count), count)) == list(range(count))

    assert (len(told), told[-1]) == (40, 1.0)
