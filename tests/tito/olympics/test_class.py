"""A class as an instructor runs it: its file, its roster, a deadline, grades, names that are hidden."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest

from tests.tito.class_folder import handed_in

CLASS = """
title = "ML systems"
task = "digits_mlp"
events = ["latency_sprint"]
points = { "1x" = 0, "5x" = 100 }
"""


@pytest.fixture
def folder(beginner: Path) -> Path:
    """Two athletes with ids, a team, a stranger, and the class's files."""
    place = beginner / "class"
    place.mkdir()
    handed_in(place, "Ada", 2, id_="17")
    handed_in(place, ["Bob", "Cleo"], 3, id_=["23", "42"], file="team.json")
    handed_in(place, "Eve", 4, typical_ns=400_000)
    (place / "class.toml").write_text(CLASS)
    (beginner / "roster.csv").write_text("id,name\n17,Ada\n23,Bob\n42,Cleo\n99,Dora\n")
    return place


def rows(text: str) -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in csv.DictReader(io.StringIO(text))}


def test_everybody_on_the_roster_has_a_line_with_points(folder: Path, tito) -> None:
    done = tito("grade", "class", "--roster", "roster.csv", "-o", "grades.csv")
    found = rows(Path("grades.csv").read_text())

    assert done.code == 0
    assert "by class/class.toml" in done.err
    assert "warning: class/Eve.json: Eve is not on the roster" in done.err
    assert list(found) == ["Ada", "Bob", "Cleo", "Dora"]
    assert found["Bob"]["points"] == found["Cleo"]["points"] != "0.0"
    assert (found["Dora"]["points"], found["Dora"]["latency_sprint_reason"]) == ("0.0", "not handed in")
    assert float(found["Ada"]["points"]) == pytest.approx(
        25 * (float(found["Ada"]["latency_sprint_shown"]) - 1), abs=0.01
    )


def test_grades_are_a_table_and_a_document_too(folder: Path, tito) -> None:
    shown = tito("grade", "class", "--roster", "roster.csv").out
    document = tito("grade", "class", "--roster", "roster.csv", "--json").json

    assert {"17", "Ada", "Dora", "not handed in"} <= {
        word.strip() for line in shown.splitlines() for word in line.split("  ")
    }
    assert [each["name"] for each in document["grades"]] == ["Ada", "Bob", "Cleo", "Dora"]
    assert tito("grade", "class", "-o", "grades.csv").code == tito("grade", "class", "-o", "grades.csv").code == 0


def test_a_class_without_points_cannot_be_graded(folder: Path, tito) -> None:
    (folder / "class.toml").write_text('title = "x"')
    done = tito("grade", "class")

    assert (done.code, "write points into class.toml" in done.err) == (2, True)


