"""The exploit corpus, to rich renderables and documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.harness.cheats.catalogue import LEVELS, Cheat, Verdict
from tito.terminal.tables import table

LONGEST_FOUND = 40
LEGEND = (
    "A check's id is what found it (tito olympics validate --explain TO-V10 says what that looks at); DNF: it did not "
    "finish; refused: benchmark gives it no run. 0.98x: nothing was found, and what is shown is so many times its "
    "honest twin's, no more than machines differ by. MISSED: it is more."
)


def table_of(cheats: Sequence[Cheat]) -> RenderableType:
    """A row for each, and below it how many each level finds."""
    shown = table("Entries that cheat", "", "cheat", *LEVELS)
    for each in cheats:
        words = (_short(each.verdicts[level]) for level in LEVELS)
        shown.add_row(str(each.number), Text.assemble((each.name, "bold"), f"\n{each.tries}"), *words)
    counts = (f"{level}: {_counted([each.verdicts[level] for each in cheats])}" for level in LEVELS)
    return Group(shown, *map(Text, counts), Text(LEGEND, style="dim"))


def words_of(cheat: Cheat) -> str:
    """What became of one, in a line."""
    said = "; ".join(f"{level}: {_short(cheat.verdicts[level])}" for level in LEVELS)
    return f"{cheat.number} {cheat.name}: {said}{f'. {cheat.why}' if cheat.why else ''}"


def document(cheats: Sequence[Cheat], with_source: bool = False) -> dict[str, Any]:
    """The same as data."""
    rows = []
    for each in cheats:
        told: dict[str, Any] = {
            "number": each.number, "name": each.name, "tries": each.tries, "event": str(each.event),
            "twin": each.twin, "why": each.why,
        }  # fmt: skip
        for level in LEVELS:
            verdict = each.verdicts[level]
            told[level] = {"ending": verdict.ending, "found": verdict.found, "gain": verdict.gain}
        rows.append({**told, "source": each.path.read_text("utf-8")} if with_source else told)
    return {"document": "report", "cheats": rows}


def _counted(verdicts: Sequence[Verdict]) -> str:
    count = Counter(each.ending for each in verdicts)
    return ", ".join(
        f"{count[ending]} {ending}" for ending in ("caught", "harmless", "missed", "not tried") if count[ending]
    )


def _short(verdict: Verdict) -> str:
    if verdict.found.startswith("refused"):
        return "refused"
    if verdict.found:
        return verdict.found[:LONGEST_FOUND]
    if verdict.gain is None:
        return "not tried"
    return f"{'MISSED ' if verdict.ending == 'missed' else ''}{verdict.gain:.2f}x"
