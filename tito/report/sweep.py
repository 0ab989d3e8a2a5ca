"""The page of a sweep: every setting, what is best for each event, and the fronts of those that were timed."""

from __future__ import annotations

from datetime import datetime

from tinytorch.drawing import defaults
from tinytorch.showing import safe_text
from tito.report import plots
from tito.report.plots import Point
from tito.report.rendering import rendered
from tito.views.sweep import Sweep, best_words, headings, left_out_words, rows


def page(sweep: Sweep, made_at: datetime) -> str:
    """The whole page."""
    timed = _timed(sweep)
    with defaults():
        panels, _ = plots.panels(timed, "sweep") if len(timed) > 1 else ([], [])
    return rendered(
        "sweep.html.jinja", entry=safe_text(sweep.entry), task=sweep.task, count=sweep.count,
        headings=headings(sweep), rows=list(rows(sweep)), best=list(best_words(sweep)), panels=panels,
        rules=sweep.rules, told=[words for words in (sweep.advice, left_out_words(sweep)) if words],
        made_at=f"{made_at:%Y-%m-%d %H:%M} UTC",
    )  # fmt: skip


def _timed(sweep: Sweep) -> list[tuple[Point, str]]:
    """Speedup, compression and accuracy of each setting that was timed, with its number."""
    found = []
    for number, (setting, scored) in enumerate(zip(sweep.settings, sweep.scored, strict=True), 1):
        accuracy = setting.run.optimized.metrics.accuracy if setting.run else None
        if accuracy and scored and scored.speedup is not None and scored.compression is not None:
            found.append(((scored.speedup, scored.compression, accuracy.mean), str(number)))
    return found
