"""The index: a second call reads only what is new, and nothing depends on it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packages import Packages
from tests.tito.class_folder import handed_in
from tinytorch.competition.rules.events import load_rules
from tito.olympics import collecting
from tito.workspace import index
from tito.workspace.index import Index

FILE = Path("cache/index.sqlite3")
RULES = load_rules()


@pytest.fixture
def folder(beginner: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two athletes; files count as settled at once."""
    monkeypatch.setattr("tito.workspace.index.YOUNG_NS", 0)
    monkeypatch.setenv("TITO_CACHE", str(beginner / "cache"))
    handed_in(beginner, "ada", 2)
    handed_in(beginner, "bob", 3)
    return beginner


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was read and what was judged since."""
    done: list[str] = []
    read, examine = collecting.submissions.read, collecting.judge
    monkeypatch.setattr(
        collecting.submissions, "read", lambda path: done.append(f"read {Path(path).name}") or read(path)
    )
    monkeypatch.setattr(collecting, "judge", lambda *given: done.append("judged") or examine(*given))
    return done


def test_the_second_call_reads_nothing_and_says_the_same(folder: Path, tito, work: list[str]) -> None:
    first = tito("leaderboard", ".", "--json")
    assert sorted(work) == ["judged", "judged", "read ada.json", "read bob.json"]
    work.clear()

    assert tito("leaderboard", ".", "--json") == first
    assert work == []


def test_only_what_is_new_is_read(folder: Path, tito, work: list[str]) -> None:
    tito("leaderboard", ".")
    handed_in(folder, "eve", 4)
    work.clear()

    assert len(tito("leaderboard", ".", "--json").json["rankings"][0]["rows"]) == 3
    assert {*work} == {"read eve.json", "judged"}


def test_a_file_that_was_changed_is_judged_again(folder: Path, tito) -> None:
    tito("leaderboard", ".")
    path = folder / "ada.json"
    path.write_text(path.read_text().replace('"name": "ada"', '"name": "Ada"'))

    assert "digest" in tito("leaderboard", ".", "--json").json["unranked"][0]["reason"]


def test_a_file_that_was_moved_is_read_and_not_judged(folder: Path, tito, work: list[str]) -> None:
    tito("leaderboard", ".")
    (folder / "ada.json").rename(folder / "zoe.json")
    work.clear()
    tito("leaderboard", ".")

    assert work == ["read zoe.json"]


def test_a_file_that_was_just_written_is_read_again(folder: Path, tito, work: list[str], monkeypatch) -> None:
    """Its next change could fall into the same tick of the file system."""
    monkeypatch.setattr("tito.workspace.index.YOUNG_NS", 10**18)
    tito("leaderboard", ".")
    work.clear()
    tito("leaderboard", ".")

    assert sorted(work) == ["read ada.json", "read bob.json"]


def test_other_rules_are_judged_by_anew(folder: Path, tito, work: list[str]) -> None:
    tito("leaderboard", ".")
    work.clear()
    Path("ours.toml").write_text('extends = "2.3"\nversion = "mine"\n[significance]\nsession_spread = 0.02\n')
    tito("leaderboard", ".", "--rules", "ours.toml")

    assert work.count("judged") == 2


def test_other_code_judges_anew(folder: Path, tito, work: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """And what the former code said is forgotten."""
    tito("leaderboard", ".")
    work.clear()
    monkeypatch.setattr("tito.workspace.index._judge", lambda: "f" * 64)
    tito("leaderboard", ".")

    assert work.count("judged") == 2
    assert sqlite3.connect(FILE).execute("SELECT DISTINCT judge FROM contents").fetchall() == [("f" * 64,)]


@pytest.mark.parametrize("part", ["showing.py", "competition/rules/rules.toml", "benchmarking/records/samples.py"])
def test_all_that_decides_counts_as_the_judge(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, path = index._judge(), Path(index.tinytorch.__file__).parent / part
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: b"other" if self == path else read(self))

    assert index._judge() != before


@pytest.mark.parametrize("package", ["numpy", "scipy", "pydantic", "pydantic_core"])
def test_a_package_that_computes_counts_as_the_judge(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, version = index._judge(), index.version
    monkeypatch.setattr(index, "version", lambda name: "99.9" if name == package else version(name))

    assert index._judge() != before


def test_what_cannot_be_read_is_never_kept(folder: Path, tito) -> None:
    """It is listed, and when it is there it is ranked."""
    assert "cannot be read" in tito("leaderboard", "ada.json", "eve.json", "--json").json["unranked"][0]["reason"]
    handed_in(folder, "eve", 4)

    assert tito("leaderboard", "eve.json").code == 0


def overwritten(content: bytes) -> bytes:
    return b"this is no database" * 100


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("damage", [overwritten, truncated])
def test_a_damaged_index_is_made_anew_with_a_word(folder: Path, tito, damage) -> None:
    first = tito("leaderboard", ".", "--json")
    FILE.write_bytes(damage(FILE.read_bytes()))
    again = tito("leaderboard", ".", "--json")

    assert again.json == first.json
    assert "is made anew" in again.err
    assert tito("leaderboard", ".", "--json").err == ""


def test_an_index_that_came_along_with_submissions_is_not_looked_at(folder: Path, tito) -> None:
    """It could say of them what it likes, and grow: it lies in the user's cache, and nowhere else."""
    (folder / ".tito" / "olympics").mkdir(parents=True)
    brought = folder / ".tito" / "olympics" / "index.sqlite3"
    brought.write_text("theirs")
    done = tito("leaderboard", ".")

    assert (done.code, done.err, brought.read_text()) == (0, "", "theirs")


