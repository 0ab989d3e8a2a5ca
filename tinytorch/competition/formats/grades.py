"""Grades as a table for a gradebook: a line for each person, with their id. Safe with any name."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from tinytorch.competition.formats.leaderboard import cell
from tinytorch.competition.formats.published import Published, PublishedReport
from tinytorch.competition.grading.grades import Grade, Result
from tinytorch.competition.rules.events import EventName
from tinytorch.showing import writable


class EventGrade(Published):
    """What one event brought somebody: points for what is `shown` or for the rank, or the reason why there are none."""

    event: EventName
    points: float
    most_points: float
    rank: int | None
    shown: float | None
    value: float | None
    file: str | None
    sha256: str | None
    warnings: list[str]
    reason: str


class PersonGrade(Published):
    """Somebody's points of all events together, and those of each."""

    id: str | None
    name: str
    points: float
    most_points: float
    events: list[EventGrade]


class GradesDocument(PublishedReport):
    """What `tito olympics grade --json` prints."""

    grades: list[PersonGrade]


DECIMALS = 2  # of points
HEAD = ("id", "name", "points", "most_points")
OF_EVENT = ("points", "rank", "shown", "value", "lower", "upper", "file", "sha256", "warnings", "reason")


def as_csv(grades: Sequence[Grade]) -> str:
    """Points of all events together, and of each event what they follow from, in columns that begin with its name."""
    events = [each.event for each in grades[0].results] if grades else []
    text = io.StringIO()
    columns = [*HEAD, *(f"{event}_{name}" for event in events for name in OF_EVENT)]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(dict(_cells(grade)) for grade in grades)
    return text.getvalue().removesuffix("\n")


def as_json(grades: Sequence[Grade]) -> str:
    """One `GradesDocument`, in ASCII: no name turns the text of a terminal around."""
    people = [
        PersonGrade(id=each.person.id, name=each.person.name, points=each.points, most_points=each.most,
                    events=list(map(_event, each.results)))
        for each in grades
    ]  # fmt: skip
    return json.dumps(GradesDocument(grades=people).model_dump(mode="json"), indent=2)


FORMATS = {"csv": as_csv, "json": as_json}


def _event(result: Result) -> EventGrade:
    judged = result.place.judged if result.place else None
    figures = judged.entered if judged else None
    return EventGrade(
        event=result.event, points=result.points, most_points=result.most,
        rank=result.place.rank if result.place else None, shown=figures.shown if figures else None,
        value=figures.value if figures else None, file=writable(judged.source) if judged else None,
        sha256=judged.sha256 if judged else None, warnings=list(result.warnings), reason=result.reason,
    )  # fmt: skip


def _cells(grade: Grade) -> Iterator[tuple[str, Any]]:
    yield "id", cell(grade.person.id or "")
    yield "name", cell(grade.person.name)
    yield "points", round(grade.points, DECIMALS)
    yield "most_points", grade.most
    for result in grade.results:
        for name, value in row(result).items():
            yield f"{result.event}_{name}", cell(value)


def row(result: Result) -> dict[str, Any]:
    """What one event brought, and what it follows from."""
    found = {"points": round(result.points, DECIMALS), "reason": result.reason}
    if result.place is None:
        return found
    judged, figures = result.place.judged, result.place.judged.entered
    lower, upper = figures.interval or (None, None)
    return {
        **found, "rank": result.place.rank, "shown": figures.shown, "value": figures.value, "lower": lower,
        "upper": upper, "file": writable(judged.source), "sha256": judged.sha256, "warnings": " ".join(result.warnings),
    }  # fmt: skip
