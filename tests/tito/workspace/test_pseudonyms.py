"""The key file of pseudonyms: everybody keeps theirs, and nothing of it is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tinytorch.errors import UsageError
from tito.workspace.pseudonyms import pseudonyms


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "key.csv"


def test_everybody_keeps_theirs(key: Path) -> None:
    first = pseudonyms(key, {"id 17": "Ada", "id 23": "Bob"})
    second = pseudonyms(key, {"id 23": "Robert", "id 42": "Eve"})

    assert second["id 23"] == first["id 23"]
    assert len({*first.values(), *second.values()}) == 3
    assert key.stat().st_mode & 0o077 == 0


def test_other_columns_and_lines_stay_as_they_are(key: Path) -> None:
    before = "key,email,pseudonym,name\r\nid 17,a@example.org,QQQQ,Ada"
    key.write_bytes(before.encode())

    assert pseudonyms(key, {"id 17": "Ada"}) == {"id 17": "QQQQ"}
    found = pseudonyms(key, {"id 23": "=HYPERLINK(1)"})
    assert key.read_bytes().decode() == f"{before}\nid 23,,{found['id 23']},'=HYPERLINK(1)\n"


def test_boards_at_once_lose_nothing(key: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: pseudonyms(key, {f"id {number}": "x"}), range(12)))

    assert pseudonyms(key, {f"id {number}": "x" for number in range(12)}) == {
        k: v for each in found for k, v in each.items()
    }


def test_a_team_is_nobody_whose_id_is_written_so(key: Path) -> None:
    team, alone = pseudonyms(key, {"id 1\nid 2": "A, B", "id 1 + id 2": "C"}).values()

    assert team != alone


@pytest.mark.parametrize("content", ["pseudonym,key,name\nQ,id 1,A\nQ,id 2,B\n", "name\nAda\n"])
def test_a_file_that_is_no_key_is_refused_and_left(key: Path, content: str) -> None:
    key.write_text(content)
    with pytest.raises(UsageError, match=r"key\.csv"):
        pseudonyms(key, {"id 17": "Ada"})

    assert key.read_text() == content


@pytest.mark.parametrize("name", ["a\0b", "nowhere/key.csv"])
def test_a_place_that_cannot_be_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot write the key file"):
        pseudonyms(tmp_path / name, {"id 17": "Ada"})
