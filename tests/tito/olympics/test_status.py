"""`status` looks: at files, from wherever it is called, and at every stage."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tinytorch.competition.record.run import parse_run
from tito.workspace.history import Blocks, RunLine, SubmissionLine, parse, unparse
from tito.workspace.workspace import Workspace


def states(document: dict[str, object], key: str = "submissions") -> list[str]:
    return [row["file_state"] for row in document[key]]


def test_a_submission_is_found_from_another_folder(athlete: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    tito("submit", "--event", "all_around")
    (athlete / "deeper").mkdir()
    monkeypatch.chdir(athlete / "deeper")
    done = tito("status", "--json", "--workspace", "../.tito")

    assert states(done.json) == ["valid"]
    assert done.json["submissions"][0]["file"] == str(athlete / "submission.json")


def test_a_submission_in_a_pipe_is_elsewhere_and_a_removed_one_gone(athlete: Path, tito) -> None:
    tito("submit", "--event", "all_around", "-o", "-")
    tito("submit", "--event", "all_around", "-o", "gone.json")
    (athlete / "gone.json").unlink()

    assert states(tito("status", "--json").json) == ["elsewhere", "gone"]


def test_of_two_submissions_to_one_file_the_first_is_replaced(athlete: Path, tito) -> None:
    tito("submit", "--event", "all_around")
    done = tito("submit", "--event", "latency_sprint")

    assert "held your submission for all_around; it is replaced" in done.err
    assert states(tito("status", "--json").json) == ["replaced", "valid"]


def test_the_same_event_again_is_nothing_to_warn_of(athlete: Path, tito) -> None:
    tito("submit", "--event", "all_around")

    assert "warning" not in tito("submit", "--event", "all_around").err


def run_file(athlete: Path) -> Path:
    (path,) = (athlete / ".tito" / "olympics" / "runs").glob("*.json")
    return path


def damage(athlete: Path) -> None:
    run_file(athlete).write_text("{}")


def remove(athlete: Path) -> None:
    run_file(athlete).unlink()


@pytest.mark.parametrize("change", [damage, remove])
def test_stages_are_done_only_while_their_run_is_there(athlete: Path, tito, change) -> None:
    change(athlete)
    document = tito("status", "--json").json

    assert [stage["done"] for stage in document["stages"]] == [True, False, False, False, False]
    assert document["next"] == "tito olympics benchmark"


def test_the_last_ten_runs_are_listed_and_all_on_demand(athlete: Path, tito) -> None:
    entries = [
        RunLine(id=f"20260101T000000Z-{number:08x}", created_at="2026-01-01T00:00:00Z", task="t", source="s", scores={})
        for number in range(14)
    ]  # fmt: skip
    (athlete / ".tito" / "olympics" / "history.json").write_bytes(unparse(entries))
    shown, every = tito("status").out, tito("status", "--all").out

    assert (shown.count("\nrun "), every.count("\nrun ")) == (10, 14)
    assert "4 older, shown by --all" in shown
    assert len(tito("status", "--json").json["runs"]) == 14


def test_the_next_command_can_be_pasted_into_a_shell(athlete: Path, tito) -> None:
    name = "my submission; rm -rf $HOME.json"
    done = tito("submit", "--event", "all_around", "-o", name)
    said = done.err.splitlines()[-1]

    assert shlex.split(said)[-1] == name


def test_what_was_done_is_advised_no_more(athlete: Path, tito) -> None:
    """A run that is submitted was validated; what is left is to make it better. A newer one is submitted anew."""
    assert tito("status", "--json").json["next"] == "tito olympics submit --event all_around"
    assert tito("submit", "--event", "latency_sprint").code == 0
    assert tito("status", "--json").json["next"] == "tito olympics score"

    run = json.loads(run_file(athlete).read_bytes())
    run["run"]["id"] = "20260301T120030Z-0a1b2c3d"
    Workspace(None).record_run(parse_run("x", json.dumps(run).encode()))
    assert tito("status", "--json").json["next"] == "tito olympics submit --event latency_sprint"


def test_status_writes_nothing(beginner: Path, tito) -> None:
    tito("status")

    assert list(beginner.iterdir()) == []


def test_a_record_is_one_line(athlete: Path, tito) -> None:
    run = json.loads((athlete / "run.json").read_text())["run"]["id"]
    (line,) = [line for line in tito("status").out.splitlines() if line.startswith("run ")]

    assert line.split() == ["run", run, "fashion_mlp", "all_around", "valid"]


def test_a_run_s_spread_and_the_trend_are_drawn(athlete: Path, tito) -> None:
    (athlete / ".tito" / "olympics" / "history.json").write_bytes(unparse([
        RunLine(id=f"20260101T000000Z-{number:08x}", created_at="2026-01-01T00:00:00Z", task=task, source="s",
                 scores={"all_around": score}, blocks=Blocks(lower=1.0, upper=2.0, counts=[1, 8, 4]))
        for number, (task, score) in enumerate([("t", 1.0), ("other", 9.0), ("t", 2.0)])
    ]))  # fmt: skip
    lines = tito("status").out.splitlines()

    assert "blocks      1x |▁█▄| 2x  speedup, block by block" in lines
    assert "trend       ▁█  all_around of 2 runs at t, now 2" in lines


def test_runs_that_were_disturbed_are_marked_in_the_trend(athlete: Path, tito) -> None:
    words = ["quiet", "disturbed", "not known", None]
    (athlete / ".tito" / "olympics" / "history.json").write_bytes(unparse([
        RunLine(id=f"20260101T000000Z-{number:08x}", created_at="2026-01-01T00:00:00Z", task="t", source="s",
                 scores={"all_around": 1.0 + number}, machine=word)
        for number, word in enumerate(words)
    ]))  # fmt: skip

    assert (
        "             !?   (!: the baseline was disturbed; ?: not known whether the baseline was disturbed)"
        in tito("status").out.splitlines()
    )
    assert [run["machine"] for run in tito("status", "--json").json["runs"]] == words


def test_a_quiet_machine_needs_no_marks(athlete: Path, tito) -> None:
    (athlete / ".tito" / "olympics" / "history.json").write_bytes(unparse([
        RunLine(id=f"20260101T000000Z-{number:08x}", created_at="2026-01-01T00:00:00Z", task="t", source="s",
                 scores={"all_around": 1.0}, machine="quiet")
        for number in range(2)
    ]))  # fmt: skip

    assert "disturbed" not in tito("status").out


def test_older_runs_have_no_spread_to_draw(athlete: Path, tito) -> None:
    entry = RunLine(id="20260101T000000Z-00000000", created_at="2026-01-01T00:00:00Z", task="t", source="s", scores={})
    (athlete / ".tito" / "olympics" / "history.json").write_bytes(unparse([entry]))

    assert "blocks" not in tito("status").out


RUN = {
    "kind": "run", "id": "20260101T000000Z-00000000", "created_at": "2026-01-01T00:00:00Z", "task": "t", "source": "s",
    "scores": {},
}  # fmt: skip
SPREAD = {"lower": 1.0, "upper": 2.0, "counts": [1]}
DAMAGES = [
    {"blocks": {**SPREAD, "counts": ["1"]}}, {"blocks": {**SPREAD, "lower": None}}, {"blocks": {**SPREAD, "more": 1}},
    {"blocks": {**SPREAD, "upper": float("nan")}}, {"scores": {"all_around": "1"}}, {"scores": {"a": float("inf")}},
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_no_run_has_is_a_damaged_history(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"blocks|unexpected|a score"):
        parse(json.dumps([{**RUN, **damage}]).encode())


def test_on_a_narrow_terminal_the_end_of_a_long_name_is_seen(athlete: Path, tito, monkeypatch) -> None:
    """In a pipe, where `grep` looks for it, all of it."""
    name = f"{'deep/' * 20}submission.json"
    (athlete / name).parent.mkdir(parents=True)
    tito("submit", "--event", "memory_challenge", "-o", name)
    assert f"submission  {name}  memory_challenge  valid  trust T1" in tito("status").out
    monkeypatch.setenv("COLUMNS", "80")
    lines = [line for line in tito("status").out.splitlines() if line.startswith("submission  ...")]

    assert [len(line) for line in lines] == [80]
    assert "/submission.json  memory_challenge  valid  trust T1" in lines[0]


def test_a_real_run_s_status_fits_into_eighty_columns(athlete: Path, tito) -> None:
    """With a submission, its validity and its trust."""
    tito("submit", "--event", "memory_challenge")
    lines = tito("status").out.splitlines()

    assert max(map(len, lines)) <= 80
    assert "submission  submission.json  memory_challenge  valid  trust T1" in lines
    assert any(line.startswith("blocks") for line in lines)


def test_an_event_of_a_class_is_not_advised_without_its_rules(athlete: Path, tito) -> None:
    history = athlete / ".tito" / "olympics" / "history.json"
    handed = SubmissionLine(
        created_at="2026-01-01T00:00:00Z", id="0" * 16, event="green_run", run="20260101T000000Z-00000000", file="-",
        trust="T1", sha256=None,
    )  # fmt: skip
    history.write_bytes(unparse([handed, *parse(history.read_bytes())]))

    assert tito("status", "--json").json["next"] == "tito olympics submit --event all_around"
