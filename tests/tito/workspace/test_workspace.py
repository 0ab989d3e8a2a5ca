"""The workspace: a history that survives damage, locks that explain themselves, nothing half recorded."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tinytorch.competition.record.run import Run, RunFile, parse_run
from tinytorch.errors import UsageError
from tinytorch.lock import Lock
from tito.workspace.folder import folder_of
from tito.workspace.history import FailureLine, RunLine
from tito.workspace.workspace import Workspace

FAILURE = b'[{"kind": "failure", "created_at": "2026-01-01T00:00:00Z", "source": "e.py", "error": "x"}]'
DAMAGED = [
    FAILURE.replace(b'"x"', b"1"),
    FAILURE.replace(b"2026-01-01T00:00:00Z", b"yesterday"),
    b"",
    b"[{",
    b"{}",
    b"[1]",
    b'[{"kind": "run"}]',
    b'[{"kind": "feast"}]',
    b"\xff\xfe",
    b"[" * 100_000,
]


@pytest.fixture
def run(measured: tuple[Path, object]) -> Run:
    return parse_run("run.json", (measured[0] / "run.json").read_bytes())


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / ".tito")


@pytest.mark.parametrize("content", DAMAGED, ids=lambda content: str(content[-22:]))
def test_a_damaged_history_is_kept_aside_named_and_made_again(
    run: Run, place: Workspace, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    place.record_run(run)
    (place.root / "history.json").write_bytes(content)
    found = place.history_of(RunLine)
    (aside,) = place.root.glob("history.damaged-*.json")

    assert [entry.id for entry in found] == [run.id]
    assert aside.read_bytes() == content
    assert aside.name in capsys.readouterr().err


def left(kind: str, path: Path) -> None:
    """Something in the place of a file that would make a reader wait for ever, or eat all memory."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(10**11)


@pytest.mark.parametrize("kind", ["pipe", "device", "terabyte"])
def test_neither_a_history_nor_a_run_is_opened_that_is_no_file_of_ours(place: Workspace, run: Run, kind: str) -> None:
    place.record_run(run)
    left(kind, place.runs_folder / f"{run.id}.json")
    (line,) = place.history_of(RunLine)

    assert place.run_state(line) != "valid"
    with pytest.raises(UsageError):
        place.run(run.id)
    left(kind, place.root / "history.json")
    place.record_run(run)

    assert [line.id for line in place.runs()] == [run.id]


def test_a_run_whose_file_has_changed_is_refused_by_every_name(place: Workspace, run: Run) -> None:
    """An entry can write there while it runs."""
    place.record_run(run)
    file = place.runs_folder / f"{run.id}.json"
    file.write_bytes(file.read_bytes() + b" ")
    for name in (run.id, str(file), None):
        with pytest.raises(UsageError, match="has changed since it was recorded"):
            place.run(name)


def test_a_copy_that_says_something_else_is_refused_and_other_spaces_are_not(
    tmp_path: Path, place: Workspace, run: Run
) -> None:
    place.record_run(run)
    document = json.loads(RunFile.text(run))
    (tmp_path / "same.json").write_text(json.dumps(document))
    document["run"]["source"]["name"] = "another"
    (tmp_path / "other.json").write_text(json.dumps(document))

    assert place.run(str(tmp_path / "same.json")) == run
    with pytest.raises(UsageError, match="has changed since it was recorded"):
        place.run(str(tmp_path / "other.json"))


def test_a_history_with_a_number_beyond_all_others_is_damaged(place: Workspace, run: Run, capsys) -> None:
    place.record_run(run)
    lines = json.loads((place.root / "history.json").read_text())
    lines[0]["scores"]["speedup"] = 10**400
    (place.root / "history.json").write_text(json.dumps(lines))

    assert [line.id for line in place.runs()] == [run.id]
    assert "was damaged" in capsys.readouterr().err


def test_a_run_that_contradicts_itself_is_refused(tmp_path: Path, place: Workspace, run: Run) -> None:
    latency = run.baseline.metrics.latency
    faster = latency.model_copy(update={"mean_ns": latency.mean_ns * 1e15})
    metrics = run.baseline.metrics.model_copy(update={"latency": faster})
    forged = run.model_copy(update={"baseline": run.baseline.model_copy(update={"metrics": metrics})})
    (tmp_path / "run.json").write_text(RunFile.text(forged))

    with pytest.raises(UsageError, match=r"contradicts itself: run\.baseline\.latency\.mean_ns is"):
        place.run(str(tmp_path / "run.json"))


