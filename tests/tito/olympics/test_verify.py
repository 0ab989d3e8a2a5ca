"""`verify` as an instructor sees it: every entry with its outcome, and nothing done twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.competition.conftest import make_run
from tests.competition.refereed import refereed
from tests.harness.referee.test_verify import ENTRY, HELD
from tinytorch.competition.checks.verified import Verification
from tinytorch.competition.record.bundle import packed
from tinytorch.competition.record.refereed import Refereed
from tinytorch.competition.record.run import FileRecord, SourceRecord
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.files import sha256
from tinytorch.harness.referee import turns
from tinytorch.harness.referee import verify as harness
from tinytorch.harness.referee.referee import Referee
from tinytorch.harness.referee.verify import Candidate, Place
from tinytorch.processes.selftest import Probe, SelfTest
from tito.olympics import rerunning, verifying


def handed_in(folder: Path, athlete: str, number: int = 0, bundled: bool = False, named: str = "entry.py") -> Path:
    """A submission with its entry beside it, or in a bundle with it."""
    entry = f"{ENTRY}# {athlete} {number}\n".encode()
    source = SourceRecord(kind="entry", name=named, sha256=sha256(entry), helpers=[], data=[], division="closed",
                          techniques=["nothing"])  # fmt: skip
    run = make_run().model_copy(update={"source": source})
    files = [FileRecord(name="entry.py", sha256=sha256(entry))] if bundled else None
    document = submission_from_run(run, event="latency_sprint", athlete_name=athlete, files=files)
    content = json.dumps(document).encode()
    folder.mkdir(parents=True, exist_ok=True)
    if bundled:
        path = folder / f"{athlete}.zip"
        path.write_bytes(packed({"submission.json": content, "entry.py": entry}))
        return path
    (folder / "entry.py").write_bytes(entry)
    (folder / "submission.json").write_bytes(content)
    return folder / "submission.json"


Measured = list[str]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, beginner: Path, tmp_path: Path) -> Measured:
    """Whose entries were measured again, each of which shows what was claimed."""
    asked: Measured = []

    def measure(challenge: Any, told: Any) -> Any:
        told.progress("build", 0.5)
        asked.append(challenge.contender.source.decode().split()[-2])
        return nullcontext(SimpleNamespace(run=make_run()))

    monkeypatch.setattr(turns, "runtime_folder", lambda: tmp_path)
    monkeypatch.setattr(harness, "competed", measure)
    monkeypatch.setattr(rerunning, "refusal", lambda tier: None)  # whatever this machine has installed
    monkeypatch.setattr(rerunning, "box_tested", lambda tier, told: HELD)
    monkeypatch.setattr(rerunning, "_places", {})
    monkeypatch.setattr(rerunning, "hides_labels", lambda tier: True)
    return asked


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch, measured: Measured) -> Callable[[str, str], None]:
    """Lets the entry of an athlete end so."""
    wanted: dict[str, str] = {}
    real = rerunning.verified

    def verify(candidate: Candidate, place: Place, told: Any) -> Verification:
        found = real(candidate, place, told)
        athlete = found.declaration.athlete.name if found.declaration else ""
        if athlete not in wanted:
            return found
        return found.model_copy(update={"outcome": wanted[athlete], "level": None, "reason": "because"})

    monkeypatch.setattr(rerunning, "verified", verify)
    return lambda athlete, word: wanted.__setitem__(athlete, word)


def test_a_class_is_verified_and_what_is_finished_is_not_done_again(measured: Measured, tito) -> None:
    for name in ("ada", "bob"):
        handed_in(Path("class", name), name)
    first, second = tito("verify", "class", "--json"), tito("verify", "class", "--json")

    assert (first.code, second.code, measured) == (0, 0, ["ada", "bob"])
    assert [each["outcome"] for each in second.json["verifications"]] == ["ok", "ok"]
    assert len([*Path("verified").glob("*.json")]) == 2


def test_people_see_claim_and_rerun_beside_one_another(measured: Measured, tito) -> None:
    handed_in(Path("class", "ada"), "ada")
    done = tito("verify", "class")

    assert done.code == 0
    assert all(word in done.out for word in ("class/ada", "T2 repeats", "5.0", "1 entry: 1 T2 repeats"))


def test_bundles_are_unpacked_and_verified(measured: Measured, tito) -> None:
    handed_in(Path("class"), "ada", bundled=True)
    done = tito("verify", "class", "--json")

    assert (done.code, measured) == (0, ["ada"])


def test_one_submission_with_its_entry_named(measured: Measured, tito) -> None:
    path = handed_in(Path("one"), "ada")
    path.with_name("entry.py").rename("mine.py")

    assert tito("verify", str(path)).code == 1
    assert tito("verify", str(path), "--entry", "mine.py").code == 0


@pytest.mark.parametrize(("word", "code"), [("failed", 1), ("DNF", 1), ("VOID", 4), ("inconclusive", 5)])
def test_the_exit_code_is_that_of_the_worst(outcome: Callable[[str, str], None], word: str, code: int, tito) -> None:
    for name in ("ada", "bob"):
        handed_in(Path("class", name), name)
    outcome("bob", word)

    assert tito("verify", "class").code == code


def test_what_was_void_is_done_again_and_what_was_inconclusive_when_asked(
    outcome: Callable[[str, str], None], measured: Measured, tito
) -> None:
    for name in ("ada", "bob"):
        handed_in(Path("class", name), name)
    outcome("ada", "VOID")
    outcome("bob", "inconclusive")
    tito("verify", "class")
    found = {each["outcome"]: each["id"] for each in tito("verify", "class", "--json").json["verifications"]}
    tito("verify", "class", "--again", found["inconclusive"])

    assert measured == ["ada", "bob", "ada", "ada", "bob"]


def test_a_failing_entry_does_not_end_the_batch(outcome: Callable[[str, str], None], tito) -> None:
    for name in ("ada", "bob", "eve"):
        handed_in(Path("class", name), name)
    outcome("bob", "DNF")
    done = tito("verify", "class", "--json")

    assert [each["outcome"] for each in done.json["verifications"]] == ["ok", "DNF", "ok"]


def test_an_interrupt_keeps_what_is_finished(measured: Measured, monkeypatch: pytest.MonkeyPatch, tito) -> None:
    for name in ("ada", "bob"):
        handed_in(Path("class", name), name)
    real = harness.competed

    def interrupted(challenge: Any, told: Any) -> Any:
        if measured:
            raise KeyboardInterrupt
        return real(challenge, told)

    monkeypatch.setattr(harness, "competed", interrupted)

    done = tito("verify", "class")

    assert (done.code, "what is finished is kept in verified; the same command goes on" in done.err) == (130, True)
    assert len([*Path("verified").glob("*.json")]) == 1


def test_no_submission_names_an_entry_of_another_folder(measured: Measured, tito) -> None:
    handed_in(Path("class", "ada"), "ada", named="../bob/entry.py")
    Path("class/bob").mkdir()
    Path("class/ada/entry.py").rename("class/bob/entry.py")

    assert (tito("verify", "class/ada").code, measured) == (1, [])


def test_a_record_under_another_s_name_is_none(measured: Measured, tito) -> None:
    for name in ("ada", "bob"):
        handed_in(Path("class", name), name)
    tito("verify", "class")
    first, second = sorted(Path("verified").glob("*.json"))
    second.write_bytes(first.read_bytes())
    tito("verify", "class")

    assert len(measured) == 3


def test_a_damaged_record_is_made_again(measured: Measured, tito) -> None:
    handed_in(Path("class", "ada"), "ada")
    tito("verify", "class")
    (record,) = Path("verified").glob("*.json")
    record.write_text("{")
    done = tito("verify", "class")

    assert (done.code, "is not a verification, or a damaged one" in done.err) == (0, True)
    assert measured == ["ada", "ada"]


def test_a_box_that_does_not_hold_runs_nothing(measured: Measured, monkeypatch: pytest.MonkeyPatch, tito) -> None:
    leaky = SelfTest("A", (Probe("ptrace", True, ""),))
    monkeypatch.setattr(rerunning, "box_tested", lambda tier, told: leaky)
    handed_in(Path("class", "ada"), "ada")
    done = tito("verify", "class")

    assert (done.code, measured, "lets through: ptrace" in done.err) == (3, [], True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "which entries are to be verified?"),
        (["nowhere"], "there is no nowhere"),
        (["empty"], "there is no submission in empty"),
        (["class", "--isolation", "c"], "without a box an entry can read"),
        (["class", "--again", "0" * 16], "none of these entries has this id"),
        (["class", "--entry", "entry.py"], "--entry belongs to one submission"),
        (["class/ada", "--entry", "class"], "is a folder, and an entry is one Python file"),
        (["class/ada/entry.py"], "is an entry, and its submission is wanted"),
        (["class", "--self-test"], "--self-test takes no entries"),
        (["class", "-o", "class/ada/submission.json"], "it is a file, and a folder is wanted"),
        (["class/ada", "--entry", "nothing.py"], "the entry nothing.py is not there"),
        (["class", "-o", "class/ada/entry.py"], "cannot write into"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(measured: Measured, arguments: list[str], words: str, tito) -> None:
    Path("empty").mkdir()
    for name in ("ada", "bob"):
        handed_in(Path("class", name), name)
    done = tito("verify", *arguments)

    assert (done.code, words in done.err, "mend:" in done.err) == (2, True, True), done.err


def test_without_bubblewrap_the_next_tier_is_tried(measured: Measured, monkeypatch: pytest.MonkeyPatch, tito) -> None:
    refusals = {"A": ("bubblewrap is not installed", "apt install bubblewrap"), "B": None}
    monkeypatch.setattr(rerunning, "refusal", refusals.__getitem__)
    handed_in(Path("class", "ada"), "ada")
    done = tito("verify", "class")

    assert "no box of tier A: bubblewrap is not installed; apt install bubblewrap. Tier B is used" in done.err


def test_where_none_can_be_had_it_is_said_what_is_missing(
    measured: Measured, monkeypatch: pytest.MonkeyPatch, tito
) -> None:
    monkeypatch.setattr(rerunning, "refusal", lambda tier: (f"no {tier}", f"install {tier}"))
    handed_in(Path("class", "ada"), "ada")
    done = tito("verify", "class")

    assert (done.code, "tier A: no A; tier B: no B" in done.err, "install A" in done.err) == (3, True, True)


def test_the_self_test_is_shown_with_its_controls(monkeypatch: pytest.MonkeyPatch, tito) -> None:
    plain = SelfTest("C", tuple(Probe(each.name, True, "") for each in HELD.probes))
    monkeypatch.setattr(verifying, "box_tested", lambda tier, told: HELD)
    monkeypatch.setattr(verifying, "self_test", lambda box, told: plain)
    shown, data = tito("verify", "--self-test"), tito("verify", "--self-test", "--json")

    assert (shown.code, "The box holds." in shown.out, "OPEN" in shown.out) == (0, True, True)
    assert (data.json["holds"], data.json["blocked"]) == (True, len(HELD.probes))


def test_a_plain_process_does_not_pass_it(monkeypatch: pytest.MonkeyPatch, tito) -> None:
    plain = SelfTest("C", tuple(Probe(each.name, True, "") for each in HELD.probes))
    monkeypatch.setattr(verifying, "self_test", lambda box, told: plain)

    assert tito("verify", "--self-test", "--isolation", "c").code == 5


def test_the_board_ranks_what_repeats(measured: Measured, tito) -> None:
    for name in ("ada", "bob"):
        handed_in(Path("class", name), name)
    tito("verify", "class/bob")
    done = tito("leaderboard", "class", "--verified", "verified", "--json")
    rows = done.json["rankings"][0]["rows"]

    assert [(row["athlete_name"], row["trust"], row["claimed_value"] is None) for row in rows] == [
        ("bob", "T2", False), ("ada", "T1", True)
    ]  # fmt: skip


def test_verifications_by_other_rules_are_not_mixed_in(measured: Measured, tito) -> None:
    handed_in(Path("class", "ada"), "ada")
    Path("ours.toml").write_text('extends = "2.3"\nversion = "mine"\n[significance]\nsession_spread = 0.02\n')
    tito("verify", "class", "--rules", "ours.toml")
    done = tito("leaderboard", "class", "--verified", "verified")

    assert (done.code, "are by other rules" in done.err) == (2, True)


def test_a_platform_s_bundles_are_judged_like_submissions(measured: Measured, tito) -> None:
    handed_in(Path("class"), "ada", bundled=True)

    assert tito("validate", "class").code == 0
    assert tito("leaderboard", "class", "--json").json["rankings"][0]["rows"][0]["file"] == "class/ada.zip"


def test_a_bundle_that_is_none_is_a_finding(measured: Measured, tito) -> None:
    Path("bad.zip").write_bytes(b"PK\x03\x04nonsense")
    done = tito("validate", "bad.zip")

    assert (done.code, "TO-F11" in done.out) == (1, True)


def test_a_class_may_hand_in_bundles_and_folders(measured: Measured, tito) -> None:
    """Also where some lie at the top, each command sees all of them."""
    handed_in(Path("class"), "ada", bundled=True)
    handed_in(Path("class", "bob"), "bob")
    handed_in(Path("class", "eve"), "eve", bundled=True)
    rows = tito("leaderboard", "class", "--json").json["rankings"][0]["rows"]

    assert {row["athlete_name"] for row in rows} == {"ada", "bob", "eve"}
    assert tito("verify", "class").code == 0
    assert sorted(measured) == ["ada", "bob", "eve"]


def test_one_s_own_folder_is_one_submission_whatever_lies_below(measured: Measured, tito) -> None:
    handed_in(Path("mine"), "ada")
    handed_in(Path("mine", "old"), "ada", 1)

    assert len(tito("validate", "mine", "--json").json["results"]) == 1
    assert tito("verify", "mine").code == 0
    assert measured == ["ada"]


def test_a_copy_is_verified_once(measured: Measured, tito) -> None:
    for folder in ("one", "two"):
        handed_in(Path("class", folder), "ada")
    Path("class/two/submission.json").write_bytes(Path("class/one/submission.json").read_bytes())
    done = tito("verify", "class", "--json")

    assert measured == ["ada"]
    assert [each["source"] for each in done.json["verifications"]] == ["class/one", "class/two"]


def test_each_is_told_what_was_found_beside_his_own(measured: Measured, tito) -> None:
    for folder in ("one", "two"):
        handed_in(Path("class", folder), "ada")
    Path("class/two/submission.json").write_bytes(Path("class/one/submission.json").read_bytes())
    Path("class/one/entry.py").write_text("# changed\n")
    Path("class/two/entry.py").unlink()
    tito("verify", "class")
    reasons = {each["file"]: each["reason"] for each in
               tito("leaderboard", "class", "--verified", "verified", "--json").json["unranked"]}  # fmt: skip

    assert "is another one than was measured" in reasons["class/one/submission.json"]
    assert "there is no entry.py beside" in reasons["class/two/submission.json"]


def test_a_bundle_that_cannot_be_read_does_not_end_the_others(measured: Measured, tito) -> None:
    handed_in(Path("class"), "ada", bundled=True)
    Path("class/broken.zip").write_bytes(Path("class/ada.zip").read_bytes()[:-40])
    Path("class/folder.zip").mkdir()
    done = tito("verify", "class", "--json")

    assert {each["source"]: each["outcome"] for each in done.json["verifications"]} == {
        "class/ada.zip": "ok", "class/broken.zip": "failed", "class/folder.zip": "failed"
    }  # fmt: skip


def test_what_is_in_the_folder_of_records_and_is_none_is_passed_over(measured: Measured, tito) -> None:
    handed_in(Path("class", "ada"), "ada")
    tito("verify", "class")
    Path("verified/notes.json").write_text("{}")
    done = tito("leaderboard", "class", "--verified", "verified", "--json")

    assert (done.code, "it is passed over" in done.err) == (0, True)


def test_a_folder_without_records_is_said(measured: Measured, tito) -> None:
    handed_in(Path("class", "ada"), "ada")
    Path("empty").mkdir()
    done = tito("leaderboard", "class", "--verified", "empty")

    assert (done.code, "there is no record of a verification in" in done.err) == (2, True)


def test_a_record_is_no_submission(measured: Measured, tito) -> None:
    handed_in(Path("class", "ada"), "ada")
    tito("verify", "class")
    (record,) = Path("verified").glob("*.json")

    assert "this is a verification, not a submission" in tito("validate", str(record)).out


def test_nothing_is_learnt_of_the_machine_beside_an_entry(measured: Measured, tito, cache_directory: Path) -> None:
    before = [path.read_bytes() for path in cache_directory.rglob("machine.json")]
    handed_in(Path("class", "ada"), "ada")
    tito("verify", "class")

    assert [path.read_bytes() for path in cache_directory.rglob("machine.json")] == before


@pytest.fixture
def refereeing(monkeypatch: pytest.MonkeyPatch, measured: Measured) -> Callable[[Refereed], None]:
    """Lets the referee find this of every entry."""

    def find(found: Refereed) -> None:
        monkeypatch.setattr(Referee, "looked", lambda *_: found)

    return find


def test_an_entry_is_refereed_and_the_board_says_so(refereeing: Callable[[Refereed], None], tito) -> None:
    refereeing(refereed())
    handed_in(Path("class", "ada"), "ada")
    done = tito("verify", "class", "--level", "t3")
    row = tito("leaderboard", "class", "--verified", "verified", "--json").json["rankings"][0]["rows"][0]

    assert (done.code, "T3 refereed" in done.out, "holds on 2 of 2" in done.out) == (0, True, True)
    assert (row["trust"], tito("leaderboard", "class", "--verified", "verified", "--trust", "T3").code) == ("T3", 0)


def test_without_private_data_it_repeats_and_what_is_missing_is_said(
    refereeing: Callable[[Refereed], None], tito
) -> None:
    refereeing(refereed(private=None))
    handed_in(Path("class", "ada"), "ada")
    done = tito("verify", "class", "--level", "t3")

    assert (done.code, "T2 repeats" in done.out, "--private FILE" in done.out) == (0, True, True)
    assert "warning: no private data for digits_mlp, so that T3 is not given for it" in done.err


def test_what_a_referee_finds_refutes(refereeing: Callable[[Refereed], None], tito) -> None:
    refereeing(refereed(idle_share=0.9))
    handed_in(Path("class", "ada"), "ada")
    done = tito("verify", "class", "--level", "t3")

    assert (done.code, "TO-V16" in done.out) == (1, True)


def test_t2_and_t3_are_other_work(refereeing: Callable[[Refereed], None], measured: Measured, tito) -> None:
    refereeing(refereed())
    handed_in(Path("class", "ada"), "ada")
    for level in ("t2", "t3", "t3"):
        tito("verify", "class", "--level", level)

    assert measured == ["ada", "ada"]


def test_a_folders_seeds_are_drawn_once_and_for_nobody_to_read(refereeing: Callable[[Refereed], None], tito) -> None:
    refereeing(refereed())
    handed_in(Path("class", "ada"), "ada")
    tito("verify", "class", "--level", "t3")
    first = Path("verified/.secret").read_bytes()
    handed_in(Path("class", "bob"), "bob")
    tito("verify", "class", "--level", "t3")

    assert (Path("verified/.secret").read_bytes(), Path("verified/.secret").stat().st_mode & 0o77) == (first, 0)


def test_a_damaged_secret_is_not_taken(refereeing: Callable[[Refereed], None], measured: Measured, tito) -> None:
    refereeing(refereed())
    handed_in(Path("class", "ada"), "ada")
    Path("verified").mkdir()
    Path("verified/.secret").write_text("")
    done = tito("verify", "class", "--level", "t3")

    assert (done.code, ".secret is damaged" in done.err, measured) == (2, True, [])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--private", "x.npz"], 2, "private data are for --level t3"),
        (["--level", "t3", "--private", "missing.npz"], 2, "missing.npz"),
        (["--level", "t3", "--isolation", "b"], 3, "trust T3 needs a box of tier A"),
    ],
)
def test_what_t3_cannot_do_is_said(
    arguments: list[str], code: int, words: str, monkeypatch: pytest.MonkeyPatch, measured: Measured, tito
) -> None:
    monkeypatch.setattr(rerunning, "refusal", lambda tier: None)
    handed_in(Path("class", "ada"), "ada")
    done = tito("verify", "class", *arguments)

    assert (done.code, words in done.err, measured) == (code, True, [])


def test_a_word_with_a_slip_of_the_pen_is_told(beginner: Path, tito) -> None:
    done = tito("verify", "chek", "verified")

    assert (done.code, "did you mean 'check'?" in done.err) == (2, True)


def test_files_that_come_without_an_entry_are_said(measured: Measured, tito) -> None:
    """A folder may hold both: what cannot be verified must not go unseen."""
    handed_in(Path("class"), "ada", bundled=True)
    Path("class/bob.json").write_text("{}")
    done = tito("verify", "class")

    assert "warning: 1 file without an entry cannot be verified: bob.json" in done.err
