"""Where documents come from and go to: nothing is lost, and pipes, devices and links are what they are elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tinytorch.errors import UsageError
from tito.workspace.documents import Destination, descriptor, read

RUN = '{"document": "run", "schema_version": "3.0", "tool": {}}'
REPORT = '{"document": "report", "results": []}'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put(name: str, text: str = RUN, force: bool = False) -> None:
    Destination(name, "run", force).write(text)


def test_a_new_file_has_the_mode_that_every_new_file_gets() -> None:
    put("run.json")
    Path("other").write_text("")

    assert stat.S_IMODE(Path("run.json").stat().st_mode) == stat.S_IMODE(Path("other").stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_a_file_keeps_its_mode(mode: int) -> None:
    put("run.json")
    Path("run.json").chmod(mode)
    put("run.json")

    assert stat.S_IMODE(Path("run.json").stat().st_mode) == mode


def test_a_read_only_file_is_refused_to_root_too() -> None:
    put("run.json")
    Path("run.json").chmod(0o444)

    with pytest.raises(UsageError, match="read-only"):
        put("run.json", force=True)


@pytest.mark.parametrize("content", ["notes", REPORT, "[1, 2]", '{"schema_version": 1}', "\xff"])
def test_what_is_not_of_this_kind_is_replaced_only_by_force(content: str) -> None:
    Path("mine").write_text(content, "latin-1")
    with pytest.raises(UsageError, match="would be lost"):
        put("mine")
    put("mine", force=True)

    assert Path("mine").read_text() == RUN + "\n"


FORMER_RUN = '{"schema_version":"2.1","id":"20261128T195509Z-6ec501b7"}'


@pytest.mark.parametrize("content", ["", RUN, FORMER_RUN])
def test_an_empty_file_or_one_of_this_kind_is_replaced(content: str) -> None:
    Path("run.json").write_text(content)
    put("run.json", RUN.replace("3.0", "3.2"))

    assert "3.2" in Path("run.json").read_text()


@pytest.mark.parametrize("target", ["there.json", "not-yet.json"])
def test_a_link_stays_and_what_it_leads_to_is_written(target: str) -> None:
    put("there.json")
    Path("link").symlink_to(target)
    put("link", RUN.replace("3.0", "3.2"))

    assert Path("link").readlink() == Path(target)
    assert "3.2" in Path(target).read_text()


def test_a_pipe_stays_a_pipe_and_is_written_through() -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    put("pipe")

    with os.fdopen(reader) as file:
        assert file.read() == RUN + "\n"
    assert Path("pipe").is_fifo()


def test_a_device_is_written_through() -> None:
    before = Path(os.devnull).stat()
    put(os.devnull)

    assert Path(os.devnull).stat().st_ino == before.st_ino


def test_a_descriptor_that_a_shell_gives_is_written_and_stays_open() -> None:
    ours, theirs = os.pipe()
    put(f"/dev/fd/{theirs}")
    os.write(theirs, b"!")
    os.close(theirs)

    with os.fdopen(ours) as file:
        assert file.read() == RUN + "\n!"


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_has_several_names(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    put(name)

    assert capfd.readouterr().out == RUN + "\n"


REFUSED = {
    "full device": ("/dev/full", "No space left"),
    "closed descriptor": ("/dev/fd/987", "Bad file descriptor"),
    "folder": (".", "directory"),
    "no name": ("", "directory"),
    "a folder that is not there": ("no/", "names a folder"),
    "no folder": ("no/such/run.json", "no such folder"),
    "file for a folder": ("file/run.json", "Not a directory"),
    "name of 300 letters": ("x" * 300, "name too long"),
    "link to itself": ("loop", "link"),
}


@pytest.mark.parametrize(("name", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_written_says_why_and_what_to_do(name: str, words: str) -> None:
    Path("file").write_text("")
    Path("loop").symlink_to("loop")
    with pytest.raises(UsageError, match=words) as caught:
        put(name)

    assert "-o FILE" in caught.value.mend


def test_the_longest_name_that_there_can_be_is_written() -> None:
    put("x" * 255)

    assert Path("x" * 255).exists()


def test_a_refused_file_is_refused_before_anything_is_measured() -> None:
    Path("mine").write_text("notes")

    with pytest.raises(UsageError, match="would be lost"):
        Destination("mine", "run").replaced()


def test_a_document_is_read_from_a_descriptor_of_the_shell() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"content")
    os.close(theirs)

    assert read(f"/dev/fd/{ours}") == b"content"


UNREADABLE = {
    "missing": ("nope", "no file or run nope"),
    "folder": (".", "directory"),
    "pipe": ("pipe", "not a regular file"),
    "closed descriptor": ("/dev/fd/987", "Bad file descriptor"),
    "name of 300 letters": ("x" * 300, "name too long"),
    "link to itself": ("loop", "link"),
}


@pytest.mark.parametrize(("name", "words"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_says_why_and_what_to_do(name: str, words: str) -> None:
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    with pytest.raises(UsageError, match=words) as caught:
        read(name)

    assert caught.value.mend


def test_more_than_the_limit_is_refused_unread() -> None:
    Path("large").write_bytes(b"x" * 11)

    with pytest.raises(UsageError, match="larger than 10 bytes"):
        read("large", 10)


@pytest.mark.parametrize(
    ("name", "number"),
    [("-", 0), ("/dev/stdin", 0), ("/dev/stderr", 2), ("/dev/fd/63", 63), ("/dev/fd/", None), ("fd/1", None)],
)
def test_names_of_descriptors(name: str, number: int | None) -> None:
    assert descriptor(name) == number
