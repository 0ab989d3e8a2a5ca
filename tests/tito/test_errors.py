"""Bad input: the right exit code, words that mend it, one JSON document, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tito.app import run
from tito.exit_codes import EXIT_CODES, exit_code_of
from tito.workspace.history import RunLine
from tito.workspace.workspace import Workspace

BAD_CALLS = {
    "unknown event": (["benchmark", "--event", "latency_sprnt"], 2, "'latency_sprint'"),
    "unknown task": (["benchmark", "--task", "digits_mpl"], 2, "'digits_mlp'"),
    "unknown task to profile": (["profile", "--task", "tinygtp"], 2, "'tinygpt'"),
    "unknown task to score": (["score", "--task", "tinygtp"], 2, "'tinygpt'"),
    "unknown task to submit": (["submit", "--event", "all_around", "--task", "tinygtp"], 2, "'tinygpt'"),
    "unknown task of a status": (["status", "--task", "tinygtp"], 2, "'tinygpt'"),
    "no run of a task": (["score", "--task", "tinygpt"], 3, "tito olympics benchmark --task tinygpt"),
    "a run and a task": (["score", "damaged.json", "--task", "tinygpt"], 2, "either a run or --task"),
    "strategy of another task": (["benchmark", "--task", "digits_cnn", "--strategy", "kv_cache"], 2, "digits_cnn"),
    "profile of two": (["profile", "--entry", "e.py", "--strategy", "all_around"], 2, "exclude"),
    "profile of nothing": (["profile", "--entry", "nope.py"], 2, "nope.py"),
    "unknown strategy": (["benchmark", "--strategy", "all_arund"], 2, "'all_around'"),
    "missing entry": (["benchmark", "--entry", "nope.py"], 2, "nope.py"),
    "entry is a folder": (["benchmark", "--entry", "folder.py"], 2, "directory"),
    "two contenders": (["benchmark", "--entry", "e.py", "--strategy", "all_around"], 2, "exclude"),
    "unknown tier": (["benchmark", "--tier", "quick"], 2, "quick"),
    "output in no folder": (["benchmark", "-o", "no/such/run.json"], 2, "no such folder"),
    "output is a folder": (["benchmark", "-o", "folder.py"], 2, "directory"),
    "no run to score": (["score"], 3, "tito olympics benchmark"),
    "unknown run": (["score", "20000101T000000Z-00000000"], 2, "no file or run"),
    "run is a folder": (["score", "folder.py"], 2, "directory"),
    "damaged run": (["score", "damaged.json"], 2, "damaged"),
    "unknown command": (["bench"], 2, "there is no command tito olympics bench"),
    "submission for a run": (["score", "submission.json"], 2, "tito olympics validate submission.json"),
    "submission to submit": (["submit", "--event", "all_around", "--run", "submission.json"], 2, "is a submission"),
    "report for a run": (["score", "report.json"], 2, "is a report"),
    "run with a byte order mark": (["score", "bom.json"], 2, "save it as UTF-8 without BOM"),
    "run in UTF-16": (["score", "wide.json"], 2, "save it as UTF-8 without BOM"),
    "empty name": (["submit", "--event", "all_around", "--athlete", ""], 2, "--athlete is empty"),
    "empty value": (["submit", "--event", "all_around", "--athlete="], 2, "--athlete is empty"),
    "empty workspace": (["status", "--workspace", ""], 2, "--workspace is empty"),
    "empty file name": (["validate", ""], 2, "an argument is empty"),
    "folder that is a file": (["status", "--workspace", "notes.txt"], 2, "Not a directory"),
    "a file of somebody's own": (["submit", "--event", "all_around", "-o", "notes.txt"], 2, "--force"),
    "unknown option": (["status", "--nope"], 2, "--nope"),
    "unknown division": (["submit", "--event", "all_around", "--division", "x"], 2, "division"),
}


@pytest.fixture
def mess(beginner: Path) -> Path:
    """A folder with everything that can be wrong."""
    (beginner / "folder.py").mkdir()
    (beginner / "damaged.json").write_text('{"schema_version": "1.0"')
    (beginner / "submission.json").write_text('{"document": "submission", "schema_version": "3.0", "tool": {}}')
    (beginner / "report.json").write_text('{"document": "report", "results": []}')
    (beginner / "bom.json").write_text("{}", "utf-8-sig")
    (beginner / "wide.json").write_text("{}", "utf-16")
    (beginner / "notes.txt").write_text("mine")
    (beginner / "broken" / "olympics").mkdir(parents=True)
    (beginner / "broken" / "olympics" / "history.json").write_text("[{")
    return beginner


@pytest.mark.parametrize(("arguments", "code", "words"), BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_a_bad_call_has_its_exit_code_and_says_what_is_wrong(mess: Path, tito, arguments, code, words) -> None:
    done = tito(*arguments)

    assert done.code == code
    assert words in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(("arguments", "code", "words"), BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_with_json_a_failure_is_one_document_too(mess: Path, tito, arguments, code, words) -> None:
    done = tito(*arguments, "--json")

    assert done.json["exit_code"] == code
    assert done.json["error"]["message"]


def test_json_is_heard_wherever_it_stands(beginner: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--json", "olympics", "status"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["mend"] == "tito --help"


def test_a_folder_that_is_gone_is_said(beginner: Path, tito) -> None:
    beginner.rmdir()
    done = tito("submit", "--event", "all_around")

    assert done.code == 2
    assert "the folder that you are in" in done.err


def test_debug_shows_the_traceback(mess: Path, tito) -> None:
    assert "Traceback" in tito("score", "--debug").err


@pytest.mark.parametrize("kind", EXIT_CODES)
def test_every_branch_of_the_error_tree_has_its_code(kind) -> None:
    assert exit_code_of(kind("x")) == EXIT_CODES[kind]


def kinds() -> list[str]:
    """What the history of the workspace is made of."""
    return [entry.kind for entry in Workspace().history()]


CRASHES = "def optimize(model, train_data):\n    print('tried', 'that')\n    return 1 / 0\n"


def test_a_crashing_entry_is_exit_code_four_and_records_no_run(beginner: Path, tito) -> None:
    (beginner / "entry.py").write_text(CRASHES)
    done = tito("benchmark", "--tier", "fast", "--entry", "entry.py")

    assert (done.code, kinds()) == (4, ["failure"])
    assert "line 3" in done.err
    assert "it printed last:\n    tried that" in done.err


@pytest.mark.parametrize(
    ("call", "told"),
    [("breakpoint()", "line 2, in optimize: breakpoint()"), ("__import__('pdb').set_trace()", "the line before")],
)
def test_a_debugger_is_named_by_its_own_line(beginner: Path, tito, call: str, told: str) -> None:
    (beginner / "entry.py").write_text(f"def optimize(model, train_data):\n    {call}\n    return model\n")
    done = tito("benchmark", "--tier", "fast", "--entry", "entry.py")

    assert "a debugger has nobody to talk to" in done.err
    assert told in done.err


@pytest.mark.parametrize("place", ["athlete", "beginner"])
def test_after_a_failed_attempt_submit_asks_for_the_run(place: str, request: pytest.FixtureRequest, tito) -> None:
    (request.getfixturevalue(place) / "entry.py").write_text(CRASHES)
    tito("benchmark", "--tier", "fast", "--entry", "entry.py")
    done = tito("submit", "--event", "all_around")

    assert done.code == 2
    assert "entry.py, failed" in done.err
    assert "--run ID" in done.err


def test_after_a_failed_attempt_a_run_that_is_named_is_packed(athlete: Path, tito) -> None:
    (athlete / "entry.py").write_text(CRASHES)
    run = Workspace().history_of(RunLine)[0].id
    tito("benchmark", "--tier", "fast", "--entry", "entry.py")
    done = tito("submit", "--event", "all_around", "--run", run)

    assert (done.code, f"packing run {run}" in done.err) == (0, True)


def test_status_tells_that_the_last_attempt_failed(athlete: Path, tito) -> None:
    (athlete / "entry.py").write_text(CRASHES)
    tito("benchmark", "--tier", "fast", "--entry", "entry.py")

    assert "failed      entry.py" in tito("status").out
    assert "the last attempt, with entry.py, failed; these are the scores of an older run" in tito("score").err


def test_a_second_run_in_one_workspace_is_refused(beginner: Path, tito) -> None:
    holder = (
        "from tito.workspace.workspace import Workspace\nwith Workspace().measuring(): print(1, flush=True); input()"
    )
    command = [sys.executable, "-c", holder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        done = tito("benchmark", "--tier", "fast")
        other.stdin.close()

    assert (done.code, "another run" in done.err) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_leaves_no_worker_and_no_run(beginner: Path, number: signal.Signals) -> None:
    """The entry says that it has begun, then loops; the signal comes while it does."""
    fifo = beginner / "started"
    os.mkfifo(fifo)
    (beginner / "entry.py").write_text(
        f"def optimize(model, data):\n    open({str(fifo)!r}, 'w').write('started')\n    while True: pass\n"
    )
    heard = (  # a shell's `&` lets the first be ignored, and nohup the last
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    )
    program = f"{heard}; from tito.app import main; main()"
    command = [sys.executable, "-c", program, "olympics", "benchmark", "--entry", "entry.py", "--json"]
    (beginner / "scratch").mkdir()
    environment = {**os.environ, "TMPDIR": str(beginner / "scratch")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as tool:
        assert fifo.read_text() == "started"
        workers = psutil.Process(tool.pid).children(recursive=True)
        tool.send_signal(number)
        out, _ = tool.communicate(timeout=30)

    assert (tool.returncode, json.loads(out)["exit_code"]) == (130, 130)
    assert [worker for worker in workers if worker.is_running()] == []
    assert kinds() == ["failure"]
    assert [*(beginner / "scratch").iterdir(), *beginner.rglob("*.tmp")] == []


def test_output_is_readable_in_an_ascii_locale(beginner: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "60"}
    command = [sys.executable, "-c", "from tito.app import main; main()", "olympics", "status"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("ascii")


def test_a_file_that_cannot_be_written_leaves_the_old_one(athlete: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    tito("submit", "--event", "all_around")
    old = (athlete / "submission.json").read_text()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tinytorch.files.os.fsync", full)
    done = tito("submit", "--event", "all_around")

    assert (done.code, (athlete / "submission.json").read_text()) == (2, old)
    assert "No space left" in done.err


def test_an_interrupted_attempt_is_not_called_failed(athlete: Path, tito) -> None:
    with pytest.raises(KeyboardInterrupt), Workspace().noting_failure("entry.py", "fashion_mlp"):
        raise KeyboardInterrupt

    assert "the last attempt, with entry.py, was interrupted" in tito("submit", "--event", "all_around").err
