"""The package's own names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tinytorch


def test_every_listed_name_is_there() -> None:
    assert all(getattr(tinytorch, name) is not None for name in tinytorch.__all__)


def test_every_lazy_name_is_listed() -> None:
    assert {*tinytorch._HOME_OF, "__version__"} == set(tinytorch.__all__)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="Tensr"):
        _ = tinytorch.Tensr


def test_importing_the_package_does_not_import_numpy() -> None:
    code = "import sys, tinytorch; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["benchmarking", "competition", "olympics"])
def test_a_part_is_there_without_being_imported_by_name(name: str) -> None:
    code = f"import tinytorch; assert tinytorch.{name}.__name__ == 'tinytorch.{name}'"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
