"""A bundle holds what it states, and nothing in one leads out of its folder."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tinytorch.competition.record import bundle
from tinytorch.competition.record.bundle import packed, read_handed_in, submission_in, unpacked
from tinytorch.competition.record.reading import RefusedError
from tinytorch.files import sha256

ENTRY = b"def optimize(model, train_data):\n    return model\n"


def submission_of(files: dict[str, bytes]) -> bytes:
    stated = [{"name": name, "sha256": sha256(content)} for name, content in files.items()]
    return json.dumps({"declaration": {"files": stated}}).encode()


def good(**more: bytes) -> dict[str, bytes]:
    files = {"entry.py": ENTRY, **more}
    return {"submission.json": submission_of(files), **files}


def zipped(members: list[tuple[str | zipfile.ZipInfo, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file of anybody's."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as file:
        for name, each in members:
            file.writestr(name, each)
    return content.getvalue()


def with_one(name: str | zipfile.ZipInfo, content: bytes = b"x") -> bytes:
    return zipped([*good().items(), (name, content)])


def test_what_was_packed_comes_out() -> None:
    assert unpacked(packed(good(tools=b"x"))) == good(tools=b"x")


def test_the_same_content_is_the_same_file() -> None:
    files = good()

    assert packed(files) == packed(dict(reversed(files.items())))


def test_its_first_file_is_the_submission() -> None:
    assert packed(good())[30:45] == b"submission.json"


def test_what_a_desktop_adds_is_passed_over() -> None:
    """Somebody unpacked it, and packed it again, on a Mac or on Windows."""
    added = [("__MACOSX/._entry.py", b"\0"), (".DS_Store", b"\0"), ("Thumbs.db", b"\0")]

    assert unpacked(zipped([*good().items(), *added])) == good()


def test_the_folder_that_all_was_packed_with_is_passed_over() -> None:
    inside = [(f"ada/{name}", each) for name, each in good().items()]

    assert unpacked(zipped([*inside, ("__MACOSX/ada/._entry.py", b"\0")])) == good()


def test_anything_else_is_no_bundle() -> None:
    assert submission_in(b"{}") == b"{}"


def link(name: str = "link") -> zipfile.ZipInfo:
    about = zipfile.ZipInfo(name)
    about.external_attr = (stat.S_IFLNK | 0o777) << 16
    return about


def encrypted() -> bytes:
    content = bytearray(packed(good()))
    for signature, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.find(signature) + at] |= 1
    return bytes(content)


def twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate"):
        return with_one("entry.py")


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a parent": (lambda: with_one("../outside.py"), "leads out of its folder"),
    "a parent inside": (lambda: with_one("a/../../b"), "leads out of its folder"),
    "from the root": (lambda: with_one("/etc/passwd"), "leads out of its folder"),
    "a dot": (lambda: with_one("./a"), "leads out of its folder"),
    "a drive": (lambda: with_one("C:evil"), "is none for a file"),
    "a backslash": (lambda: with_one("a\\..\\b"), "is none for a file"),
    "a control character": (lambda: with_one("a\x1b[31m"), "is none for a file"),
    "a long name": (lambda: with_one("a" * 300), "is none for a file"),
    "a name that is long in bytes": (lambda: with_one("я" * 150), "is none for a file"),
    "a link": (lambda: with_one(link()), "is a link"),
    "the same name twice": (twice, "two files 'entry.py'"),
    "a name that looks the same": (lambda: with_one("Entry.PY"), "two files"),
    "a link among what a desktop adds": (lambda: with_one(link("a/.DS_Store")), "is a link"),
    "a folder that is a file": (lambda: with_one("entry.py/.DS_Store"), "is a file, and a folder of others"),
    "a large submission in a folder": (
        lambda: zipped([("x/submission.json", bytes(2**24))]),
        "larger than 8,388,608 bytes",
    ),
    "many files": (lambda: zipped([(f"{number}", b"") for number in range(1_200)]), "more than 1,100 files"),
    "a bomb": (lambda: with_one("zeros", bytes(2**26 + 1)), "more than 67,108,864 bytes together"),
    "a large submission": (lambda: zipped([("submission.json", bytes(2**24))]), "larger than 8,388,608 bytes"),
    "encrypted": (encrypted, "is encrypted"),
    "another packing": (lambda: zipped([*good().items()], zipfile.ZIP_LZMA), "packed in an unusual way"),
    "no submission": (lambda: zipped([("entry.py", ENTRY)]), "no submission.json at its top"),
    "in one of two folders": (
        lambda: zipped([("bob/x", b""), *((f"ada/{name}", each) for name, each in good().items())]),
        "only 'ada/submission.json'",
    ),
    "two hand-ins": (
        lambda: zipped([(f"{who}/{name}", each) for who in ("ada", "bob") for name, each in good().items()]),
        "the submissions of several",
    ),
    "bundles in a zip": (
        lambda: zipped([("a.zip", packed(good())), ("b.zip", packed(good()))]),
        "the submissions of several",
    ),
    "arrays of numpy": (lambda: zipped([("a.npy", b""), ("b.npy", b"")]), "it is a file of numpy arrays"),
    "weights of PyTorch": (
        lambda: zipped([("m/data.pkl", b""), ("m/data/0", b"")]),
        "it is a model's weights (PyTorch)",
    ),
    "a file that is a folder": (lambda: packed({**good(), "entry.py/x": b""}), "is a file, and a folder of others"),
    "cut off": (lambda: packed(good())[:-30], "cannot be unpacked"),
    "a changed byte": (lambda: packed(good()).replace(b"submission.json", b"submission.jsox", 1), "cannot be unpacked"),
    "another entry": (lambda: packed({**good(), "entry.py": b"other"}), "'entry.py' is another file than"),
    "one more": (lambda: packed({**good(), "more.py": b""}), "'more.py' is not one of the files"),
    "one less": (lambda: packed({"submission.json": good()["submission.json"]}), "'entry.py' is missing"),
    "a submission that states nothing": (lambda: packed({"submission.json": b"{}"}), "does not state what else"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_none_of_ours_is_refused_with_a_reason(name: str) -> None:
    make, words = REFUSED[name]
    with pytest.raises(RefusedError) as caught:
        unpacked(make())

    assert (caught.value.stage, words in caught.value.message) == ("bundle", True), caught.value.message


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(RefusedError):
        unpacked(with_one("zeros", bytes(2**26 + 1)))


@given(some.binary(max_size=200), some.integers(0, 400))
def test_no_damage_raises_anything_else(damage: bytes, at: int) -> None:
    content = packed(good())
    try:
        found = unpacked(content[:at] + damage + content[at + len(damage) :])
    except RefusedError:
        return
    assert found == good()


def test_a_file_is_read_as_a_whole_where_it_is_a_bundle(tmp_path: Path) -> None:
    path = tmp_path / "ada.zip"
    path.write_bytes(packed(good()))

    assert read_handed_in(path) == good()["submission.json"]


def test_one_that_is_only_called_a_bundle_is_said(tmp_path: Path) -> None:
    (tmp_path / "ada.zip").write_text("no zip")
    with pytest.raises(RefusedError, match=r"it is called \.zip, and is no zip file"):
        read_handed_in(tmp_path / "ada.zip")


def test_one_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "LARGEST_BUNDLE_BYTES", 100)
    path = tmp_path / "ada.zip"
    path.write_bytes(packed(good()))
    with pytest.raises(RefusedError, match="cannot be read: it is larger than 100 bytes"):
        read_handed_in(path)
