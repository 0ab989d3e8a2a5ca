"""The page: what its template shows, from a leaderboard and the details of what is ranked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from tinytorch.benchmarking.records.session import Protocol, SystemInfo
from tinytorch.competition.formats.leaderboard import rank_words
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.judged import Circumstances
from tinytorch.competition.ranking.leaderboard import Leaderboard, Ranking, Unranked
from tinytorch.competition.ranking.order import Place
from tinytorch.competition.record.declaration import is_repository
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import Rules
from tinytorch.drawing import defaults
from tinytorch.showing import safe_text, some
from tinytorch.units import format_share, format_size, three_digits
from tito.report import plots
from tito.report.plots import Scale
from tito.report.rendering import rendered
from tito.views.leaderboard import letters, machine_words
from tito.views.rules import constraint_words, limit_rows
from tito.views.scores import above_words, score_words, shown_words

PODIUM_STEPS, MOST_ON_A_STEP = 3, 6
LONGEST_NAME = 200

Context = dict[str, Any]


def page(board: Leaderboard, details: Mapping[str, Circumstances], made_at: datetime) -> str:
    """The whole page; `details` are of the contents that are ranked, by their digest."""
    with defaults():
        return _page(board, details, made_at)


def _page(board: Leaderboard, details: Mapping[str, Circumstances], made_at: datetime) -> str:
    return rendered(
        "page.html.jinja", title=board.title or "Torch Olympics", summary=_summary(board), missing=len(board.missing),
        signed_by=board.signed_by or "", until=f"{board.until:%Y-%m-%d %H:%M} UTC" if board.until else "",
        rules=board.rules, made_at=f"{made_at:%Y-%m-%d %H:%M} UTC",
        rankings=[_ranking(board, each, details, f"r{number}") for number, each in enumerate(board.rankings)],
        unranked=[_unranked(each) for each in board.unranked if each.is_asked_for],
        spread=format_share(board.rules.significance.session_spread, 0), limits=list(limit_rows(board.rules)),
        trust=" ".join(f"{level} ({level.word}): {TRUST_WORDS[level]}." for level in Trust),
    )  # fmt: skip


TRUST_WORDS = {
    Trust.T0: "numbers given by hand",
    Trust.T1: "everything recomputes from the raw samples, which says that the numbers add up, not that they happened",
    Trust.T2: "the entry was built and measured again by the referee, in a box; the figures are the re-run's",
    Trust.T3: "timed by the referee's own clock, and asked on data that nobody had seen, so that no entry can choose "
    "what it is judged by",
}


def _summary(board: Leaderboard) -> str:
    ranked, rankings = sum(len(ranking.places) for ranking in board.rankings), len(board.rankings)
    return f"Athletes: {board.athletes}. Ranked submissions: {ranked}. Rankings: {rankings}."


def _ranking(board: Leaderboard, ranking: Ranking, details: Mapping[str, Circumstances], name: str) -> Context:
    group, asked = ranking.group, board.rules.events[ranking.group.event]
    entries = [place.judged.entered for place in ranking.places]
    scale = _scale(entries, asked.ranked_by)
    panels, best = plots.fronts(entries, name)
    machines = letters(ranking.places)
    known = [details.get(place.judged.sha256, Circumstances()) for place in ranking.places]
    return {
        "name": name, "title": asked.title, "place": _place(board, ranking), "objective": asked.objective,
        "ranked_by": asked.ranked_by, "heading": asked.ranked_by.replace("_", " ").capitalize(),
        "task": group.task, "division": group.division, "test_samples": group.test_samples,
        "constraints": ", ".join(map(constraint_words, asked.constraints)),
        "bar_heading": "Change, points" if asked.ranked_by == "accuracy" else "95 % interval",
        "axis": plots.axis(scale, f"{name}-axis", _axis_words(scale)) if scale else "",
        "podium": list(_podium(ranking, asked.ranked_by)),
        "rows": [_row(place, asked.ranked_by, scale, known[number], f"{name}-{number}", board.rules, machines)
                 for number, place in enumerate(ranking.places)],
        "machines": {letter: machine for machine, letter in machines.items()},
        "panels": panels, "front": _front(best, len(entries)), "others": list(map(_unranked, ranking.others)),
    }  # fmt: skip


def _place(board: Leaderboard, ranking: Ranking) -> str:
    """Task and division, where the event alone does not tell two rankings apart."""
    same = [each for each in board.rankings if each.group.event == ranking.group.event]
    return ranking.group.words if len(same) > 1 else ""


def _scale(entries: Sequence[Figures], ranked_by: str) -> Scale | None:
    bounds = [each.interval for each in entries if each.interval]
    if not bounds:
        return None
    return Scale(min(low for low, _ in bounds), max(high for _, high in bounds), ranked_by != "accuracy")


def _axis_words(scale: Scale) -> str:
    return (
        f"Axis from {three_digits(scale.lower)} to {three_digits(scale.upper)}{', logarithmic' if scale.is_log else ''}"
    )


def _podium(ranking: Ranking, ranked_by: str) -> Iterator[Context]:
    """The first ranks with everybody on them, as far as there is room."""
    classes = [list(places) for _, places in groupby(ranking.places, key=lambda place: place.rank)]
    for places in classes[:PODIUM_STEPS]:
        shown = [place.judged.entered for place in places[:MOST_ON_A_STEP]]
        people = [
            {
                "name": _name(each),
                "shown": shown_words(each),
                "value": score_words(each.value, ranked_by),
                "bounds": _bounds(each, ranked_by),
            }
            for each in shown
        ]
        yield {"rank": places[0].rank, "people": people, "more": len(places) - len(shown)}


def _row(
    place: Place, ranked_by: str, scale: Scale | None, details: Circumstances, name: str, rules: Rules,
    machines: Mapping[str, str],
) -> Context:  # fmt: skip
    judged, figures, scores = place.judged, place.judged.entered, place.judged.entered.scores
    return {
        "name": name, "rank": place.rank, "rank_words": rank_words(place), "athlete": _name(figures),
        "value": figures.value, "measured": score_words(figures.value, ranked_by), "least": figures.shown,
        "shown": shown_words(figures),
        "bar": _bar(figures, ranked_by, scale),
        "bounds": _bounds(figures, ranked_by), "on": machines[machine_words(figures)],
        "p_value": "" if place.p_value is None else place.p_value, "above": above_words(place),
        "speedup": _cell(scores.speedup, "speedup"), "compression": _cell(scores.compression_ratio, "speedup"),
        "accuracy": _cell(figures.accuracy, "accuracy"), "trust": figures.trust, "trust_word": figures.trust.word,
        "claimed": score_words(figures.claimed.value, ranked_by) if figures.claimed else "",
        "warnings": judged.warnings, "file": safe_text(judged.source, LONGEST_NAME),
        "repository": figures.repository if is_repository(figures.repository or "") else None,
        "techniques": figures.techniques, "created_at": f"{figures.created_at:%Y-%m-%d %H:%M} UTC",
        "backend": figures.backend, "busy": figures.busy_words(rules),
        "passed": judged.passed, "notes": judged.notes, "issues": sum(note.is_issue for note in judged.notes),
        **_detailed(details, scores.speedup, name),
    }  # fmt: skip


def _detailed(details: Circumstances, speedup: float | None, name: str) -> Context:
    """What the samples and the machine say."""
    info, protocol = details.system_info, details.protocol
    return {
        "histogram": _histogram(details, speedup, name),
        "source": f"{details.source.kind} {details.source.name}" if details.source else None,
        "machine": _machine(info) if info else None, "protocol": _protocol(protocol) if protocol else None,
        "doubts": [each.evidence for each in protocol.doubts or []] if protocol else [],
    }  # fmt: skip


def _histogram(details: Circumstances, speedup: float | None, name: str) -> Context | None:
    found = details.blocks
    if found is None or not any(found.counts):
        return None
    pairs = sum(found.counts) + found.below + found.above
    return {
        "drawn": plots.histogram(found, name, speedup), "lower": f"{three_digits(found.lower)}x",
        "upper": f"{three_digits(found.upper)}x", "text": f"{pairs:,} block pairs by their speedup",
    }  # fmt: skip


def _machine(info: SystemInfo) -> str:
    cores = f"{info.logical_cores} cores" if info.logical_cores else None
    software = (info.operating_system, info.python, f"numpy {info.numpy}", info.blas)
    return ", ".join(filter(None, (info.cpu_model, cores, format_size(info.memory_bytes), *software)))


def _protocol(protocol: Protocol) -> str:
    sessions = f"{protocol.sessions} sessions of " if protocol.sessions > 1 else ""
    recipe = f"{sessions}{protocol.processes} processes x {protocol.copies} copies, {protocol.visits} visits"
    started = f"{protocol.started_at:%Y-%m-%d %H:%M} UTC"
    return f"{started}, tier {protocol.tier}: {recipe}, BLAS threads: {protocol.threads or 'unverified'}"


def _bar(figures: Figures, ranked_by: str, scale: Scale | None) -> Context | None:
    """Where the interval and the score lie on the common axis."""
    delta = figures.scores.accuracy_delta
    score = figures.value if ranked_by != "accuracy" else None if delta is None else 100 * delta
    if scale is None or figures.interval is None or score is None:
        return None
    lower, upper, middle = (scale.position(each) for each in (*figures.interval, score))
    return {"start": f"{lower:.1f}", "width": f"{max(upper - lower, 0.5):.1f}", "middle": f"{middle - 0.5:.1f}"}


def _bounds(figures: Figures, ranked_by: str) -> str:
    if figures.interval is None:
        return ""
    lower, upper = figures.interval
    if ranked_by == "accuracy":
        return f"{lower:+.1f} to {upper:+.1f} points"
    return f"exactly {three_digits(lower)}" if lower == upper else f"{three_digits(lower)} to {three_digits(upper)}"


def _cell(value: float | None, kind: str) -> Context:
    return {"value": "" if value is None else value, "shown": score_words(value, kind)}


def _name(figures: Figures) -> str:
    return safe_text(figures.athlete_name, LONGEST_NAME)


def _front(best: Sequence[Figures], count: int) -> str:
    names = some([_name(each) for each in best], MOST_ON_A_STEP)
    return f"Beaten by nobody in accuracy, speedup and compression at once, {len(best)} of {count}: {names}."


def _unranked(each: Unranked) -> Context:
    return {"file": safe_text(each.source, LONGEST_NAME), "reason": each.reason}
