"""Grades to rich renderables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from tinytorch.competition.formats.leaderboard import rank_words
from tinytorch.competition.grading.grades import Grade, Result
from tinytorch.showing import safe_text
from tito.terminal.tables import Lines, table
from tito.views.scores import shown_words

LONGEST_NAME = 40


def grades_table(grades: Sequence[Grade], title: str) -> RenderableType:
    """A line for each person, with what each event brought."""
    events = [each.event for each in grades[0].results] if grades else []
    shown = table(title, "id", "name", "points", *events)
    for grade in grades:
        person = grade.person
        shown.add_row(
            Text(safe_text(person.id or "", LONGEST_NAME)), Text(safe_text(person.name, LONGEST_NAME)),
            f"{grade.points:.4g}", *map(_result, grade.results),
        )  # fmt: skip
    return shown


def _result(result: Result) -> RenderableType:
    if result.place is None:
        return Text(safe_text(result.reason), "yellow")
    figures = result.place.judged.entered
    warned = f"warns: {', '.join(result.warnings)}" if result.warnings else ""
    return Lines(
        f"{result.points:.4g} of {result.most:.4g}",
        f"shown {shown_words(figures)}, rank {rank_words(result.place)}",
        warned,
    )
