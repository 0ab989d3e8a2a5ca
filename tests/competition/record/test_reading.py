"""Only regular files are read, and no more of them than a submission may have."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tinytorch.competition.record.reading import LARGEST_FILE_BYTES, RefusedError, read_regular


def link_to(target: str) -> Callable[[Path], object]:
    """Makes a symbolic link."""
    return lambda path: path.symlink_to(target)


def listen(path: Path) -> None:
    """Leaves a socket."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "No such file"),
    "a directory": (Path.mkdir, "a directory"),
    "a pipe": (os.mkfifo, "a pipe"),
    "a socket": (listen, "a socket"),
    "a link to a device": (link_to("/dev/zero"), "out of its folder"),
    "a link to another folder": (link_to("../other.json"), "out of its folder"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "cannot be read"),
    "a link to nothing": (link_to("nowhere.json"), "No such file"),
}


@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_regular_file_is_refused(tmp_path: Path, make: Callable[[Path], object], words: str) -> None:
    """Neither opened nor waited for."""
    (tmp_path / "other.json").write_text("{}")
    folder = tmp_path / "class"
    folder.mkdir()
    path = folder / "submission.json"
    make(path)
    with pytest.raises(RefusedError, match=words) as caught:
        read_regular(path)

    assert caught.value.stage == "file"


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", "a\0b"])
def test_a_device_and_an_impossible_name_are_refused(name: str) -> None:
    """Reading from a device may never end."""
    with pytest.raises(RefusedError):
        read_regular(Path(name))


def test_a_link_inside_its_folder_is_followed(tmp_path: Path) -> None:
    """As `latest.json` would be."""
    (tmp_path / "run-7.json").write_bytes(b"{}")
    (tmp_path / "latest.json").symlink_to("run-7.json")

    assert read_regular(tmp_path / "latest.json") == b"{}"


def test_no_more_is_read_than_shows_that_it_is_too_much(tmp_path: Path) -> None:
    """A sparse file of a terabyte costs eight megabytes."""
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(10**12)

    assert len(read_regular(tmp_path / "huge.json")) == LARGEST_FILE_BYTES + 1