def test_the_class_is_found_by_a_variable_too(folder: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is named beats it."""
    (folder / "class.toml").rename("theirs.toml")
    Path("ours.toml").write_text(CLASS.replace("ML systems", "Ours"))
    monkeypatch.setenv("TITO_CLASS", "theirs.toml")

    assert tito("leaderboard", "class", "--json").json["title"] == "ML systems"
    assert tito("leaderboard", "class", "--class", "ours.toml", "--json").json["title"] == "Ours"
    assert tito("leaderboard", "class", "--title", "Mine", "--json").json["title"] == "Mine"


def test_a_board_tells_who_has_no_rank_and_who_is_a_stranger(folder: Path, tito) -> None:
    document = tito("leaderboard", "class", "--roster", "roster.csv", "--json").json
    lines = list(
        csv.DictReader(io.StringIO(tito("leaderboard", "class", "--roster", "roster.csv", "--format", "csv").out))
    )

    assert document["missing"] == [{"athlete_id": "99", "athlete_name": "Dora"}]
    assert document["doubts"] == ["class/Eve.json: Eve is not on the roster"]
    assert {row["athlete_id"] for row in lines} == {"17", "23; 42", "", "99"}
    assert "in the class, without a rank (1): Dora" in tito("leaderboard", "class", "--roster", "roster.csv").out


def test_what_is_late_by_the_platform_s_time_does_not_count(folder: Path, tito) -> None:
    times = "".join(f"{name},2026-12-15T{hour}:00:00Z\n" for name, hour in (("Ada.json", 12), ("team.json", 18)))
    Path("times.csv").write_text(f"file,time\n{times}")
    os.utime(folder / "Eve.json", (1e9, 1e9))  # as the file's system says
    document = tito("leaderboard", "class", "--times", "times.csv", "--until", "2026-12-15T17:00Z", "--json").json

    assert [row["file"] for row in document["rankings"][0]["rows"]] == ["class/Ada.json", "class/Eve.json"]
    assert document["unranked"][0]["reason"] == "handed in 1 hour too late, on 2026-12-15 18:00 UTC"


@pytest.mark.parametrize("command", ["leaderboard", "report"])
def test_names_may_be_hidden(folder: Path, tito, command: str) -> None:
    """Pseudonyms stay, and only the key file tells whose they are."""
    first, second = (tito(command, "class", "--names", "pseudonyms", "-o", name) for name in ("a.html", "b.html"))
    key = {
        row["pseudonym"]: row["name"] for row in csv.DictReader(io.StringIO(Path("class/pseudonyms.csv").read_text()))
    }
    shown = Path("b.html").read_text("utf-8")

    assert "names are hidden, and files without a rank are left out" in first.err
    assert ("new pseudonyms: 3" in first.err, "new pseudonyms" in second.err) == (True, False)
    assert set(key.values()) == {"Ada", "Bob, Cleo", "Eve"}
    assert all(pseudonym in shown for pseudonym in key)
    assert [
        name for name in ("Ada", "Bob", "Cleo", "Eve", "team.json", "prune") if re.search(rf"\b{name}\b", shown)
    ] == []


@pytest.mark.parametrize("options", [["--names", "some"], ["--until", "tomorrow"], ["--roster", "none.csv"],
                                     ["--times", "none.csv"], ["--class", "none.toml"]])  # fmt: skip
def test_a_wrong_option_is_a_wrong_call(folder: Path, tito, options: list[str]) -> None:
    done = tito("leaderboard", "class", *options)

    assert (done.code, "mend:" in done.err) == (2, True)


@pytest.mark.parametrize("format_", ["gradescope", "junit"])
def test_formats_of_platforms_carry_the_points(folder: Path, tito, format_: str) -> None:
    (folder / "class.toml").write_text(CLASS.replace('"5x" = 100', '"2x" = 7'))
    text = tito("validate", "class/Ada.json", "--class", "class/class.toml", "--format", format_).out

    if format_ == "junit":
        assert '<property name="points" value="7" /><property name="most_points" value="7" />' in text
        return
    document = json.loads(text)
    assert (document["score"], "7 of 7 points: speedup of" in document["output"]) == (7, True)


def test_one_who_forgot_an_id_has_one_pseudonym_in_all_rankings(folder: Path, tito) -> None:
    """The roster tells."""
    handed_in(folder, "Ada", 9, "memory_challenge", "small.json")
    for options in ([], ["--class", "none.toml"]):
        Path("none.toml").write_text("")
        tito("leaderboard", "class", "--roster", "roster.csv", "--names", "pseudonyms", *options)

    assert [row["name"] for row in csv.DictReader(io.StringIO(Path("class/pseudonyms.csv").read_text()))].count(
        "Ada"
    ) == 1


@pytest.mark.parametrize("first", ["Ada.json", "mallory.json"])
def test_of_two_copies_the_one_that_the_platform_received_later_is_marked(folder: Path, tito, first: str) -> None:
    handed_in(folder, "Mallory", 2, file="mallory.json")
    lines = [f"{name},2026-12-15T1{name != first:d}:00:00Z" for name in ("Ada.json", "mallory.json")]
    Path("times.csv").write_text("\n".join(["file,time", *lines]))
    (ranking,) = tito("leaderboard", "class", "--times", "times.csv", "--json").json["rankings"]
    marked = {Path(row["file"]).name for row in ranking["rows"] if "TO-B01" in row["warnings"]}

    assert marked == {"Ada.json", "mallory.json"} - {first}


def test_points_by_rank_are_none_of_one_file(folder: Path, tito) -> None:
    (folder / "class.toml").write_text(CLASS.replace('"1x" = 0, "5x" = 100', '"rank 1" = 100, "rank 9" = 0'))
    refused, told = (tito("validate", "class/Ada.json", "--class", "class/class.toml", "--format", format_)
                     for format_ in ("gradescope", "json"))  # fmt: skip

    assert (refused.code, "tito olympics grade, which sees the whole class" in refused.err) == (2, True)
    assert told.json["results"][0]["points"] is None


def test_files_of_options_are_found_beside_the_example_too(folder: Path, tito) -> None:
    assert tito("grade", "--example", "--class", "class/class.toml").code == 1  # it is for another task
    assert tito("leaderboard", "--example", "--roster", "roster.csv").code == 0


def test_a_link_to_the_key_stays_one(folder: Path, tito) -> None:
    Path("kept.csv").touch()
    Path("key.csv").symlink_to("kept.csv")
    tito("leaderboard", "class", "--names", "pseudonyms", "--key", "key.csv")

    assert Path("key.csv").is_symlink()
    assert Path("kept.csv").read_text().startswith("pseudonym,key,name\n")


def test_the_page_counts_people_and_says_until_when(folder: Path, tito) -> None:
    """Also where their names are hidden."""
    tito("report", "class", "--names", "none", "--until", "2098-12-15T17:00Z")
    text = Path("report.html").read_text("utf-8")

    assert "Athletes: 3." in text
    assert "What was handed in until 2098-12-15 17:00 UTC counts." in text
    assert "until 2098-12-15 17:00 UTC counts" in tito("leaderboard", "class", "--until", "2098-12-15T17:00Z").out


def test_the_board_has_the_roster_s_names(folder: Path, tito) -> None:
    handed_in(folder, "Bob Cheats", 7, id_="17", file="Ada.json")
    (ranking,) = tito("leaderboard", "class", "--roster", "roster.csv", "--json").json["rankings"]

    assert {row["athlete_name"] for row in ranking["rows"]} == {"Ada", "Bob, Cleo", "Eve"}


def test_a_table_of_times_that_does_not_fit_is_said(folder: Path, tito) -> None:
    Path("times.csv").write_text("file,time\nAda.json,2026-12-15T12:00Z\nnobody.json,2026-12-15T12:00Z\n")
    said = tito("leaderboard", "class", "--times", "times.csv").err

    assert "1 files are not there, such as nobody.json" in said
    assert "2 files have no line there, and count by their time on this disk, such as class/" in said


@pytest.mark.parametrize("command", ["validate", "leaderboard"])
def test_a_copy_under_its_owner_s_name_is_known_by_the_roster_and_the_platform_s_times(
    folder: Path, tito, command: str
) -> None:
    """Dora's own id, Ada's name, and a time of her own that is earlier."""
    handed_in(folder, "Ada", 2)
    handed_in(folder, "Ada", 2, id_="99", file="dora.json")
    (folder / "class.toml").write_text(f'{CLASS}roster = "../roster.csv"\ntimes = "../times.csv"\n')
    for first, second in (("Ada.json", "dora.json"), ("dora.json", "Ada.json")):
        Path("times.csv").write_text(f"file,time\n{first},2026-12-15T12:00Z\n{second},2026-12-15T13:00Z\n")
        found = tito(command, "class", "--json").json
        rows = found["results"] if command == "validate" else found["rankings"][0]["rows"]
        marked = {Path(row["file"]).name for row in rows if "TO-B01" in _failed(row)}

        assert marked == {second}


def _failed(row: dict) -> list[str]:
    return row.get("warnings") or [check["id"] for check in row.get("checks", []) if check["passed"] is False]


def test_a_folder_for_each_student_is_read(folder: Path, tito) -> None:
    for path in [*folder.glob("*.json")]:
        place = folder / path.stem
        place.mkdir()
        path.rename(place / "submission.json")
    found = tito("leaderboard", "class", "--json")

    assert "by class/class.toml" in found.err
    assert {row["file"] for row in found.json["rankings"][0]["rows"]} >= {"class/Ada/submission.json"}


def test_a_class_s_file_beside_a_single_file_is_told_and_not_used(folder: Path, tito) -> None:
    """It may be the student's own."""
    done = tito("leaderboard", "class/Ada.json", "--json")

    assert (done.code, done.json["title"]) == (0, None)
    assert "class/class.toml is not used: name the folder, or the file with --class" in done.err


def test_points_of_another_unit_are_refused_for_one_file_too(folder: Path, tito) -> None:
    (folder / "class.toml").write_text(CLASS.replace('"1x" = 0, "5x" = 100', '"85 %" = 0, "90 %" = 100'))
    done = tito("validate", "class/Ada.json", "--class", "class/class.toml", "--format", "gradescope")

    assert (done.code, "points of latency_sprint stand at another unit" in done.err) == (2, True)
