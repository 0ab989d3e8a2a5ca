"""The command line as a shell runs it: streams that are closed, full or read only in part."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = f"{sys.executable} -c 'from tito.app import main; main()' olympics"


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A bash line in which TITO is the command; `pipefail` shows what each command of a pipe returned."""
    script = f"set -o pipefail; {line.replace('TITO', PROGRAM)}"
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "line", ["TITO explain | true", "TITO --help | true", "TITO validate --explain all | true"],
)  # fmt: skip
def test_a_reader_that_has_seen_enough_changes_nothing(athlete: Path, line: str) -> None:
    done = shell(line, athlete)

    assert (done.returncode, done.stderr) == (0, "")


def test_findings_are_findings_whoever_reads_them(athlete: Path) -> None:
    assert shell("TITO validate missing.json | true", athlete).returncode == 1


NOWHERE = {
    "full": ("> /dev/full", "cannot write to standard output: No space left on device"),
    "closed": (">&-", "cannot write to standard output: it is closed"),
}


@pytest.mark.parametrize(("where", "words"), NOWHERE.values(), ids=NOWHERE.keys())
@pytest.mark.parametrize("command", ["score", "status --json", "validate missing.json", "--help"])
def test_output_that_cannot_be_written_is_one_sentence(athlete: Path, command: str, where: str, words: str) -> None:
    done = shell(f"TITO {command} {where}", athlete)

    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"error: {words}", "mend:  make room, or write to another place with -o FILE"]


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
def test_without_stderr_the_code_says_it(athlete: Path, where: str) -> None:
    assert shell(f"TITO score nope {where}", athlete).returncode == 2


def test_no_file_of_ours_takes_the_number_of_a_closed_stream(athlete: Path) -> None:
    done = shell("TITO submit --event all_around --json >&- 2>&- <&-", athlete)

    assert done.returncode == 2
    assert json.loads((athlete / "submission.json").read_text())["declaration"]["event"] == "all_around"
    assert json.loads((athlete / ".tito" / "olympics" / "history.json").read_text())


INPUTS = {
    "a run from a pipe": ("cat run.json | TITO score - --json", 0, "normalized_scores"),
    "a run from a command": ("TITO score <(cat run.json) --json", 0, "normalized_scores"),
    "a run to submit": ("cat run.json | TITO submit --event all_around --run - -o - 2>/dev/null", 0, "declaration"),
    "a submission from a pipe": ("TITO submit --event all_around -o - | TITO validate -", 0, "valid, trust T1"),
    "a submission from a command": ("TITO validate <(TITO submit --event all_around -o -)", 0, "valid, trust T1"),
    "a submission by name": ("TITO submit --event all_around -o - | TITO validate /dev/stdin", 0, "valid, trust T1"),
    "an empty pipe": ("TITO score - < /dev/null 2>&1", 2, "standard input is empty"),
    "no standard input": ("TITO score - <&- 2>&1", 2, "there is no standard input"),
    "no standard input to check": ("TITO validate - <&-", 1, "there is no standard input"),
    "an empty one to check": ("TITO validate - < /dev/null", 1, "standard input is empty"),
}


@pytest.mark.parametrize(("line", "code", "words"), INPUTS.values(), ids=INPUTS.keys())
def test_what_a_shell_gives_is_read(athlete: Path, line: str, code: int, words: str) -> None:
    done = shell(line, athlete)

    assert (done.returncode, words in done.stdout) == (code, True), done.stdout + done.stderr


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_an_accent_arrives_in_any_locale(athlete: Path, locale: str) -> None:
    environment = f"env LC_ALL={locale} PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"
    done = shell(f"{environment} TITO submit --event all_around --athlete 'José' -o -", athlete)

    assert json.loads(done.stdout)["declaration"]["athlete"]["name"] == "José", done.stderr
