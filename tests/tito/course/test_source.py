"""Reading a student's file: Python, a notebook, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.errors import UsageError
from tito.course.source import read_cells, without_magics


def notebook(folder: Path, *sources: str | list[str], kind: str = "code") -> Path:
    path = folder / "02_activations.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": kind, "source": source} for source in sources]}))
    return path


def test_a_notebook_is_its_code_cells_in_order(tmp_path: Path) -> None:
    path = notebook(tmp_path, "a = 1", ["b = 2\n", "c = 3"])

    assert [cell.text for cell in read_cells(path)] == ["a = 1", "b = 2\nc = 3"]
    assert read_cells(path)[1].name == f"{path} (code cell 2)"


def test_text_between_cells_is_left_out(tmp_path: Path) -> None:
    assert read_cells(notebook(tmp_path, "# a title", kind="markdown")) == ()


def test_where_cells_are_exported_the_others_are_left_out(tmp_path: Path) -> None:
    path = notebook(tmp_path, "#| default_exp core.activations", "#| export\na = 1", "print(a)", "x = 0\n# | export\n")

    assert [cell.exported for cell in read_cells(path)] == [False, True, False, True]


@pytest.mark.parametrize(
    ("mark", "is_one"),
    [("#| export", True), ("#|export", True), ("# export", True), ("#| export-foo", False), ("# exported", False)],
)
def test_a_mark_of_either_edition_is_one(tmp_path: Path, mark: str, is_one: bool) -> None:
    _, other = read_cells(notebook(tmp_path, f"{mark}\na = 1", "b = 2"))

    assert other.exported is not is_one


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("if x:\n    !ls\n", "if x:\n    pass\n"),
        ("files = !ls", "pass"),
        ("Tensor?", "pass"),
        ("a, b.c = !ls", "pass"),
        ("!pip install \\\n  numpy\nx = 1", "pass\n\nx = 1"),
        ("  x = 1\n  y = 2", "x = 1\ny = 2"),
        ("\n%%bash\nls", ""),
        ("x = (100\n% 7)", "x = (100\n% 7)"),
        ("'''\n%matplotlib\n'''", "'''\n%matplotlib\n'''"),
        ("%%time\nx = 1", "\nx = 1"),
        ("%%bash\nls", ""),
        ("def broken(:", "def broken(:"),
        ("", ""),
    ],
)
def test_only_what_python_does_not_understand_is_a_magic(cell: str, python: str) -> None:
    assert without_magics(cell) == python


@given(st.text(alphabet="%!?x=( \n'#:", max_size=30))
def test_lines_keep_their_numbers(cell: str) -> None:
    assert without_magics(cell) == "" or without_magics(cell).count("\n") == cell.count("\n")


WRONG = {
    "another ending": ("activations.txt", b"x = 1", "is neither Python nor a notebook"),
    "no ending": ("activations", b"x = 1", "is neither Python nor a notebook"),
    "no JSON": ("a.ipynb", b"{", "is no notebook of today's format"),
    "too deep": ("a.ipynb", b"[" * 100_000, "is no notebook of today's format"),
    "an old format": ("a.ipynb", b'{"worksheets": []}', "it has no list of cells"),
    "a cell without a text": (
        "a.ipynb",
        b'{"cells": [{"cell_type": "code", "source": null}]}',
        "a code cell has no text",
    ),
    "no text": ("a.py", b"\xff", "is no text"),
    "an unknown encoding": ("a.py", b"# coding: nothing", "is no text"),
}


@pytest.mark.parametrize(("name", "content", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_cells(tmp_path / name)
