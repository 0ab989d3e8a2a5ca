"""Tables on a narrow screen and in a pipe."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from tinytorch.competition.checks.validation import CHECKS
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.run import Run, parse_run
from tinytorch.competition.scoring.eligibility import eligibility
from tinytorch.competition.scoring.expectation import standing
from tinytorch.competition.scoring.scores import compared, compute_scores
from tito.terminal import bars, screen
from tito.terminal.screen import PIPE_COLUMNS
from tito.terminal.tables import Bar, Lines, table
from tito.views import runs as render
from tito.views import scores as score_views


def drawn(renderable: object, width: int) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(renderable)
    return console.file.getvalue()


@pytest.fixture
def run(measured: tuple[Path, object]) -> Run:
    return parse_run("run.json", (measured[0] / "run.json").read_bytes())


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_name_is_broken_at_any_usual_width(run: Run, width: int) -> None:
    scores = compute_scores(run)
    told = {"passed": None, "message": "a reason of several words", "mend": ""}
    checks = [{"id": check.id, "name": check.name, **told} for check in CHECKS]
    events = eligibility(run, scores)
    standings = {event: standing(run, event) for event in OlympicEvent}
    tested = compared(run)
    tables = (score_views.events_table(events, standings, dict.fromkeys(OlympicEvent, "a word"), {}),
              score_views.scores_table(scores.model_dump(), tested), render.checks_table("x", checks))  # fmt: skip
    words = set(re.findall(r"\w+", "".join(drawn(each, width) for each in tables)))

    assert {*OlympicEvent, *(check.name for check in CHECKS), *scores.model_dump()} <= words


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_screen(run: Run, width: int) -> None:
    assert max(map(len, drawn(render.result(run, "all_around"), width).splitlines())) <= width


def test_in_a_pipe_name_and_numbers_stand_on_one_line(run: Run) -> None:
    shown = drawn(render.result(run, "all_around"), PIPE_COLUMNS)
    (line,) = [line for line in shown.splitlines() if line.startswith("latency  ")]

    assert line.count("]") == 3


@pytest.mark.parametrize(
    ("columns", "width"), [("0", PIPE_COLUMNS), ("x", PIPE_COLUMNS), ("", PIPE_COLUMNS), ("72", 72)]
)
def test_a_width_that_is_none_is_not_believed(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    assert screen.console().width == width


def test_a_cell_of_lines_is_no_markup() -> None:
    shown = table("[bold]title", "name")
    shown.add_row(Lines("[red]hostile[/red]"))

    assert "[red]hostile[/red]" in drawn(shown, 80)
    assert "[bold]title" in drawn(shown, 80)


@pytest.mark.parametrize(("terminal", "lines"), [("dumb", 2), ("xterm", 0)])
def test_a_terminal_that_cannot_move_its_cursor_gets_a_line_for_each_stage(
    terminal: str, lines: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", terminal)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with bars.progress() as observer:
        observer("survey", 0.0)
        observer("measure", 0.5)

    assert capsys.readouterr().err.count(" ...\n") == lines


@pytest.mark.parametrize(("share", "bar"), [(0, ""), (0.01, "█"), (0.5, "██"), (1, "████"), (1.5, "████")])
def test_a_bar_is_as_long_as_its_share(share: float, bar: str) -> None:
    assert drawn(Bar(share, 4), 20).strip() == bar


def test_a_bar_is_ascii_where_the_screen_is() -> None:
    screen_of_letters = io.TextIOWrapper(io.BytesIO(), "ascii")
    Console(width=20, file=screen_of_letters).print(Bar(1, 4))
    screen_of_letters.flush()

    assert screen_of_letters.buffer.getvalue().strip() == b"####"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_interval_and_no_heading_is_broken_at_any_width(run: Run, width: int) -> None:
    """Where a table has no room for them its rows are lists."""
    intervals = set(re.findall(r"\[[^\]]*\]", drawn(render.result(run, "all_around"), PIPE_COLUMNS)))
    shown = drawn(render.result(run, "all_around"), width)

    assert len(intervals) > 3
    assert all(each in shown for each in intervals)
    assert "baseline" in shown


def test_a_list_has_each_cell_with_its_heading() -> None:
    shown = table("narrow", "name", "measured", "bar")
    shown.add_row("ada", Lines("25.2x", "[22.7, 26.0]"), Bar(1.0, 4))
    lines = [line.rstrip() for line in drawn(shown, 20).splitlines()]

    assert lines == ["narrow", "name: ada", "  measured: 25.2x", "  [22.7, 26.0]", "  bar:  ████"]


def test_a_terminal_without_a_cursor_has_its_own_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which rich believes that it has 80 columns."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "60")

    assert screen.console(force_terminal=True).width == 60


@pytest.mark.parametrize(("group", "is_ours"), [(0, True), (1, False)])
def test_a_terminal_is_set_from_the_foreground_only(monkeypatch: pytest.MonkeyPatch, group: int, is_ours: bool) -> None:
    """It stops whoever sets it from the background, and `tito ... &` would measure nothing."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True, fileno=lambda: 0))
    monkeypatch.setattr(os, "tcgetpgrp", lambda descriptor: os.getpgrp() + group)

    assert bars._is_ours_to_set() is is_ours
