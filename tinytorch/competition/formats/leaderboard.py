"""A leaderboard as text for other programs: JSON, CSV for spreadsheets, Markdown. Safe with any submission's texts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import AwareDatetime

from tinytorch.benchmarking.comparison import Disturbance
from tinytorch.benchmarking.statistics import Verdict
from tinytorch.competition.formats.markdown import code_span
from tinytorch.competition.formats.published import Published, PublishedReport
from tinytorch.competition.names import Division, Track
from tinytorch.competition.ranking.figures import Bounds, Figures
from tinytorch.competition.ranking.leaderboard import Leaderboard, Ranking, Unranked
from tinytorch.competition.ranking.order import Place
from tinytorch.competition.record.declaration import RulesId
from tinytorch.competition.record.kinds import HEADLINE
from tinytorch.competition.record.people import Athlete
from tinytorch.competition.record.submission import Scores, Trust
from tinytorch.competition.rules.events import EventName
from tinytorch.showing import safe_text, writable
from tinytorch.units import three_digits

FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # a spreadsheet would compute such a cell

WITHOUT_RANK = "in the class, without a rank"
PIPE = "\\|"  # in a table a pipe ends the cell, even in a code span (GitHub Flavored Markdown 4.10)


class RankedResult(Published):
    """A ranked submission: its rank, the first and last rank that the data allow, and what its event ranks by.

    `shown` is what ranks are ordered by: the lower end of the `interval` of 95 % over many sessions; an accuracy (its
    interval is that of its change, in points) and a ratio of sizes as they are; null of a claim. `verdict` is what the
    interval says beside the baseline, `p_value` that of the difference from the entry above, corrected for all pairs
    (Holm): null of the first, and where nothing can be tested. `claimed_value` is what the athlete's own run showed,
    where the entry was measured again (trust T2): null of any other. `moved` is how far the machine may have moved the
    speedup, ln of it, and null where nothing is taken for it. `machine` and what follows say with what it was measured:
    ratios of two machines, or of two backends, differ.
    """

    rank: int
    rank_set: tuple[int, int]
    athlete_id: str | None
    athlete_name: str
    shown: float | None
    value: float
    interval: Bounds | None
    claimed_value: float | None
    claimed_interval: Bounds | None
    verdict: Verdict | None
    p_value: float | None
    scores: Scores
    latency_ms: float | None
    memory_mb: float | None
    accuracy: float | None
    trust: Trust
    machine: str | None
    cores: int | None
    machine_class: str | None
    backend: str | None
    tier: str | None
    doubts: list[str]
    moved: Disturbance | None
    track: Track | None
    techniques: list[str]
    repository: str | None
    created_at: AwareDatetime
    warnings: list[str]
    file: str
    sha256: str


class UnrankedResult(Published):
    """A file without a rank, and why."""

    file: str
    sha256: str
    athlete_id: str | None
    athlete_name: str | None
    reason: str


class MissingPerson(Published):
    """Somebody of the class who has no file with a rank."""

    athlete_id: str | None
    athlete_name: str


class RankingResult(Published):
    """One ranking: what its submissions have in common, their order, and what the same athletes handed in beside."""

    event: EventName
    ranked_by: str
    task: str
    division: Division
    test_samples: int
    dataset_sha256: str
    machines: str
    rows: list[RankedResult]
    others: list[UnrankedResult]


class RankingsDocument(PublishedReport):
    """What `tito olympics leaderboard --json` prints."""

    rules: RulesId
    title: str | None
    alpha: float
    session_spread: float
    rankings: list[RankingResult]
    unranked: list[UnrankedResult]
    missing: list[MissingPerson]
    doubts: list[str]
    until: AwareDatetime | None
    signed_by: str | None


def document(board: Leaderboard) -> RankingsDocument:
    """The leaderboard as it is published."""
    significance = board.rules.significance
    return RankingsDocument(
        rules=RulesId.of(board.rules), alpha=significance.alpha,
        session_spread=significance.session_spread, rankings=[_ranking(each, board) for each in board.rankings],
        unranked=list(map(_unranked, board.unranked)), title=board.title,
        missing=[MissingPerson(athlete_id=each.id, athlete_name=each.name) for each in board.missing],
        doubts=list(board.doubts), until=board.until, signed_by=board.signed_by,
    )  # fmt: skip


def as_json(board: Leaderboard) -> str:
    """One `RankingsDocument`, in ASCII: no name turns the text of a terminal around."""
    return json.dumps(document(board).model_dump(mode="json"), indent=2)


def as_csv(board: Leaderboard) -> str:
    """A line for each file, ranked or not, and for each of the class who has no rank.

    No cell is a formula: what looks like one begins with an apostrophe.

    `lower` and `upper` are the interval of `RankedResult`.
    """
    found = document(board)
    lines = [_csv_row(row, ranking) for ranking in found.rankings for row in ranking.rows]
    lines += [each.model_dump() for ranking in found.rankings for each in ranking.others]
    lines += [_unranked(each).model_dump() for each in board.unranked if each.is_asked_for]
    lines += [{**each.model_dump(), "reason": WITHOUT_RANK} for each in found.missing]
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: cell(value) for name, value in line.items()} for line in lines)
    return text.getvalue().removesuffix("\n")


def as_markdown(board: Leaderboard) -> str:
    """A table for each ranking, then what has no rank."""
    return "\n".join(_markdown(board))


FORMATS = {"json": as_json, "csv": as_csv, "markdown": as_markdown}

CSV_COLUMNS = (
    "event", "task", "division", "rank", "first_rank", "last_rank", "athlete_id", "athlete_name", "ranked_by",
    "shown", "value", "lower", "upper", "claimed_value", "verdict", "p_value", "speedup", "compression_ratio",
    "accuracy_delta", "accuracy", "trust", "machine", "cores", "machine_class", "backend", "tier", "doubts", "track",
    "techniques", "repository", "created_at", "warnings", "file", "sha256", "reason",
)  # fmt: skip


def _ranking(ranking: Ranking, board: Leaderboard) -> RankingResult:
    return RankingResult(
        **ranking.group._asdict(), ranked_by=board.rules.events[ranking.group.event].ranked_by,
        rows=list(map(_row, ranking.places)), others=list(map(_unranked, ranking.others)),
    )  # fmt: skip


def _row(place: Place) -> RankedResult:
    figures, claimed = place.judged.entered, place.judged.entered.claimed
    same = {name: getattr(figures, name) for name in RankedResult.model_fields if hasattr(figures, name)}
    return RankedResult(
        **same, claimed_value=claimed.value if claimed else None,
        claimed_interval=claimed.interval if claimed else None, rank=place.rank,
        rank_set=(place.first, place.last), p_value=place.p_value,
        athlete_id=_id(figures.athlete), warnings=list(place.judged.warnings),
        file=writable(place.judged.source), sha256=place.judged.sha256,
    )  # fmt: skip


def _unranked(each: Unranked) -> UnrankedResult:
    return UnrankedResult(
        file=writable(each.source), sha256=each.sha256, athlete_id=_id(each.athlete) if each.athlete else None,
        athlete_name=each.athlete_name, reason=each.reason,
    )  # fmt: skip


def _id(athlete: Athlete) -> str | None:
    """The id that a class gave, or those of a team."""
    return "; ".join(id_ for _, id_ in athlete.people if id_) or None


def _csv_row(row: RankedResult, ranking: RankingResult) -> dict[str, Any]:
    lower, upper = row.interval or (None, None)
    first, last = row.rank_set
    found = {**ranking.model_dump(mode="json"), **row.scores.model_dump(), **row.model_dump(mode="json"),
             "lower": lower, "upper": upper, "first_rank": first, "last_rank": last}  # fmt: skip
    found |= {name: "; ".join(found[name]) for name in ("techniques", "warnings", "doubts")}
    return {name: found[name] for name in CSV_COLUMNS if name in found}


def cell(value: Any) -> Any:
    """A number as it is; a text on one line, and none that a spreadsheet would compute."""
    if not isinstance(value, str):
        return value
    shown = safe_text(value, 1_000)
    return f"'{shown}" if shown.lstrip().startswith(FORMULA_STARTS) else shown


def _markdown(board: Leaderboard) -> Iterator[str]:
    yield f"# {HEADLINE}leaderboard"
    if board.title:
        yield f"\n{code_span(board.title)}"
    for ranking in board.rankings:
        group = ranking.group
        where = f", on {code_span(group.machines)}" if group.machines else ""
        title = board.rules.events[group.event].title
        yield f"\n## {title}: {code_span(group.task)}, {group.division} division{where}\n"
        yield from _table(ranking, board.rules.events[group.event].ranked_by)
        yield from _list(ranking.others)
    unranked = [each for each in board.unranked if each.is_asked_for]
    if unranked:
        yield "\n## Not ranked"
        yield from _list(unranked)
    if board.missing:
        yield "\n## In the class, without a rank\n"
        yield from (f"- {code_span(each.name)}" for each in board.missing)


def _table(ranking: Ranking, ranked_by: str) -> Iterator[str]:
    yield f"| rank | athlete | shown | {ranked_by} | 95 % | beside the baseline | trust | measured with | file |"
    yield "|---:|---|---:|---:|---|---|---|---|---|"
    for place in ranking.places:
        figures = place.judged.entered
        cells = (
            rank_words(place), code_span(figures.athlete_name), shown_words(figures),
            three_digits(figures.ranked_value),
            _bounds(figures, ranked_by),
            figures.verdict or "not tested", trust_words(figures), code_span(", ".join(measured_with(figures))),
            code_span(place.judged.source),
        )  # fmt: skip
        yield f"| {' | '.join(cell.replace('|', PIPE) for cell in cells)} |"


def rank_words(place: Place) -> str:
    """The rank, and beside it the set of ranks that the data allow where they allow more than one."""
    return f"{place.rank} ({place.allowed})" if place.allowed else str(place.rank)


def shown_words(figures: Figures) -> str:
    """What ranks are ordered by."""
    return "nothing" if figures.shown is None else three_digits(figures.shown)


def trust_words(figures: Figures) -> str:
    """The level, and beside a re-run what was claimed."""
    claimed = figures.claimed.value if figures.claimed else None
    return figures.trust if claimed is None else f"{figures.trust}, claimed {three_digits(claimed)}"


def measured_with(figures: Figures) -> list[str]:
    """Processor, cores, backend, tier and doubts in words, as far as they are known."""
    cores = None if figures.cores is None else f"{figures.cores} cores"
    doubts = f"doubts: {', '.join(figures.doubts)}" if figures.doubts else None
    found = (figures.machine, cores, figures.backend, figures.tier and f"tier {figures.tier}", doubts)
    return [safe_text(each, 100) for each in found if each]


def _bounds(figures: Figures, ranked_by: str) -> str:
    """The interval; of accuracy that of its change."""
    if figures.interval is None:
        return ""
    return f"{' to '.join(map(three_digits, figures.interval))}{' points' if ranked_by == 'accuracy' else ''}"


def _list(unranked: Sequence[Unranked]) -> Iterator[str]:
    yield from [""] if unranked else []
    for each in unranked:
        yield f"- {code_span(each.source)}: {code_span(each.reason)}"
