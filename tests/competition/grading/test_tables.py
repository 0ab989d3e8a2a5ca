"""Tables of a platform: what is read, and what is refused with the line that is wrong."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.competition.grading.roster import read_roster
from tinytorch.competition.grading.tables import rows
from tinytorch.competition.grading.times import moment, read_times
from tinytorch.competition.record.people import Athlete, athlete_of
from tinytorch.errors import UsageError


@pytest.fixture
def table(tmp_path: Path):
    """Writes a CSV file and gives its path."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_columns_are_found_by_their_names_in_any_order_and_others_passed_over(table) -> None:
    """As Excel writes them, with its mark and its line ends, and with empty lines."""
    path = table(b'\xef\xbb\xbfName,E-mail,ID\r\nAda,a@example.org,17\r\n,,\r\n"Lovelace, Ada",,23\r\n')

    assert [cells for _, cells in rows(path, {"id": ("id",), "name": ("name",)}, "")] == [
        ["17", "Ada"],
        ["23", "Lovelace, Ada"],
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("name\nAda\n", "no column 'id'"),
        ("id,id,name\n", "its headings are id, id, name: two columns 'id'"),
        ("login,mark\n", "its headings are login, mark: no column 'id'"),
        ("id,name\n17,\n", "line 2: name is empty"),
        ("id,name\n17\n", "line 2: name is empty"),
        ("id,name\n17,\u200b\n", "name is empty"),
        ("id,name\n17,A\x1b[31m\n", "cannot be shown: A"),
        ('id,name\n17,"Ada\n', "is no CSV"),
        (b"id,name\n17,\xff\n", "not UTF-8: byte 11"),
        ("id,name\n17,Ada\n17 ,Bob\n", "the id of line 3 stands in line 2 already"),
        ("id,name\n" + "x" * 101 + ",Ada\n", "line 2: id has 101 characters"),
        ("id,name\n\n", "nobody is in it"),
    ],
)  # fmt: skip
def test_a_roster_that_is_wrong_is_refused_with_its_place(table, content: str | bytes, words: str) -> None:
    with pytest.raises(UsageError, match=r"table\.csv") as caught:
        read_roster(table(content))

    assert words in caught.value.message
    assert caught.value.mend


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_roster(tmp_path / "none.csv")


@given(st.text(max_size=200))
def test_any_text_is_a_roster_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(text.encode("utf-8", "replace"))
    with contextlib.suppress(UsageError):
        assert read_roster(path).people


@pytest.fixture
def roster(table):
    """Two of one name, and one alone."""
    return read_roster(table("id,name\n17,Ada\n23,Ada\n42,Bob\n"))


@pytest.mark.parametrize(
    "content",
    ["id;name\r\n17;Ada\r\n;;\r\n;Bob\r\n", "ID number\tFull name\n17\tAda\n\tBob\n",
     "Student,ID,SIS User ID\nAda,17,a17\nBob,,\n"],
)  # fmt: skip
def test_a_roster_is_read_as_platforms_write_it(table, content: str) -> None:
    """With semicolons or tabs, under their headings, and with somebody who has no id."""
    assert [(each.name, each.id) for each in read_roster(table(content)).people] == [("Ada", "17"), ("Bob", None)]


@pytest.mark.parametrize(
    ("name", "id_", "words"),
    [
        ("Ada", "17", ""),
        ("bob", None, ""),
        ("Eve", "17", "Eve has the id of Ada: their points are Ada's"),
        ("Bob", "99", "Bob is on the roster with the id 42, and not with 99"),
        ("Ada", None, "2 on the roster are called Ada: an id is needed, 17 or 23"),
        ("Bobb", None, "Bobb is not on the roster; is it Bob?"),
        ("Mallory", "1", "Mallory is not on the roster"),
    ],
)
def test_what_does_not_fit_the_roster_is_said(roster, name: str, id_: str | None, words: str) -> None:
    assert "".join(roster.doubts(athlete_of(name, id_))) == words


def test_times_without_files_and_files_without_times_are_known(table) -> None:
    times = read_times(table("file,time\nada.json,2026-12-15T18:00Z\nbbo.json,2026-12-15T18:00Z\n"))

    assert times.unmatched(["class/ada.json", "class/bob.json"]) == (["bbo.json"], ["class/bob.json"])


def test_an_id_finds_somebody_and_a_name_only_where_it_is_one_s_alone(roster) -> None:
    def ids(*who: object) -> list[str | None]:
        return [each.id for each in roster.members_of(athlete_of(*who))]

    assert ids("Whoever", "23") == ["23"]
    assert ids("BOB") == ["42"]
    assert ids("Ada") == []
    assert ids("Bob", "99") == []
    assert ids(["Bob", "Ada"], ["42", "17"]) == ["42", "17"]


def test_who_forgot_an_id_is_the_same_athlete_as_with_it(roster) -> None:
    assert roster.whose(Athlete(name="bob")) == roster.whose(athlete_of("Robert", "42"))
    assert roster.whose(Athlete(name="Ada")) != roster.whose(athlete_of("Ada", "17"))


def test_a_platform_s_time_beats_the_file_s(table, tmp_path: Path) -> None:
    times = read_times(table("file,time\nada.json,2026-12-15T18:00:00+01:00\n"))
    (tmp_path / "bob.json").write_text("{}")

    assert times.handed_in(str(tmp_path / "ada.json")) == datetime(2026, 12, 15, 17, tzinfo=UTC)
    assert times.handed_in(str(tmp_path / "bob.json")).year >= 2026
    assert times.handed_in(str(tmp_path / "none.json")) is None


@pytest.mark.parametrize(
    ("source", "hour"),
    [("x/class/ada/submission.json", 1), ("bob/submission.json", 2), ("submission.json", None), ("y/only.json", 3),
     ("/only.json", 3), ("eve/submission.json", None)],
)  # fmt: skip
def test_files_of_one_name_are_told_by_their_folders(table, source: str, hour: int | None) -> None:
    """Whichever of both paths is the longer."""
    named = ("class/ada/submission.json", "class/bob/submission.json", "only.json")
    lines = "".join(f"{name},2026-12-15T0{number}:00Z\n" for number, name in enumerate(named, 1))
    found = read_times(table(f"file,time\n{lines}")).received(source)

    assert (found.hour if found else None) == hour


@pytest.mark.parametrize("time", ["tomorrow", "2026-12-15T18:00:00", "2026-12-15", "0001-01-01T00:00:00+23:00"])
def test_a_moment_needs_its_zone(time: str) -> None:
    with pytest.raises(UsageError, match="no time"):
        moment(time)


def test_a_folder_that_all_paths_have_in_common_may_lie_elsewhere(table) -> None:
    times = read_times(table("file,time\nclass/ada/s.json,2026-12-15T01:00Z\nclass/bob/s.json,2026-12-15T02:00Z\n"))

    assert [times.received(f"nest/{name}/s.json").hour for name in ("ada", "bob")] == [1, 2]
    assert times.received("nest/eve/s.json") is None


def test_a_name_is_one_however_a_disk_writes_its_accents(table) -> None:
    times = read_times(table("file,time\nJos\u00e9.json,2026-12-15T01:00Z\n"))

    assert times.received("class/Jose\u0301.json").hour == 1


def test_a_file_has_one_time(table) -> None:
    with pytest.raises(UsageError, match=r"line 3: a\.json was named before"):
        read_times(table("file,time\na.json,2026-12-15T18:00Z\na.json,2026-12-15T19:00Z\n"))
