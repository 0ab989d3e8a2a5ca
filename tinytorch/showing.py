"""Text from outside (entries, files, names) made safe to show."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import timedelta
from math import ceil
from typing import Literal

Form = Literal["NFC", "NFKC"]

# A list of our own, so that every Python gives one verdict on one file, whatever Unicode it knows. Joiners, marks and
# letters of any age are people's names; the marks U+200E, U+200F and U+061C turn no text that follows.
_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # controls: they move the cursor, colour the screen, end the line
    "\u2028\u2029"  # line and paragraph separators: they end a line for some readers
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates: they show a text in another order
    "\ud800-\udfff\ufffe\uffff"  # half a character, and none at all: no UTF-8 or XML can hold them
    "]"
)
_UNSEEN_SIGNS = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U0001d173-\U0001d17a\ufe00-\ufe0f\U000e0000-\U000e01ef]"  # also variation selectors and tags
)
_UNSEEN = re.compile(rf"(?:\s|{_UNSEEN_SIGNS.pattern})*")


def folded(text: str, form: Form = "NFKC") -> str:
    """A text in the form in which names compare: NFKC, without case, invisible characters and spaces around."""
    plain = unicodedata.normalize(form, unicodedata.normalize(form, text).casefold())
    return " ".join(_UNSEEN_SIGNS.sub("", plain).split())


def is_safe(text: str) -> bool:
    """Whether `text` has no control, direction override or lone surrogate, and no line end."""
    return (text.isascii() and text.isprintable()) or not _UNSAFE.search(text)


def is_blank(text: str) -> bool:
    """Whether there is nothing to see in `text`: spaces, joiners and other characters without a shape."""
    return _UNSEEN.fullmatch(text) is not None


def safe_text(text: str, limit: int = 200) -> str:
    """`text` with every unsafe character written as an escape, cut to `limit` characters."""
    if len(text) <= limit and is_safe(text):
        return text
    head = text[: limit + 1]
    shown = _UNSAFE.sub(lambda found: _escape(found[0]), head)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def safe_characters(text: str) -> str:
    """`text` with every unsafe character but the ends of its lines written as an escape."""
    return "\n".join(_UNSAFE.sub(lambda found: _escape(found[0]), line) for line in text.split("\n"))


def nearest(text: str, choices: Iterable[str], otherwise: str = "") -> str:
    """`did you mean 'x'?` when a choice is close; else the choices themselves, or what is said instead of many."""
    choices = [str(choice) for choice in choices]  # an enum member as its value
    close = difflib.get_close_matches(str(text), choices, n=1)  # somebody may have given a number
    return f"did you mean {close[0]!r}?" if close else otherwise or f"choose from {', '.join(choices)}"


def some(parts: Sequence[str], most: int, between: str = ", ") -> str:
    """At most so many of the parts in a row, and how many more there are."""
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return f"{between.join(parts[:most])}{more}"


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def from_argument(text: str) -> str:
    """Text of the command line as UTF-8, also where the locale is another and Python kept the bytes as surrogates."""
    try:
        return os.fsencode(text).decode("utf-8")
    except UnicodeError:  # it is in no encoding that we know: unsafe, and refused where it is used
        return text


def safe_lines(text: str, limit: int = 2000) -> str:
    """`safe_text` line by line, for messages of several lines."""
    return "\n".join(safe_text(line, limit) for line in text.splitlines())


def writable(name: str) -> str:
    """A file's name as Unicode that can be written; bytes of a name that are none come as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def time_words(time: timedelta) -> str:
    """A time in whole minutes, as people say it: `2 days 3 hours`, `5 minutes`."""
    minutes = max(1, ceil(time.total_seconds() / 60))
    parts = {"day": minutes // 1440, "hour": minutes // 60 % 24, "minute": minutes % 60}
    said = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in parts.items() if count]
    return " ".join(said[:2])