@pytest.mark.parametrize("column", ["stamp", "sha256"])
def test_a_row_of_another_type_is_damage(folder: Path, tito, column: str) -> None:
    """Sqlite keeps what it is given."""
    tito("leaderboard", ".")
    with sqlite3.connect(FILE) as connection:
        connection.execute(f"UPDATE files SET {column} = x'07'")

    assert "is made anew" in tito("leaderboard", ".").err


def test_without_a_place_for_the_index_every_file_is_read(folder: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("")
    monkeypatch.setenv("TITO_CACHE", str(folder / "file"))
    done = tito("leaderboard", "ada.json")

    assert (done.code, "cannot be used, and every file is read" in done.err) == (0, True)


def test_a_row_of_another_content_is_damage(folder: Path, tito) -> None:
    tito("leaderboard", ".")
    with sqlite3.connect(FILE) as connection:
        connection.execute("UPDATE contents SET judged = (SELECT judged FROM contents LIMIT 1)")
    done = tito("leaderboard", ".", "--json")

    assert "is made anew" in done.err
    assert len(done.json["rankings"][0]["rows"]) == 2


def test_an_index_that_is_damaged_again_and_again_is_done_without(folder: Path, tito, monkeypatch) -> None:
    """Another program that shares the cache takes its rows away, say."""
    unchanged = Index.unchanged

    def damaged(self: Index, stamps: dict[str, str]) -> dict[str, str]:
        return unchanged(self, stamps) if self.path == index.TEMPORARY else dict.fromkeys(stamps, "x")

    monkeypatch.setattr(Index, "unchanged", damaged)
    done = tito("leaderboard", ".", "--json")

    assert "cannot be used, and every file is read" in done.err
    assert len(done.json["rankings"][0]["rows"]) == 2


def test_an_index_of_another_version_is_made_anew(folder: Path, tito) -> None:
    tito("leaderboard", ".")
    sqlite3.connect(FILE).execute("PRAGMA user_version = 99")
    done = tito("leaderboard", ".")

    assert (done.code, "it is of version 99, ours is 2" in done.err) == (0, True)


def test_a_judged_content_that_another_caller_took_away_is_made_again(folder: Path, tito, monkeypatch) -> None:
    """Of another version of our code, say, which forgets what it did not judge."""
    tito("leaderboard", ".")
    known = Index.unchanged

    def taken(self: Index, stamps: dict[str, str]) -> dict[str, str]:
        found = known(self, stamps)
        sqlite3.connect(FILE).executescript("DELETE FROM contents")
        monkeypatch.setattr(Index, "unchanged", known)
        return found

    monkeypatch.setattr(Index, "unchanged", taken)
    done = tito("leaderboard", ".", "--json")

    assert len(done.json["rankings"][0]["rows"]) == 2
    assert "a judged content is gone" in done.err


def test_an_index_with_other_tables_is_made_anew(folder: Path, tito) -> None:
    tito("leaderboard", ".")
    with sqlite3.connect(FILE) as connection:
        connection.execute("ALTER TABLE contents RENAME COLUMN judged TO wax")

    assert "is made anew" in tito("leaderboard", ".").err


def test_an_index_that_another_one_holds_is_done_without(folder: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    tito("leaderboard", ".")
    monkeypatch.setattr("tito.workspace.index.BUSY_LIMIT_S", 0.0)
    held = sqlite3.connect(FILE)
    held.execute("BEGIN EXCLUSIVE")

    assert "cannot be used, and every file is read: database is locked" in tito("leaderboard", ".").err
    held.close()
    assert tito("leaderboard", ".").err == ""


def test_a_pipe_beside_the_index_is_not_waited_for(folder: Path, tito) -> None:
    tito("leaderboard", ".")
    os.mkfifo(f"{FILE}-journal")

    assert "is no regular file: remove it" in tito("leaderboard", ".").err


def collected(names: list[str]) -> int:
    found = index.using(RULES.sha256, lambda each: collecting.collect(names, RULES, each))
    return sum(each.figures is not None for each in found)


def test_two_callers_at_once_do_not_disturb_each_other(folder: Path) -> None:
    """From nothing: both make the index, both write it."""
    command = [sys.executable, "-c", "from tito.start import main; main()", "olympics", "leaderboard", ".", "--json"]
    callers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    (first, first_said), (second, second_said) = (caller.communicate() for caller in callers)

    assert [caller.returncode for caller in callers] == [0, 0]
    assert (first, first_said) == (second, second_said)
    assert first_said == b""


def test_many_keys_are_asked_for_in_several_queries(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tito.workspace.index.ROWS_PER_QUERY", 1)

    assert (collected(["ada.json", "bob.json"]), collected(["ada.json", "bob.json"])) == (2, 2)


@pytest.mark.parametrize("at_once", [1, 200])
def test_an_interrupt_keeps_what_was_judged_before(folder: Path, tito, work: list[str], monkeypatch, at_once) -> None:
    """And says so."""
    monkeypatch.setattr(collecting, "AT_ONCE", at_once)
    judged, calls = collecting.judge, iter([None, KeyboardInterrupt])

    def interrupted(*given: object) -> object:
        error = next(calls)
        if error:
            raise error
        return judged(*given)

    with monkeypatch.context() as patched:
        patched.setattr(collecting, "judge", interrupted)
        done = tito("leaderboard", ".")
    assert (done.code, "interrupted: what was judged is kept in" in done.err) == (130, True)
    work.clear()

    assert tito("leaderboard", ".").code == 0
    assert work.count("judged") == 1


def test_the_stamp_of_a_file_tells_its_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None where there is none, and another after each change."""
    monkeypatch.setattr("tito.workspace.index.YOUNG_NS", 0)
    path = tmp_path / "file"
    assert index.stamp(path) is None
    path.write_text("a")
    first = index.stamp(path)
    path.write_text("bc")

    assert first is not None
    assert index.stamp(path) != first


def test_an_index_in_memory_goes_away(folder: Path) -> None:
    found = Index(index.TEMPORARY, RULES.sha256)

    assert found.is_empty
    found.close()


def test_what_a_package_s_check_says_is_kept_for_as_long_as_its_files_stay(packages: Packages, tmp_path: Path) -> None:
    packages.install("campus", "CHECK = 1\n", {("checks", "club"): "CHECK"})
    before = index._judge()
    (tmp_path / "packages" / "campus.py").write_text("CHECK = 2\n")

    assert index._judge() != before


@pytest.fixture
def ranked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entries had their ranks looked for; the sets of two are kept."""
    done: list[int] = []
    find = index.rank_sets
    monkeypatch.setattr(index, "FEWEST_KEPT", 2)
    monkeypatch.setattr(index, "rank_sets", lambda entries, rules: done.append(len(entries)) or find(entries, rules))
    return done


def test_the_ranks_of_the_same_entries_are_found_once(folder: Path, tito, ranked: list[int]) -> None:
    first = tito("leaderboard", ".", "--json")
    assert tito("leaderboard", ".", "--json") == first
    assert ranked == [2]
    handed_in(folder, "eve", 4)
    tito("leaderboard", ".")

    assert ranked == [2, 3]


@pytest.mark.parametrize("damage", ["[]", "[[1, 2]]", "no json"])
def test_ranks_that_are_damaged_are_found_anew(folder: Path, tito, ranked: list[int], damage: str) -> None:
    first = tito("leaderboard", ".", "--json")
    with sqlite3.connect(FILE) as connection:
        connection.execute("UPDATE rankings SET sets = ?", (damage,))
    again = tito("leaderboard", ".", "--json")

    assert again.json == first.json
    assert "is made anew" in again.err
    assert ranked == [2, 2]


def test_only_the_latest_rankings_are_kept(folder: Path, tito, ranked: list[int], monkeypatch) -> None:
    monkeypatch.setattr(index, "MOST_RANKINGS", 1)
    tito("leaderboard", ".")
    handed_in(folder, "eve", 4)
    tito("leaderboard", ".")
    with sqlite3.connect(FILE) as connection:
        assert connection.execute("SELECT count(*) FROM rankings").fetchone() == (1,)
    tito("leaderboard", ".")

    assert ranked == [2, 3]
