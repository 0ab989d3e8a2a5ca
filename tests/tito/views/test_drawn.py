"""A run as a forest of intervals: each shows what the tests decide."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.competition.conftest import make_run
from tinytorch.benchmarking.statistics import Interval
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.expectation import Standing
from tito.views import drawn


@pytest.mark.parametrize(("lower", "meets"), [(-1.5, True), (0.2, False)])
def test_accuracy_s_interval_is_that_of_which_the_test_decides(
    lower: float, meets: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = Standing("accuracy (points)", Interval(lower, 2.5), alike=0.0, allowance=0.0)
    monkeypatch.setattr(drawn, "standing", lambda *about: points)
    console = Console(width=80, file=io.StringIO())
    console.print(drawn.forest(make_run(), load_rules(), 80))
    line = next(line for line in console.file.getvalue().splitlines() if line.startswith("accuracy"))

    assert (f"[{lower:+.1f}, +2.5] points" in line, "┿" in line) == (True, meets)
