"""`leaderboard` as an instructor sees it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.competition.conftest import make_run
from tests.competition.scoring.test_contrast import later
from tests.tito.class_folder import handed_in
from tinytorch.benchmarking.records.session import Doubt
from tinytorch.competition.formats.leaderboard import RankingsDocument, cell
from tinytorch.competition.record.run import RunFile


@pytest.fixture
def folder(beginner: Path) -> Path:
    """Three athletes, one of whom is as fast as the first, and a file that is no submission."""
    handed_in(beginner, "ada", 2)
    handed_in(beginner, "bob", 3)
    handed_in(beginner, "eve", 4, typical_ns=400_000)
    (beginner / "notes.json").write_text("{}")
    return beginner


def test_beside_each_rank_stand_those_that_the_data_allow(folder: Path, tito) -> None:
    done = tito("leaderboard", ".", "--json")
    (ranking,) = done.json["rankings"]

    assert done.code == 0
    assert [(row["rank"], row["rank_set"]) for row in ranking["rows"]] == [(1, [1, 2]), (2, [1, 2]), (3, [3, 3])]
    assert ranking["rows"][2]["file"] == "eve.json"
    assert [row["shown"] for row in ranking["rows"]] == [row["interval"][0] for row in ranking["rows"]]
    assert [each["file"] for each in done.json["unranked"]] == ["notes.json"]


def test_the_document_is_the_published_one(folder: Path, tito) -> None:
    RankingsDocument.model_validate_json(tito("leaderboard", ".", "--json").out)


def test_people_see_ranks_athletes_and_reasons(folder: Path, tito) -> None:
    shown = tito("leaderboard", ".").out

    assert "Latency Sprint by speedup: digits_mlp, closed division, 3 athletes" in shown
    assert {word for word in ("ada", "bob", "eve", "1 (1-2)", "p < 0.001") if word not in shown} == set()
    assert "not ranked: notes.json: not valid: TO-F09 schema_version" in shown


MEASURED = {"machine": "Synthetic", "cores": 2, "backend": "numba", "tier": "fast", "doubts": ["busy"]}


@pytest.fixture
def doubtful(beginner: Path) -> Path:
    """One athlete, whose model numba ran on a busy machine."""
    busy = Doubt(code="busy", evidence="other programs", advice="close them")
    handed_in(beginner, "ada", backend="numba", doubts=[busy])
    return beginner


def test_each_row_says_with_what_it_was_measured(doubtful: Path, tito) -> None:
    ((row,),) = (each["rows"] for each in tito("leaderboard", ".", "--json").json["rankings"])
    (line,) = csv.DictReader(io.StringIO(tito("leaderboard", ".", "--format", "csv").out))

    assert {name: row[name] for name in MEASURED} == MEASURED
    assert {name: line[name] for name in MEASURED} == {**MEASURED, "cores": "2", "doubts": "busy"}
    assert "Synthetic, 2 cores, numba, tier fast, doubts: busy" in tito("leaderboard", ".", "--format", "markdown").out


def test_what_machines_may_have_done_is_said_once_with_the_names(folder: Path, tito) -> None:
    said = "how busy the machine was is not known, so that up to 10 % of the speedup may be its doing"
    out = tito("leaderboard", ".").out
    rows = [row for ranking in tito("leaderboard", ".", "--json").json["rankings"] for row in ranking["rows"]]

    assert out.count(said) == 1
    assert all(row["moved"]["down"] == pytest.approx(0.0953, abs=1e-4) for row in rows)


def test_a_letter_stands_for_a_machine(doubtful: Path, tito) -> None:
    shown = tito("leaderboard", ".").out

    assert "A: Synthetic, 2 cores" in shown
    assert {word for word in ("numba", "fast", "doubt: busy") if word not in shown} == set()


@pytest.mark.parametrize("order", [[".", "./ada.json"], ["eve.json", "ada.json", "bob.json", "notes.json"]])
def test_the_order_and_number_of_names_never_matter(folder: Path, tito, order: list[str]) -> None:
    assert tito("leaderboard", *order, "--json").json == tito("leaderboard", ".", "--json").json


def test_a_file_that_is_named_by_two_paths_counts_once(folder: Path, tito) -> None:
    (ranking,) = tito("leaderboard", "ada.json", str(folder / "ada.json"), "--json").json["rankings"]

    assert (len(ranking["rows"]), ranking["others"]) == (1, [])


@pytest.mark.parametrize(
    ("option", "value"),
    [("--event", "extreme_push"), ("--task", "tinygpt"), ("--division", "open"), ("--track", "agent")],
)
def test_nothing_that_is_asked_for_is_a_finding(folder: Path, tito, option: str, value: str) -> None:
    """Exit code 1, and what there is instead."""
    done = tito("leaderboard", "ada.json", option, value)

    assert (done.code, done.err) == (1, "nothing could be ranked\n")
    assert f"1 submission passed over: its {option[2:]} is " in done.out


@pytest.mark.parametrize(("option", "value"), [("--division", "opne"), ("--event", "sprint"), ("--track", "robot")])
def test_a_name_that_there_is_not_is_refused(folder: Path, tito, option: str, value: str) -> None:
    done = tito("leaderboard", ".", option, value)

    assert done.code == 2
    assert "mend:" in done.err


def test_files_name_their_tasks_and_give_no_address(folder: Path, tito) -> None:
    done = tito("leaderboard", ".", "--task", "os:system")

    assert (done.code, "os:system is an address" in done.err) == (2, True)


def test_long_lists_are_cut_for_people_only(folder: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tito.olympics.leaderboard.MOST_LISTED", 1)

    assert "and 2 more, shown by --all" in tito("leaderboard", ".").out
    assert "more, shown" not in tito("leaderboard", ".", "--all").out
    assert len(tito("leaderboard", ".", "--json").json["rankings"][0]["rows"]) == 3


HOSTILE = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", " \t=1", "＝1", "a,b\nc", '"quoted"']  # noqa: RUF001


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula_or_ends_a_line(text: str) -> None:
    assert not cell(text).lstrip().startswith(("=", "+", "-", "@", "＝"))  # noqa: RUF001
    assert "\n" not in cell(text)


@pytest.mark.parametrize("format_", ["csv", "markdown"])
def test_what_was_not_asked_for_is_in_the_document_only(folder: Path, tito, format_: str) -> None:
    handed_in(folder, "zoe", 9, "all_around")
    asked = ("leaderboard", ".", "--event", "latency_sprint", "--format")

    assert "zoe" not in tito(*asked, format_).out
    assert "zoe" in tito(*asked, "json").out


def test_numbers_of_a_csv_stay_numbers(folder: Path, tito) -> None:
    rows = list(csv.DictReader(io.StringIO(tito("leaderboard", ".", "--format", "csv").out)))

    assert float(rows[0]["accuracy_delta"]) < 0
    assert [row["rank"] for row in rows] == ["1", "2", "3", ""]
    assert rows[3]["reason"].startswith("not valid")


def test_markdown_keeps_hostile_names_in_their_cells(beginner: Path, tito) -> None:
    """A pipe would end the cell; markup stays code."""
    handed_in(beginner, "a|b](http://x) <b>", file="a.json")
    lines = tito("leaderboard", ".", "--format", "markdown").out.splitlines()

    assert "| 1 | `a\\|b](http://x) <b>` |" in lines[6]


def test_markdown_says_of_what_an_interval_is(beginner: Path, tito) -> None:
    """Of accuracy it is that of the change."""
    handed_in(beginner, "ada", 2, "accuracy_contest")

    assert re.search(r"\| -\S+ to \S+ points \|", tito("leaderboard", ".", "--format", "markdown").out)


def test_a_document_is_ascii_whatever_a_file_is_called(folder: Path, tito) -> None:
    (folder / "\u202egnp.json").write_text("{}")
    done = tito("leaderboard", ".", "--json")

    assert done.out.isascii()
    assert "\u202egnp.json" in {each["file"] for each in done.json["unranked"]}
    assert "\u202e" not in tito("leaderboard", ".").out


def test_a_report_is_written_and_replaced_and_is_no_submission_itself(folder: Path, tito) -> None:
    for _ in range(2):
        assert tito("leaderboard", ".", "--json", "-o", "ranking.json").code == 0

    document = json.loads(Path("ranking.json").read_text())
    assert [each["file"] for each in document["unranked"]] == ["notes.json"]
    assert tito("leaderboard", ".", "-o", "ada.json").code == 2


def test_a_class_s_own_rules_judge_what_was_made_under_others_anew(folder: Path, tito) -> None:
    """With the spread of its machines every interval is wider."""
    Path("ours.toml").write_text('extends = "2.3"\nversion = "mine"\n[significance]\nsession_spread = 0.02\n')
    theirs, ours = (tito("leaderboard", ".", *rules, "--json").json for rules in (["--rules", "ours.toml"], []))
    (first, *_), (before, *_) = (found["rankings"][0]["rows"] for found in (theirs, ours))

    assert (first["file"], first["value"]) == (before["file"], before["value"])
    assert first["shown"] < before["shown"]


def test_a_pipe_is_read_once(folder: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there is an index, beside which a file is read, and then read again to be judged."""
    tito("leaderboard", ".")
    content = handed_in(folder, "zoe", 9, file="zoe.txt").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))

    (ranking,) = tito("leaderboard", "-", "bob.json", "--json").json["rankings"]
    assert {row["file"] for row in ranking["rows"]} == {"bob.json", "-"}


