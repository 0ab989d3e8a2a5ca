"""TOML that somebody wrote: a file of rules, or of a class."""

from __future__ import annotations

import tomllib
from typing import Any

from tinytorch.foreign import foreign_file
from tinytorch.showing import safe_text


def read_toml(content: bytes) -> dict[str, Any]:
    """The document in a file's content; ValueError says why it is none, in words which may be shown."""
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        if found := foreign_file(content):
            raise ValueError(f"it is {found.words}, not TOML") from None
        words = f"byte {error.start} is not UTF-8" if isinstance(error, UnicodeDecodeError) else safe_text(str(error))
        raise ValueError(f"it is not TOML: {words}") from None
