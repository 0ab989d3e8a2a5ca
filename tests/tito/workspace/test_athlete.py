"""Whose submission it is, whatever git is here, and whatever people are called."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tinytorch.errors import UsageError
from tito.workspace import athlete as people
from tito.workspace.athlete import ANONYMOUS

GITS = {  # what stands where git is looked for, the name that comes of it, words of the hint
    "a name": ("#!/bin/sh\necho Ada Lovelace\n", "Ada Lovelace", ""),
    "UTF-8": ("#!/bin/sh\nprintf 'Jos\\303\\251'\n", "José", ""),
    "Latin-1": ("#!/bin/sh\nprintf 'Jos\\351'\n", "Jos\ufffd", "not UTF-8"),
    "no name": ("#!/bin/sh\nexit 1\n", ANONYMOUS, "knows no user.name"),
    "spaces": ("#!/bin/sh\necho '   '\n", ANONYMOUS, "knows no user.name"),
    "broken": ("#!/no/such/shell\n", ANONYMOUS, "there is no git"),
    "no program": ("\x00\x01", ANONYMOUS, "git does not work"),
    "killed": ("#!/bin/sh\nkill -9 $$\n", ANONYMOUS, "git does not work (exit status -9)"),
    "a damaged configuration": ("#!/bin/sh\nexit 128\n", ANONYMOUS, "git does not work (exit status 128)"),
}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the only git on the path will be."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "git"


@pytest.mark.parametrize(("script", "name", "hint"), GITS.values(), ids=GITS.keys())
def test_every_git_gives_a_name_or_a_hint(fake: Path, capsys, script: str, name: str, hint: str) -> None:
    fake.write_text(script)
    fake.chmod(0o755)

    assert people.names(None) == [name]
    assert hint in capsys.readouterr().err


def test_without_git_the_athlete_is_anonymous(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert people.names(None) == [ANONYMOUS]
    assert "--athlete NAME" in capsys.readouterr().err


REFUSALS = [PermissionError(13, "Permission denied"), subprocess.TimeoutExpired("git", 5), OSError(8, "Exec format")]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_a_git_that_does_not_run_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch, capsys, error) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", refuse)

    assert people.names(None) == [ANONYMOUS]
    assert "git does not work" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["", " ", "\t", "\u200b", "\u200c\u200d", "\ufeff"])
def test_an_empty_name_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="--athlete is empty"):
        people.names([given])


NAMES = {
    "Persian with its joiner": "علی\u200cرضا",  # noqa: RUF001
    "combining marks": "Zoe\u0308", "Vietnamese": "Nguye\u0302\u0303n",
    "Hindi": "क्\u200dषेत्र", "a mark of direction": "אבי\u200f", "emoji": "👩\u200d💻", "new letters": "\U0001e900",
    "apostrophe": "O'Brien", "private use": "\ue000",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_names_are_what_people_call_themselves(athlete: Path, tito, name: str) -> None:
    done = tito("submit", "--event", "all_around", "--athlete", name, "-o", "named.json")

    assert done.code == 0, done.err
    assert tito("validate", "named.json").code == 0


@pytest.mark.parametrize("name", ["A\x1b[31m", "A\nB", "A\u202eB", "A\u2066B", "A\udce9", "\x00", "A\u2028B"])
def test_what_would_play_with_the_screen_is_refused(athlete: Path, tito, name: str) -> None:
    done = tito("submit", "--event", "all_around", "--athlete", name)

    assert (done.code, "cannot be shown" in done.err) == (2, True)
    assert not (athlete / "submission.json").exists()
