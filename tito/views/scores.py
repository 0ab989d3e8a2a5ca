"""Scores to rich renderables: of a run by every event, and in the words that rankings use too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from tinytorch.benchmarking.comparison import Comparison, Statistics
from tinytorch.benchmarking.statistics import Verdict
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.order import Place
from tinytorch.competition.rules.events import ConstraintResult
from tinytorch.competition.scoring.eligibility import NOT_MEASURED, Eligibility, limit_words, value_words
from tinytorch.competition.scoring.expectation import Standing
from tinytorch.units import format_metric, three_digits
from tito.terminal.tables import Lines, table
from tito.views.words import interval_words, p_words

RATIOS = {"speedup", "compression_ratio", "less_work"}


def scores_table(scores: Mapping[str, float | None], found: Statistics) -> RenderableType:
    """The normalized scores; those that are tested with their interval and p-value in this session."""
    shown = table(None, "score", "value", "95 %", "test", right=True)
    tested = {"speedup": found.speedup, "accuracy_delta": found.accuracy_delta}
    for name, value in scores.items():
        words = NOT_MEASURED if value is None else f"{value:+.4f}" if name == "accuracy_delta" else three_digits(value)
        shown.add_row(name, words, *_tested(tested.get(name)))
    return shown


def _tested(comparison: Comparison | None) -> tuple[str, str]:
    """Interval and p-value of what has them."""
    if comparison is None or comparison.ci_lower is None or comparison.ci_upper is None:
        return "", ""
    bounds = interval_words(three_digits(comparison.ci_lower), three_digits(comparison.ci_upper))
    return bounds, p_words(comparison.p_value)


def event_row(event: Eligibility, standing: Standing, advice: str) -> dict[str, Any]:
    """An event's line: its score with interval and verdict, eligible or not and by what margin, and what to do next."""
    asked, interval = event.asked, standing.interval
    said = NOT_MEASURED if event.value is None else f"{event.value:.4g}"
    why = "; ".join(_margin(constraint) for constraint in event.constraints) or "no constraint"
    return {
        "event": event.event, "title": asked.title, "objective": asked.objective,
        "ranked_by": asked.ranked_by, "value": event.value, "score": f"{asked.ranked_by} {said}",
        "shown": shown(event, standing), "interval_of": standing.score,
        "interval": None if interval is None else [interval.lower, interval.upper],
        "verdict": None if standing.verdict is None else standing.verdict.value,
        "eligible": event.is_eligible, "why": why, "next": advice,
    }  # fmt: skip


def events_table(
    events: Iterable[Eligibility], standings: Mapping[str, Standing], advices: Mapping[str, str],
    references: Mapping[str, float],
) -> RenderableType:  # fmt: skip
    """The line of every event: its score beside the reference strategy's, eligible or not, and what to do next."""
    shown = table(None, "event", "score", "eligible", "next")
    words = {True: Text("yes", "green"), False: Text("no", "red"), None: Text("could not check", "yellow")}
    for event in events:
        standing, row = standings[event.event], event_row(event, standings[event.event], advices[event.event])
        score = Lines(
            *_score_lines(event, standing),
            _verdict_words(row["verdict"]),
            *_reference_lines(references.get(event.event), event),
        )
        said = Lines(row["why"], row["next"])
        shown.add_row(row["event"], score, words[row["eligible"]], said)
    return shown


def _verdict_words(verdict: str | None) -> str:
    """What the interval says, and of which two."""
    if verdict is None:
        return "no interval"
    return f"{verdict} than baseline" if verdict in (Verdict.BETTER, Verdict.WORSE) else verdict


def _reference_lines(reference: float | None, event: Eligibility) -> Iterator[str]:
    if reference is not None:
        yield f"reference: {score_words(reference, event.asked.ranked_by)}"


def shown(event: Eligibility, standing: Standing) -> float | None:
    """What a ranking would order the score by; None where nothing is shown."""
    if event.asked.ranked_by == "accuracy" or standing.interval is None:
        return event.value if standing.interval else None
    return standing.interval.lower


def _score_lines(event: Eligibility, standing: Standing) -> Iterator[str]:
    """The score, its interval, and what of it is shown where that is less."""
    ranked_by, found = event.asked.ranked_by, shown(event, standing)
    yield score_words(event.value, ranked_by)
    yield _bounds(standing)
    if found is not None and found != event.value:
        yield f"shown: {score_words(found, ranked_by)}"


def _bounds(standing: Standing) -> str:
    """The interval over many sessions; of accuracy that of its change."""
    return standing.bounds if standing.alike or not standing.bounds else f"change {standing.bounds}"


def score_words(value: float | None, ranked_by: str) -> str:
    """The value that an event ranks by, as people say it."""
    if value is None:
        return NOT_MEASURED
    if ranked_by == "accuracy":
        return format_metric("accuracy", value)
    return f"{three_digits(value)}{'x' if ranked_by in RATIOS else ''}"


def shown_words(figures: Figures) -> str:
    """What is shown of a score, by which ranks are ordered."""
    return "nothing" if figures.shown is None else score_words(figures.shown, figures.ranked_by)


def above_words(place: Place) -> str:
    """How a submission stands beside the one above it, by the corrected p-value of their difference."""
    if place.p_value is None:
        return "" if place.judged.entered.shown is not None else "not tested"
    return "not told apart" if place.p_value == 1 else p_words(place.p_value)


def _margin(constraint: ConstraintResult) -> str:
    return f"{constraint.metric} {value_words(constraint)}, asked {limit_words(constraint)}"
