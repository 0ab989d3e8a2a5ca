"""What the files of a call tell of the machines that they come from, which one of them alone may not say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.disturbance import Best, QuietTimes


def beside_their_machines(judged: Iterable[Judged], rules: Rules) -> list[Judged]:
    """The same files, each measured by the least time that any of its machine shows: a forgotten one gains nothing.

    Only times that follow from samples count, and only those of valid files. Of the yardstick no file's own reference
    may lie below all of them, because it would excuse everything.
    """
    files, machines = list(judged), defaultdict[str, list[QuietTimes]](list)
    for each in files:
        if quiet := _quiet(each):
            machines[quiet.key].append(quiet)
    least = {key: _least(found) for key, found in machines.items() if len(found) > 1}
    return [_beside(each, least, rules) for each in files]


def _quiet(judged: Judged) -> QuietTimes | None:
    return judged.figures.quiet if judged.figures and judged.valid else None


def _least(found: Iterable[QuietTimes]) -> Best:
    """The least of all sessions."""
    times = list(found)
    return Best(min(min(each.baseline) for each in times), min(min(each.yardstick) for each in times))


def _beside(judged: Judged, least: dict[str, Best], rules: Rules) -> Judged:
    quiet, figures = _quiet(judged), judged.figures
    if quiet is None or figures is None or quiet.key not in least:
        return judged
    return replace(judged, figures=figures.beside(_best(quiet, least[quiet.key]), rules))


def _best(quiet: QuietTimes, least: Best) -> Best:
    own = quiet.best
    if own is None:
        return least
    return Best(min(own.baseline, least.baseline), max(own.yardstick, least.yardstick))
