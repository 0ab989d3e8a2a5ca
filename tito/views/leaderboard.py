"""Leaderboards to rich renderables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.competition.formats.leaderboard import rank_words
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.leaderboard import Leaderboard, Ranking, Unranked
from tinytorch.competition.ranking.order import Place
from tinytorch.competition.rules.events import Rules, Significance
from tinytorch.showing import safe_text, some
from tinytorch.units import format_share, three_digits
from tito.terminal.tables import Lines, table
from tito.views.scores import above_words, score_words, shown_words

LONGEST_NAME = 40
MOST_NAMED = 3
MEASURED = 3  # the column
AGAIN = (
    "T2: built and measured again by whoever verified it, and ranked by what that showed, above what was not; it "
    "repeats there, which does not say that nobody cheated; T3: by a clock, inputs and data that the entry cannot reach"
)


def board(found: Leaderboard, most: int | None) -> Iterator[RenderableType]:
    """A table for each ranking with at most so many rows, what stands below it, and what has no rank."""
    if found.title:
        yield Text(safe_text(found.title), "bold")
    for ranking in found.rankings:
        yield Text()
        yield _ranking(ranking, found, most)
        yield from _below(ranking, most)
    if found.rankings:
        yield Text()
        yield Text(_explained(found.rules.significance), style="dim")
        if any(place.judged.entered.claimed for ranking in found.rankings for place in ranking.places):
            yield Text(AGAIN, style="dim")
    yield from _unranked(found.unranked, most)
    yield from _of_class(found, most)


def _of_class(found: Leaderboard, most: int | None) -> Iterator[Text]:
    """Until when files counted, who of a class has no rank, and what does not fit its roster."""
    if found.signed_by:
        yield Text(f"verifications: {found.signed_by}")
    if found.until:
        yield Text(f"what was handed in until {found.until:%Y-%m-%d %H:%M} UTC counts")
    if found.missing:
        names = ", ".join(safe_text(each.name) for each in found.missing)
        yield Text(f"in the class, without a rank ({len(found.missing)}): {names}")
    for said in found.doubts[:most]:
        yield Text(f"roster: {said}", "yellow")


def _explained(rules: Significance) -> str:
    return (
        "ranks are by what is shown: the lower end of the interval, so that noise never pays; "
        f"in brackets the ranks that the data allow (alpha {rules.alpha:g}); p is of the difference from the "
        "entry above, corrected for all pairs (Holm); speedups of two sessions spread by "
        f"{format_share(rules.session_spread, 0)} each; what a word means: tito olympics explain WORD"
    )


def _ranking(ranking: Ranking, found: Leaderboard, most: int | None) -> RenderableType:
    group, asked = ranking.group, found.rules.events[ranking.group.event]
    count = f"{len(ranking.places)} athlete{'' if len(ranking.places) == 1 else 's'}"
    named, task = safe_text(asked.title, 60), safe_text(group.task, 60)
    title = f"{named} by {asked.ranked_by.replace('_', ' ')}: {task}, {group.division} division, {count}"
    if group.machines:
        title += f"; on {safe_text(group.machines, 160)}"
    shown = table(title, "rank", "athlete", "shown", "measured", "vs. above", "machine", "file")
    shown.columns[MEASURED].no_wrap = True  # an interval is not broken
    machines = letters(ranking.places[:most])
    for place in ranking.places[:most]:
        shown.add_row(*_cells(place, asked.ranked_by, machines))
    return Group(
        shown, *(Text(f"{letter}: {machine}", "dim") for machine, letter in machines.items()),
        *_busy([place.judged.entered for place in ranking.places[:most]], found.rules),
    )  # fmt: skip


def _busy(entries: Sequence[Figures], rules: Rules) -> Iterator[Text]:
    """What machines may have done to speedups, each sentence once, with the names of those whom it concerns."""
    found: dict[str, list[str]] = {}
    for each in entries:
        if said := each.busy_words(rules):
            found.setdefault(said, []).append(safe_text(each.athlete_name, LONGEST_NAME))
    for said, names in found.items():
        yield Text(f"{some(names, MOST_NAMED)}: {said}", "yellow")


def letters(places: Sequence[Place]) -> dict[str, str]:
    """Each machine in words, with the letter that stands for it in the table."""
    found = dict.fromkeys(machine_words(place.judged.entered) for place in places)
    return {machine: f"{ascii_uppercase[number % 26]}{number // 26 or ''}" for number, machine in enumerate(found)}


def machine_words(figures: Figures) -> str:
    cores = "" if figures.cores is None else f", {figures.cores} cores"
    return f"{safe_text(figures.machine, 80)}{cores}" if figures.machine else "a machine that is not named"


def _cells(place: Place, ranked_by: str, machines: Mapping[str, str]) -> tuple[RenderableType, ...]:
    figures = place.judged.entered
    measured = [figures.backend or "", figures.tier or "", *(f"doubt: {doubt}" for doubt in figures.doubts)]
    warned = f"warns: {', '.join(place.judged.warnings)}" if place.judged.warnings else ""
    athlete = Lines(safe_text(figures.athlete_name, LONGEST_NAME), f"({figures.track})" if figures.track else "")
    return (
        rank_words(place), athlete,
        shown_words(figures),
        Lines(score_words(figures.ranked_value, ranked_by), _bounds(figures, ranked_by), _again(figures, ranked_by)),
        above_words(place),
        Lines(machines[machine_words(figures)], *(safe_text(each, 40) for each in measured)),
        Lines(safe_text(place.judged.source), warned),
    )  # fmt: skip


def _again(figures: Figures, ranked_by: str) -> str:
    """Of what was measured again: the level, and what was claimed."""
    claimed = figures.claimed.value if figures.claimed else None
    return "" if claimed is None else f"{figures.trust}; claimed {score_words(claimed, ranked_by)}"


def _bounds(figures: Figures, ranked_by: str) -> str:
    """The interval over many sessions; of accuracy that of its change."""
    if figures.interval is None:
        return ""
    lower, upper = figures.interval
    if lower == upper:
        return "(exact)"
    is_change = ranked_by == "accuracy"
    return f"[{lower:+.1f}, {upper:+.1f}] points" if is_change else f"[{three_digits(lower)}, {three_digits(upper)}]"


def _below(ranking: Ranking, most: int | None) -> Iterator[Text]:
    hidden = max(0, len(ranking.places) - len(ranking.places[:most]))
    if hidden:
        yield Text(f"and {hidden} more, shown by --all", style="dim")
    yield from _listed("below", ranking.others, most)


def _unranked(unranked: Sequence[Unranked], most: int | None) -> Iterator[Text]:
    yield from _listed("not ranked", [each for each in unranked if each.is_asked_for], most)
    for reason, count in Counter(each.reason for each in unranked if not each.is_asked_for).most_common(MOST_NAMED):
        yield Text(f"{count} submission{'' if count == 1 else 's'} passed over: {reason}", style="dim")


def _listed(word: str, files: Sequence[Unranked], most: int | None) -> Iterator[Text]:
    for each in files[:most]:
        yield Text(f"{word}: {safe_text(each.source)}: {each.reason}")
    if len(files) > len(files[:most]):
        yield Text(f"{word}: and {len(files) - len(files[:most])} more files, shown by --all", style="dim")
