"""A class that several machines share: shards, and what they left in one folder or in several."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.competition.checks.test_shift import canary
from tests.competition.conftest import make_run
from tests.tito.olympics.test_verify import Measured, handed_in, measured  # noqa: F401 - the fixture
from tinytorch.competition.checks.shift import Machine
from tinytorch.errors import RunError
from tinytorch.harness.referee import cluster
from tinytorch.harness.referee.turns import Done, Piece, one_turn
from tito.olympics import on_shift, rerunning
from tito.workspace.verified import SHIFTS

LOCAL = "tcp://127.0.0.1:8786"
NAMES = ("ada", "bob", "eve", "fay", "gus")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, measured: Measured) -> list[float]:  # noqa: F811
    """What the known pair shows, one look after the other; five athletes have handed in."""
    ratios = [1.0] * 8

    def look(place: Any, told: Any) -> Any:
        return canary(ratios.pop(0), 8 - len(ratios))

    monkeypatch.setattr(on_shift, "canary", look)
    monkeypatch.setattr(on_shift, "_begun", set())
    for name in NAMES:
        handed_in(Path("class", name), name)
    return ratios


def shifts(folder: str = "verified") -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(Path(folder, SHIFTS).glob("*.json"))]


def test_shards_do_each_entry_once(looks: list[float], measured: Measured, tito) -> None:  # noqa: F811
    codes = [tito("verify", "class", "--shard", f"{number}/3").code for number in (1, 2, 3)]

    assert (codes, sorted(measured)) == ([0, 0, 0], sorted(NAMES))
    assert tito("verify", "--merge").code == 0


def test_the_known_pair_is_measured_at_the_beginning_and_the_end(looks: list[float], tito) -> None:
    tito("verify", "class", "--shard", "1/1")
    (shift,) = shifts()

    assert (len(shift["canaries"]), len(shift["records"]), len(looks)) == (2, 5, 6)


def test_a_shard_that_has_nothing_left_to_do_measures_nothing(looks: list[float], tito) -> None:
    tito("verify", "class", "--shard", "1/1")
    done = tito("verify", "class", "--shard", "1/1")

    assert (done.code, len(looks), "5 of 5 were verified before" in done.err) == (0, 6, True)


def test_a_pair_that_cannot_be_measured_is_said_and_the_entries_are_done(
    looks: list[float], measured: Measured, monkeypatch: pytest.MonkeyPatch, tito  # noqa: F811
) -> None:  # fmt: skip
    def fail(place: Any, told: Any) -> Any:
        raise RunError("no worker")

    monkeypatch.setattr(on_shift, "canary", fail)
    done = tito("verify", "class", "--shard", "1/1")

    assert (done.code, len(measured), "the known pair could not be measured: no worker" in done.err) == (0, 5, True)


def test_a_missing_shard_is_said(looks: list[float], tito) -> None:
    tito("verify", "class", "--shard", "1/2")
    done = tito("verify", "--merge")

    assert (done.code, "shard 2/2: 3 of 3 records are missing" in done.out) == (1, True)


def test_shards_in_folders_of_their_own_are_brought_into_one(looks: list[float], tito) -> None:
    for number in (1, 2):
        tito("verify", "class", "--shard", f"{number}/2", "-o", f"part{number}")
    done = tito("verify", "--merge", "part1", "part2", "--json")

    assert (done.code, len(done.json["records"]), done.json["wrong"]) == (0, 5, [])
    assert (
        tito("leaderboard", "class", "--verified", "verified", "--json").json["rankings"][0]["rows"][4]["trust"] == "T2"
    )


def test_both_halves_of_a_shift_are_united(looks: list[float], tito) -> None:
    tito("verify", "class", "--shard", "1/1", "-o", "whole")
    shutil.copytree("whole", "half")
    (path,) = Path("half", SHIFTS).glob("*.json")
    shift = json.loads(path.read_text())
    lost = sorted(shift["records"])[0]
    del shift["records"][lost], shift["canaries"][1]
    path.write_text(json.dumps(shift))
    tito("verify", "--merge", "whole", "half")
    (found,) = shifts()

    assert (len(found["records"]), len(found["canaries"])) == (5, 2)


def test_one_that_is_verified_again_on_one_machine_belongs_to_them(looks: list[float], tito) -> None:
    tito("verify", "class", "--shard", "1/1")
    id_ = next(Path("verified").glob("*.json")).stem
    tito("verify", "class", "--again", id_)

    assert (tito("verify", "--merge").code, len(shifts())) == (0, 2)


@pytest.mark.parametrize("folders", [("one", "two"), ("two", "one")])
def test_one_machine_s_two_folders_belong_together(looks: list[float], folders: tuple[str, str], tito) -> None:
    for folder in ("one", "two"):
        tito("verify", "class", "--shard", "1/1", "-o", folder)
        on_shift._begun.clear()

    assert tito("verify", "--merge", *folders, "-o", "all").code == 0


def test_a_copy_in_another_s_place_is_missing(looks: list[float], tito) -> None:
    tito("verify", "class", "--shard", "1/1")
    first, second = sorted(Path("verified").glob("*.json"))[:2]
    second.write_bytes(first.read_bytes())
    done = tito("verify", "--merge")

    assert (done.code, "shard 1/1: 1 of 5 records are missing" in done.out) == (1, True)


def test_a_shift_that_cannot_be_read_is_said(looks: list[float], tito) -> None:
    tito("verify", "class", "--shard", "1/2")
    tito("verify", "class", "--shard", "2/2")
    next(Path("verified", SHIFTS).glob("*.json")).write_text("{}")
    done = tito("verify", "--merge")

    assert (done.code, "of the files in shifts 1 cannot be read" in done.out) == (1, True)


def test_a_record_that_was_changed_is_neither_ranked_nor_taken_for_done(
    looks: list[float], measured: Measured, tito  # noqa: F811
) -> None:  # fmt: skip
    tito("verify", "class", "--shard", "1/1")
    record = next(Path("verified").glob("*.json"))
    record.write_text(record.read_text().replace('"took_s": ', '"took_s": 1'))
    board = tito("leaderboard", "class", "--verified", "verified")
    again = tito("verify", "class", "--shard", "1/1")

    assert "is not the file that a machine wrote; it is passed over" in board.err
    assert (again.code, len(measured), tito("verify", "--merge").code) == (0, 6, 0)


def test_other_settings_in_one_folder_are_said(looks: list[float], tito) -> None:
    tito("verify", "class", "--shard", "1/1", "--tier", "fast")
    done = tito("verify", "class")

    assert "verified has records by other settings (--tier, limits): use another -o" in done.err
    assert "the tier of" in tito("verify", "--merge").out


def test_after_a_shard_the_next_step_is_to_merge(looks: list[float], tito) -> None:
    assert (
        "next, when all shards are done: tito olympics verify --merge -o verified"
        in tito("verify", "class", "--shard", "1/2").err
    )


def test_one_of_another_shard_that_is_asked_for_again_is_said(looks: list[float], tito) -> None:
    tito("verify", "class", "--shard", "1/2")
    id_ = next(Path("verified").glob("*.json")).stem

    assert (
        f"of another shard, and not verified again here: {id_}"
        in tito("verify", "class", "--shard", "2/2", "--again", id_).err
    )


def test_a_folder_where_a_record_belongs_is_said_before_anything_is_measured(
    looks: list[float], measured: Measured, tito  # noqa: F811
) -> None:  # fmt: skip
    tito("verify", "class/ada")
    record = next(Path("verified").glob("*.json"))
    record.unlink()
    record.mkdir()
    done = tito("verify", "class/ada")

    assert (done.code, len(measured), "is a folder, where a record belongs" in done.err) == (2, 1, True)


def test_a_record_that_was_changed_is_found(looks: list[float], tito) -> None:
    tito("verify", "class", "--shard", "1/1")
    record = next(Path("verified").glob("*.json"))
    record.write_text(record.read_text().replace('"took_s": ', '"took_s": 1'))
    done = tito("verify", "--merge")

    assert (done.code, f"{record.stem}: the file is not the one that a machine wrote" in done.out) == (1, True)


def test_whoever_hands_in_late_is_verified_by_another_round(looks: list[float], measured: Measured, tito) -> None:  # noqa: F811
    tito("verify", "class", "--shard", "1/1")
    handed_in(Path("class", "hal"), "hal")
    codes = [tito("verify", "class", "--shard", f"{number}/2").code for number in (1, 2)]

    assert (codes, measured[5:], tito("verify", "--merge").code) == ([0, 0], ["hal"], 0)


def test_a_board_of_machines_that_differ_has_a_ranking_for_each(
    looks: list[float], monkeypatch: pytest.MonkeyPatch, tito
) -> None:
    info = make_run().system_info
    machine = Machine(cpu_model=info.cpu_model, logical_cores=info.logical_cores, memory_bytes=info.memory_bytes)
    monkeypatch.setattr(on_shift, "this_machine", lambda: machine)
    looks[:] = [1.0, 1.0, 1.3, 1.3]
    for number in (1, 2):
        tito("verify", "class", "--shard", f"{number}/2")
        on_shift._begun.clear()
    board = tito("leaderboard", "class", "--verified", "verified", "--json").json

    assert sorted(len(each["rows"]) for each in board["rankings"]) == [2, 3]
    assert len({each["machines"] for each in board["rankings"]}) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["class", "--shard", "5/4"], "there is no such shard"),
        (["class", "--shard", "two"], "two numbers are wanted"),
        (["--merge", "nowhere"], "there is no folder nowhere"),
        (["--merge", "-o", "nowhere"], "there is no folder nowhere"),
        (["--merge", "--scheduler", LOCAL], "--merge takes folders of records"),
        (["class", "--merge", "--shard", "1/2"], "--merge takes folders of records"),
        (["--self-test", "--shard", "1/2"], "--self-test takes no"),
        (["class", "--scheduler", "tcp://192.0.2.1:8786"], "it needs TLS"),
        (["class", "--scheduler", "tcp://127.0.0.1:8786", "--shard", "1/2"], "hands out entries itself"),
        (
            ["class", "--scheduler", LOCAL, "--isolation", "c", "--i-trust-this-code"],
            "are not handed to other machines",
        ),
        (["class", "--scheduler", LOCAL, "--tls-ca", "ca.pem"], "TLS needs three files"),
        (["class", "--tls-ca", "ca.pem"], "are for --scheduler"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(looks: list[float], arguments: list[str], words: str, tito) -> None:
    done = tito("verify", *arguments)

    assert (done.code, words in done.err, "mend:" in done.err) == (2, True, True), done.err


class Elsewhere:
    """A scheduler that does the first, loses the second, and tells what every machine was given."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def results(self, job: Any, pieces: list[Piece], folder: Path, told: Any) -> Any:
        for number, piece in enumerate(pieces):
            self.items.append(json.loads(json.dumps(piece.item)))
            lost = Done("", False, "the machine that worked on it died, twice")
            yield piece, lost if number == 1 else one_turn(job, piece, folder)

    def on_each(self, job: Any, item: Any, told: Any) -> None:
        job(item, told)