def test_a_history_that_names_some_other_file_is_damaged(place: Workspace, run: Run, capsys) -> None:
    place.record_run(run)
    text = (place.root / "history.json").read_text()
    (place.root / "history.json").write_text(text.replace(run.id, "../../../../etc/passwd"))

    assert [line.id for line in place.runs()] == [run.id]  # found again
    assert "was damaged" in capsys.readouterr().err


def test_a_damaged_run_is_named_and_passed_over(place: Workspace, run: Run, capsys) -> None:
    place.record_run(run)
    (place.runs_folder / "20000101T000000Z-00000000.json").write_text("{")
    (place.root / "history.json").write_text("[{")

    assert len(place.history()) == 1
    assert "20000101T000000Z-00000000.json is not a run record" in capsys.readouterr().err


def test_a_field_of_a_newer_version_is_passed_over(place: Workspace) -> None:
    place.root.mkdir(parents=True)
    entry = '{"kind": "failure", "created_at": "2026-01-01T00:00:00Z", "source": "e.py", "error": "x", "mood": 1}'
    (place.root / "history.json").write_text(f"[{entry}]")

    assert place.last_failure().source == "e.py"


def test_a_run_that_cannot_be_written_whole_leaves_nothing(
    place: Workspace, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Workspace, "_append", full)
    with pytest.raises(OSError, match="No space"):
        place.record_run(run, "printed")

    assert list(place.runs_folder.iterdir()) == []


def test_a_held_lock_is_explained(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tito.workspace.folder.LOCK_LIMIT_S", 0.01)
    place.root.mkdir(parents=True)
    entry = FailureLine(created_at=datetime.now(UTC).isoformat(), source="entry.py", error="x")
    with Lock(place.root / "history.lock", 0), pytest.raises(UsageError, match="another tito") as caught:
        place._append(entry)

    assert "wait for it" in caught.value.mend


def test_the_first_error_is_told_with_the_second(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tito.workspace.folder.LOCK_LIMIT_S", 0.01)
    place.root.mkdir(parents=True)
    lock, failed = Lock(place.root / "history.lock", 0), pytest.raises(ZeroDivisionError)
    with lock, failed as caught, place.noting_failure("entry.py", "digits_mlp"):
        raise ZeroDivisionError

    assert "another tito" in caught.value.__notes__[0]


def test_an_interrupt_after_recording_says_that_it_is_recorded(place: Workspace, run: Run) -> None:
    def record(*_: object) -> None:
        place.record_run(run)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught, place.noting_failure("entry.py", "digits_mlp"):
        record()

    assert caught.value.__notes__ == [f"run {run.id} is recorded"]
    assert place.last_failure() is None


def test_an_interrupt_before_is_a_failure(place: Workspace) -> None:
    with pytest.raises(KeyboardInterrupt), place.noting_failure("entry.py", "digits_mlp"):
        raise KeyboardInterrupt

    assert place.last_failure().error == "KeyboardInterrupt"


@pytest.mark.parametrize(
    ("change", "state"), [(lambda path: None, "valid"), (lambda path: path.write_text(""), "changed since"),
                          (os.unlink, "gone")],
)  # fmt: skip
def test_the_state_of_a_run_is_looked_at(place: Workspace, run: Run, change, state: str) -> None:
    place.record_run(run)
    change(place.runs_folder / f"{run.id}.json")
    (entry,) = place.history_of(RunLine)

    assert place.run_state(entry) == state


def test_a_workspace_that_cannot_be_made_names_the_option(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write in") as caught:
        Workspace(tmp_path / "file")._append(
            FailureLine(created_at=datetime.now(UTC).isoformat(), source="x", error="y")
        )

    assert "--workspace DIR" in caught.value.mend


@pytest.mark.parametrize(("value", "folder"), [("~/x", Path.home() / "x"), ("", None), ("x", Path("x"))])
def test_a_variable_names_a_folder(monkeypatch: pytest.MonkeyPatch, value: str, folder: Path | None) -> None:
    monkeypatch.setenv("TITO_CACHE", value)

    assert folder_of("TITO_CACHE") == folder


def test_a_home_of_nobody_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TITO_CACHE", "~nobody-of-that-name/x")
    with pytest.raises(UsageError, match="TITO_CACHE is ~nobody"):
        folder_of("TITO_CACHE")


def test_a_submission_that_cannot_be_noted_is_written_all_the_same(
    athlete: Path, tito, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise UsageError("cannot write in .tito/olympics: Read-only file system")

    monkeypatch.setattr(Workspace, "record_submission", refuse)
    done = tito("submit", "--event", "all_around")

    assert (done.code, (athlete / "submission.json").exists()) == (0, True)
    assert "warning: cannot write in .tito" in done.err
