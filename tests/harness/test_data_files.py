"""What an entry's source names beside it comes along, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinytorch.harness import data_files as module
from tinytorch.harness.data_files import data_files

FILES = (
    "weights.npy",
    "parts/one.npy",
    "parts/two.npy",
    "notes.txt",
    ".secret",
    "parts/.hidden",
    "tools.py",
    "a b.csv",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def named(folder: Path, source: str) -> list[str]:
    return sorted(data_files(folder, {"entry.py": source.encode()}))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("open('weights.npy')", ["weights.npy"]),
        ("open('./weights.npy')", ["weights.npy"]),
        ("Path(__file__).parent / 'parts' / 'one.npy'", ["parts/one.npy", "parts/two.npy"]),
        ("open(f'parts/{name}.npy')", ["parts/one.npy", "parts/two.npy"]),
        ("open(f'{name}.npy')", ["weights.npy"]),
        ("open('a b.csv')", ["a b.csv"]),
        ("open('nothing.npy')", []),
        ("open(f'{part}/one.npy')", []),
        ("open(f'nowhere/{name}.npy'), open('notes.txt')", ["notes.txt"]),
        (f"'{'я ' * 80}.npy'", []),
        (f"'{'я' * 150}'", []),
        ("open('.secret')", []),
        ("open('../weights.npy')", []),
        ("open('/etc/passwd')", []),
        ("open('.'), open(''), open('*'), open('..')", []),
        ("f'{everything}'", []),
        ("import tools; open('tools.py')", []),
        ("'weights'", []),
        ("def broken(", []),
    ],
)
def test_what_is_named_is_found(folder: Path, source: str, found: list[str]) -> None:
    assert named(folder, source) == found


def test_a_warning_about_its_source_is_for_its_author(folder: Path) -> None:
    """An escape that is none, which the parser would speak of to whoever reads it."""
    assert named(folder, "'\\d', open('notes.txt')") == ["notes.txt"]


def test_a_helper_names_files_too(folder: Path) -> None:
    assert [*data_files(folder, {"entry.py": b"", "tools.py": b"open('notes.txt')"})] == ["notes.txt"]


def test_a_link_that_leads_out_is_left_out(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "private"
    other.write_text("private")
    (folder / "link").symlink_to(other)

    assert named(folder, "open('link')") == []


def test_what_does_not_fit_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_BUNDLE_BYTES", 60)
    (folder / "large").write_bytes(bytes(1000))

    assert named(folder, "open('large'), open('notes.txt')") == ["notes.txt"]


def test_there_are_no_more_than_a_bundle_may_have(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_DATA_FILES", 1)

    assert len(named(folder, "open('parts')")) == 1


def test_half_a_character_names_nothing(folder: Path) -> None:
    """Any entry may have one, and it must not end the verification of others."""
    assert named(folder, r"open('weights\ud800.npy')") == []
