"""Rules to rich renderables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from tinytorch.competition.rules.changes import leaves, value_words
from tinytorch.competition.rules.events import Constraint, Rules, load_rules
from tinytorch.showing import safe_text
from tinytorch.units import format_limit
from tito.terminal.tables import Lines, table

SHOWN_APART = {"version", "sha256", "events"}


def events(rules: Rules, chosen: str | None) -> RenderableType:
    """A line for each event, or for the chosen one."""
    shown = table("Events", "event", "what counts", "must keep")
    for event, asked in rules.events.items():
        if chosen in (None, event):
            limits = Lines(*map(constraint_words, asked.constraints)) if asked.constraints else "nothing"
            counts = Lines(safe_text(asked.objective), f"ranked by {asked.ranked_by}")
            shown.add_row(event, counts, limits)
    return shown


def limits(rules: Rules) -> RenderableType:
    """Every other rule with its value, and what it was before a class changed it."""
    shipped = dict(limit_rows(load_rules()))
    shown = table("Limits", "rule", "value", "shipped")
    for name, words in limit_rows(rules):
        ours = shipped.get(name, "none")
        shown.add_row(name, words, "" if ours == words else ours)
    return shown


def limit_rows(rules: Rules) -> Iterator[tuple[str, str]]:
    """Every rule apart from those of the events, by its place, with its value in words."""
    for name, value in leaves(rules.model_dump(exclude=SHOWN_APART)):
        yield name, value_words(value)


def constraint_words(constraint: Constraint) -> str:
    """What a constraint asks for: `accuracy >= 85 %`."""
    return f"{constraint.metric} {constraint.operator} {format_limit(constraint.metric, constraint.limit)}"
