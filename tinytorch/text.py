"""Text from outside (entries, files, names) made safe to show."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable


def is_safe(text: str) -> bool:
    """Whether `text` has no control, format (bidirectional overrides among them), surrogate or unassigned character.

    Nor a line or paragraph separator, which ends a line for some readers.
    """
    if text.isascii():
        return text.isprintable()
    return not any(unicodedata.category(character)[0] == "C" or character in "\u2028\u2029" for character in text)


def safe_text(text: str, limit: int = 200) -> str:
    """`text` with every unsafe character written as an escape, cut to `limit` characters."""
    if len(text) <= limit and is_safe(text):
        return text
    head = text[: limit + 1]
    shown = "".join(character if is_safe(character) else _escape(character) for character in head)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def nearest(text: str, choices: Iterable[str]) -> str:
    """`did you mean 'x'?` when a choice is close, else the choices themselves."""
    choices = [str(choice) for choice in choices]  # an enum member as its value
    close = difflib.get_close_matches(text, choices, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(choices)}"


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def safe_lines(text: str, limit: int = 2000) -> str:
    """`safe_text` line by line, for messages of several lines."""
    return "\n".join(safe_text(line, limit) for line in text.splitlines())
