"""Helper modules beside an entry are found by reading its import statements."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tinytorch.competition.names import MOST_HELPERS
from tinytorch.errors import EntryError, UsageError
from tinytorch.harness.contender import Contender
from tinytorch.harness.helpers import helper_sources, module_name, needed_sources

FILES = {
    "helper.py": "import other",
    "other.py": "",
    "random.py": "",
    "tools/__init__.py": "from . import quick",
    "tools/quick.py": "from .deep.down import bottom\nfrom ..other import x",
    "tools/deep/down.py": "",
    "tools/unused.py": "",
    "broken.py": "def (",
}
IMPORTS = {
    "import helper": ["helper.py", "other.py"],
    "def optimize():\n    from helper import x": ["helper.py", "other.py"],
    "import tools.quick as q": ["tools/__init__.py", "tools/quick.py", "tools/deep/down.py"],
    "from tools import quick": ["tools/__init__.py", "tools/quick.py", "tools/deep/down.py"],
    "import numpy, random, tinytorch.core": [],
    "import broken": ["broken.py"],
    "import entry": ["entry.py"],
    "def (": [],
    "\0": [],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {**FILES, "entry.py": "import entry"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(("source", "expected"), IMPORTS.items(), ids=IMPORTS.keys())
def test_the_modules_that_an_entry_imports_are_found(folder: Path, source: str, expected: list[str]) -> None:
    assert sorted(helper_sources(folder, "entry.py", source.encode())) == sorted(expected)


@pytest.mark.parametrize(
    ("path", "name"), [("helper.py", "helper"), ("tools/__init__.py", "tools"), ("tools/quick.py", "tools.quick")]
)
def test_a_module_has_the_name_that_it_is_imported_by(path: str, name: str) -> None:
    assert module_name(path) == name


def test_a_contender_keeps_what_its_helpers_were(folder: Path) -> None:
    (folder / "entry.py").write_text("import other")
    contender = Contender.entry(folder / "entry.py")
    (folder / "other.py").write_text("changed")

    assert contender.helpers == {"other.py": b""}


def test_too_many_helpers_are_refused(folder: Path) -> None:
    names = [f"helper_{number}" for number in range(MOST_HELPERS + 1)]
    for name in names:
        (folder / f"{name}.py").touch()
    (folder / "entry.py").write_text(f"import {', '.join(names)}")

    with pytest.raises(UsageError, match="more than 100 modules"):
        Contender.entry(folder / "entry.py")


@pytest.mark.parametrize("text", ["x = " + "-" * 300_000 + "1", "x = 1" + " + 1" * 100_000], ids=["signs", "sum"])
def test_what_no_parser_can_read_is_the_entry_s_fault_with_its_line(folder: Path, text: str) -> None:
    (folder / "other.py").write_text(f"import numpy\n\n{text}\ny = 2\n")
    (folder / "entry.py").write_text("import other")

    with pytest.raises(EntryError, match=r"other\.py: line 3 is nested too deeply"):
        Contender.entry(folder / "entry.py")


def test_a_helper_that_is_a_pipe_or_leads_out_is_refused(folder: Path) -> None:
    (folder / "entry.py").write_text("import waits, leads")
    os.mkfifo(folder / "waits.py")
    with pytest.raises(UsageError, match=r"waits\.py, which cannot be read: it is a pipe"):
        Contender.entry(folder / "entry.py")

    (folder / "waits.py").unlink()
    (folder / "leads.py").symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match=r"leads\.py, which cannot be read: it is a link that leads out"):
        Contender.entry(folder / "entry.py")


def test_a_helper_of_a_terabyte_is_not_read(folder: Path) -> None:
    (folder / "entry.py").write_text("import other")
    with (folder / "other.py").open("wb") as file:
        file.truncate(10**12)

    with pytest.raises(UsageError, match="imports more than"):
        Contender.entry(folder / "entry.py")


def test_helpers_that_are_too_large_are_refused(folder: Path) -> None:
    (folder / "entry.py").write_text("import other")
    (folder / "other.py").write_text("#" * 1_000_001)

    with pytest.raises(UsageError, match="imports more than"):
        Contender.entry(folder / "entry.py")


MODEL = b"class Model: pass\n"
BUILDS = b"import model\nTECHNIQUES = ['a']\ndef optimize(m, t): return model.Model()\n"


def needed(modules: list[str], **sources: bytes) -> set[str]:
    """Which files come along for the modules, `entry` among them."""
    files = {f"{name}.py": source for name, source in sources.items()}
    return {path.removesuffix(".py") for path in needed_sources(files, modules)}


def test_what_a_model_does_not_need_stays_behind() -> None:
    assert needed(["model"], entry=BUILDS, model=MODEL, other=b"x = 1\n") == {"model"}


@pytest.mark.parametrize(
    "defines", [b"class Other:\n    size: int = 3\n    def go(self): return f()\n", b"X: int = 3\n"]
)
def test_definitions_set_up_nothing(defines: bytes) -> None:
    assert needed(["model"], entry=BUILDS + defines, model=MODEL) == {"model"}


def test_what_a_needed_module_does_brings_no_other_one_along() -> None:
    assert needed(["model"], entry=BUILDS, model=b"import math\nX = math.sqrt(2)\n" + MODEL) == {"model"}


def test_what_a_needed_module_imports_comes_along() -> None:
    assert needed(["model"], entry=BUILDS, model=b"import base\n" + MODEL, base=MODEL) == {"model", "base"}


SETTING_UP = [
    b"model.SIZE = 3\n", b"model.TABLE['a'] = 1\n", b"model.set_up()\n", b"x = model.set_up()\n",
    b"@model.register\ndef go(x): pass\n", b"class Go(model.Base): pass\n", b"class Go:\n model.SIZE = 1\n",
    b"def go(x=model.set_up()): pass\n", b"for x in (1,): model.SIZE = x\n", b"with open(x): pass\n",
    b"if True: model.SIZE = 3\n",
]  # fmt: skip


@pytest.mark.parametrize("sets_up", SETTING_UP)
def test_where_one_module_sets_up_another_all_come_along(sets_up: bytes) -> None:
    """Otherwise the model would silently be another one than `optimize` saw."""
    assert needed(["model"], entry=BUILDS + sets_up, model=MODEL, other=b"x = 1\n") == {"entry", "model", "other"}


def test_a_model_of_our_layers_needs_nothing_whatever_its_entry_does() -> None:
    assert needed([], entry=BUILDS + b"model.SIZE = 3\n", model=MODEL) == set()
