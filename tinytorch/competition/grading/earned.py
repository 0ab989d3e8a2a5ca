"""What one file earns by itself: points for its score, without the others of its class."""

from __future__ import annotations

from tinytorch.competition.grading.assignment import Assignment
from tinytorch.competition.ranking.judged import Earned, Judged
from tinytorch.competition.ranking.leaderboard import Wanted, obstacle
from tinytorch.units import three_digits


def earned(judged: Judged, assignment: Assignment) -> Earned | None:
    """What a file is worth; None where the assignment gives no points, or gives them by rank: one file has none.

    When it was handed in is the platform's to judge.
    """
    if not assignment.gives_points:
        return None
    figures = judged.figures
    most = max(each.most for each in (assignment.points, *assignment.event_points.values()) if each)
    wanted = Wanted(events=tuple(assignment.events), task=assignment.task, division=assignment.division)
    reason = "it could not be read" if figures is None else obstacle(judged, wanted)
    if figures is None or reason:
        return _none(most, str(reason))
    points = assignment.points_of(figures.event)
    if points is None:
        return _none(most, f"{figures.event} is worth none")
    if points.kind == "rank":
        return None
    if figures.shown is None:
        return _none(points.most, "nothing is shown, it was given by hand")
    found = points.of(figures.shown)
    why = f"{figures.ranked_by} of {three_digits(figures.shown)} is shown"
    return Earned(points=found, most=points.most, words=f"{found:.4g} of {points.most:g} points: {why}")


def _none(most: float, reason: str) -> Earned:
    return Earned(points=0.0, most=most, words=f"0 of {most:g} points: {reason}")
