"""Helper modules beside an entry are found by reading its import statements."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinytorch.competition.names import MOST_HELPERS
from tinytorch.errors import UsageError
from tinytorch.harness.contender import Contender
from tinytorch.harness.helpers import helper_sources, module_name

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
    assert sorted(helper_sources(folder, source.encode())) == sorted(expected)


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


def test_helpers_that_are_too_large_are_refused(folder: Path) -> None:
    (folder / "entry.py").write_text("import other")
    (folder / "other.py").write_text("#" * 1_000_001)

    with pytest.raises(UsageError, match="imports more than"):
        Contender.entry(folder / "entry.py")
