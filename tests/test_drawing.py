"""Figures are drawn by matplotlib's own settings, whatever its user has set."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from tinytorch import drawing
from tinytorch.errors import SetupMissingError


def test_what_a_user_has_set_counts_again_afterwards() -> None:
    with matplotlib.rc_context({"text.usetex": True}):
        with drawing.defaults():
            assert not matplotlib.rcParams["text.usetex"]
        assert matplotlib.rcParams["text.usetex"]


def test_without_matplotlib_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(SetupMissingError) as told, drawing.defaults("get it"):
        pass
    assert told.value.mend == "get it"


@pytest.mark.parametrize(("backend", "used"), [("svg", "svg"), ("nonsense", "agg")])
def test_a_backend_is_its_user_s_where_there_is_one(backend: str, used: str, tmp_path: Path) -> None:
    """A notebook shows figures by it."""
    code = (
        "import os; from tinytorch import drawing; drawing.load(); import matplotlib; "
        "print(matplotlib.get_backend(), os.environ['MPLBACKEND'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"MPLBACKEND": backend, "HOME": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.split() == [used, backend]
