"""What is different between two sets of rules, rule by rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinytorch.competition.rules.events import Rules
from tinytorch.showing import safe_text

NAMES = {"version", "sha256"}
NONE = object()


def leaves(document: dict[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """Every single rule of a table, by its place."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value


def value_words(value: Any) -> str:
    """The value of a rule."""
    if isinstance(value, list):
        return safe_text(", ".join(map(value_words, value)))
    if isinstance(value, dict):
        return " ".join(map(value_words, value.values()))
    return safe_text(f"{value:g}" if isinstance(value, float) else str(value))


def changes(before: Rules, after: Rules) -> list[str]:
    """Each rule that is another one, with both values: `significance.alpha 0.05 -> 0.01`."""
    first, second = (dict(leaves(each.model_dump(mode="json", exclude=NAMES))) for each in (before, after))
    return [
        f"{name} {_shown(first, name)} -> {_shown(second, name)}"
        for name in first | second
        if first.get(name, NONE) != second.get(name, NONE)
    ]


def _shown(rules: dict[str, Any], name: str) -> str:
    return value_words(rules[name]) or "nothing" if name in rules else "none"