@pytest.fixture
def elsewhere(looks: list[float], monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    found = Elsewhere()
    monkeypatch.setattr(cluster, "Cluster", lambda address, tls: found)
    return found


def test_what_no_machine_brought_to_an_end_is_void_and_tried_again(elsewhere: Elsewhere, tito) -> None:
    done = tito("verify", "class", "--scheduler", LOCAL, "--json")
    again = tito("verify", "class", "--json")

    assert (done.code, again.code) == (4, 0)
    assert [each["reason"] for each in done.json["verifications"] if each["outcome"] == "VOID"] == [
        "the machine that worked on it died, twice"
    ]


def test_what_is_lost_takes_no_finished_record_with_it(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, tito
) -> None:
    tito("verify", "class", "-o", "verified")
    ids = [path.stem for path in Path("verified").glob("*.json")]
    again = [word for id_ in ids for word in ("--again", id_)]
    done = tito("verify", "class", "--scheduler", LOCAL, *again, "--json")

    assert {each["outcome"] for each in done.json["verifications"]} == {"ok"}


def test_machines_are_given_paths_that_they_find(elsewhere: Elsewhere, tito) -> None:
    tito("verify", "class", "--scheduler", LOCAL)

    assert all(Path(item["path"]).is_absolute() and Path(item["settings"]["folder"]).is_absolute()
               for item in elsewhere.items)  # fmt: skip


def test_machines_of_a_scheduler_look_at_the_known_pair_too(elsewhere: Elsewhere, tito) -> None:
    tito("verify", "class", "--scheduler", LOCAL)
    (shift,) = shifts()

    assert (shift["part"], len(shift["canaries"])) == (None, 2)


def test_another_version_of_the_tool_verifies_nothing(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, tito
) -> None:
    monkeypatch.setattr(rerunning, "code_sha256", iter(["1", "2", "3", "4", "5", "6"]).__next__)
    done = tito("verify", "class", "--scheduler", LOCAL)

    assert (done.code, "another version of the tool is installed here" in done.err) == (3, True)


def test_an_entry_that_is_another_one_there_is_void(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, tito
) -> None:
    real = elsewhere.results

    def changed(job: Any, pieces: list[Piece], *further: Any) -> Any:
        for name in NAMES:
            Path("class", name, "entry.py").write_text("# another\n")
        yield from real(job, pieces, *further)

    monkeypatch.setattr(elsewhere, "results", changed)
    done = tito("verify", "class", "--scheduler", LOCAL, "--json")

    assert {each["outcome"] for each in done.json["verifications"]} == {"VOID"}


def test_without_a_box_on_that_machine_nothing_is_run(
    elsewhere: Elsewhere, measured: Measured, monkeypatch: pytest.MonkeyPatch, tito  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setattr(rerunning, "refusal", lambda tier: ("bubblewrap is not installed", "apt install bubblewrap"))
    done = tito("verify", "class", "--scheduler", LOCAL)

    assert (done.code, measured, "no box of tier A can be had here" in done.err) == (3, [], True)
