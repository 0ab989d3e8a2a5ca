"""What somebody else left is opened by one door: only regular files, bounded, without waiting."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tinytorch.files import guarded, holds, read_regular, read_start, reason, sha256

LIMIT = 1000


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
    "a link to itself": (lambda path: path.symlink_to(path.name), ""),
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
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its words are compared
        read_regular(path, LIMIT)

    assert words in reason(caught.value)


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", "a\0b"])
def test_a_device_and_an_impossible_name_are_refused(name: str) -> None:
    """Reading from a device may never end."""
    with pytest.raises(OSError):  # noqa: PT011 - of several systems
        read_regular(Path(name), LIMIT)


def test_a_link_inside_its_folder_is_followed(tmp_path: Path) -> None:
    """As `latest.json` would be."""
    (tmp_path / "run-7.json").write_bytes(b"{}")
    (tmp_path / "latest.json").symlink_to("run-7.json")

    assert read_regular(tmp_path / "latest.json", LIMIT) == b"{}"


def test_a_link_may_lead_out_where_that_is_allowed_but_to_no_device(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    (tmp_path / "own.toml").write_bytes(b"x")
    (folder / "rules.toml").symlink_to("../own.toml")
    (folder / "zero").symlink_to("/dev/zero")

    assert read_regular(folder / "rules.toml", LIMIT, may_lead_out=True) == b"x"
    with pytest.raises(OSError, match="a device"):
        read_regular(folder / "zero", LIMIT, may_lead_out=True)


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    """A sparse file of a terabyte."""
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(10**12)
    return tmp_path / "huge.json"


def test_no_more_is_read_than_is_asked_for(huge: Path) -> None:
    assert len(read_start(huge, LIMIT)) == LIMIT


def test_a_file_with_more_bytes_than_the_limit_is_refused(huge: Path) -> None:
    with pytest.raises(OSError, match="larger than 1,000 bytes"):
        read_regular(huge, LIMIT)


def test_a_file_holds_what_has_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")

    assert [holds(path, sha256(b"x")), holds(path, sha256(b"y")), holds(tmp_path, sha256(b"x"))] == [True, False, False]


def test_what_foreign_code_put_in_the_place_of_a_file_is_put_back(tmp_path: Path) -> None:
    """A folder in its place, the folder that it was in gone, others beside it."""
    for name in ("changed", "replaced", "in/gone"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    told: list[str] = []
    with guarded(lambda: [path for path in tmp_path.rglob("*") if path.parent.name != "planted" and not path.is_dir()]
                 + [*tmp_path.glob("planted")], lambda: told.append("changed")):  # fmt: skip
        (tmp_path / "changed").write_text("theirs")
        (tmp_path / "replaced").unlink()
        (tmp_path / "replaced").mkdir()
        shutil.rmtree(tmp_path / "in")
        (tmp_path / "planted").mkdir()

    assert told == ["changed"]
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} == {"changed", "replaced", "in", "in/gone"}
    assert (tmp_path / "replaced").read_text() == "replaced"