def test_copies_between_athletes_are_told(folder: Path, tito) -> None:
    handed_in(folder, "mallory", 2)
    rows = tito("leaderboard", ".", "--json").json["rankings"][0]["rows"]

    assert {row["athlete_name"]: row["warnings"] for row in rows}["mallory"] == ["TO-B01"]


def test_a_file_whose_name_is_no_unicode_is_written_safely(folder: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into the index, too, and found there again."""
    monkeypatch.setattr("tito.workspace.index.YOUNG_NS", 0)
    handed_in(folder, "zoe", 5, file=os.fsdecode(b"z\xff.json"))

    for _ in range(2):
        rows = tito("leaderboard", ".", "--json").json["rankings"][0]["rows"]
        assert "z\\udcff.json" in {row["file"] for row in rows}


@pytest.mark.parametrize("command", ["leaderboard", "compare"])
def test_it_is_readable_in_sixty_columns_of_ascii(folder: Path, command: str) -> None:
    for name, run in (("run-a.json", make_run()), ("run-b.json", later())):
        (folder / name).write_text(RunFile.text(run))
    names = ["."] if command == "leaderboard" else ["run-a.json", "run-b.json"]
    narrow = {**os.environ, "COLUMNS": "60", "NO_COLOR": "1", "PYTHONIOENCODING": "ascii", "TERM": "dumb"}
    program = [sys.executable, "-c", "from tito.start import main; main()", "olympics", command, *names]
    done = subprocess.run(program, env=narrow, capture_output=True, check=True)
    lines = done.stdout.decode("ascii").splitlines()

    assert [line for line in lines if len(line) > 60] == []
    assert done.stderr == b""


def test_a_wrong_name_and_an_empty_folder_are_a_wrong_call(folder: Path, tito) -> None:
    Path("empty").mkdir()
    for command in ("leaderboard", "report"):
        for name in ("nowhere/", "empty"):
            done = tito(command, name)

            assert (done.code, "mend:" in done.err, "there is no submission at" in done.err) == (2, True, True)


def test_the_example_is_a_class_of_synthetic_submissions(beginner: Path, tito) -> None:
    done = tito("leaderboard", "--example", "--json")
    names = [row["athlete_name"] for each in done.json["rankings"] for row in each["rows"]]

    assert (done.code, len(names), len(done.json["missing"])) == (0, 10, 2)
    assert all(name.startswith("Synthetic ") for name in names)
    assert "handed in by nobody" in done.err
    assert list(beginner.glob("*.json")) == []


def test_a_csv_may_begin_as_excel_likes_it(folder: Path, tito) -> None:
    tito("leaderboard", ".", "--format", "csv", "--bom", "-o", "board.csv")

    assert Path("board.csv").read_bytes().startswith(b"\xef\xbb\xbfevent,")
    assert tito("leaderboard", ".", "--format", "csv", "-o", "board.csv").code == 0  # it is known as ours
