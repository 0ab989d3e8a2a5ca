"""`tito olympics explain`: a word of the competition in two sentences, or what a check looks at. Light."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinytorch.errors import UsageError
from tinytorch.showing import folded, nearest, safe_text
from tito.options import Json
from tito.terminal import screen

if TYPE_CHECKING:
    from tinytorch.competition.checks.findings import Page

WORDS_FILE = Path(__file__).with_name("words.toml")


@dataclass(frozen=True)
class Word:
    """A word, what it means, an example from a run, and the page under docs/ that says more."""

    name: str
    group: str
    says: str
    example: str
    page: str
    also: tuple[str, ...] = ()

    @property
    def keys(self) -> set[str]:
        """All that people may type for it."""
        return {_key(name) for name in (self.name, *self.also)}


def explain(
    word: Annotated[list[str] | None, typer.Argument(metavar="[WORD|CHECK]", help="A word, or a check's id.")] = None,
    json_: Json = False,
) -> None:
    """Explain a word that the screens use, or a check by its id or name; without one, list all words.

    Examples: tito olympics explain quiet; tito olympics explain rank set; tito olympics explain TO-E01.
    """
    if not word:
        _show(words(), json_)
        return
    asked = " ".join(word)
    found = [each for each in words() if _key(asked) in each.keys]
    if found and not json_:
        _show(found, json_)
    check = _check_named(asked)
    if check is None and not found:
        known = [name for each in words() for name in (each.name, *each.also)]
        mend = nearest(asked, known, "tito olympics explain lists all words")
        raise UsageError(f"no word and no check is called {safe_text(asked, 60)!r}", mend=mend)
    if json_:
        _show(found, json_, check)
    elif check:
        from tito.views import findings as render

        for page in render.pages([check]):
            screen.show(page)


def _check_named(asked: str) -> Page | None:
    """The page of the check that has this id or name."""
    from tinytorch.competition.checks.validation import find_page

    return find_page(asked.replace(" ", "_"))


def words() -> list[Word]:
    """All of them, in the order in which the page has them."""
    rows = tomllib.loads(WORDS_FILE.read_text("utf-8"))["word"]
    return [Word(**{**row, "also": tuple(row.get("also", ()))}) for row in rows]


def _key(text: str) -> str:
    """How words compare: without case and plural, and with spaces for what joins them."""
    return folded(text).replace("_", " ").replace("-", " ").removesuffix("s")


def _show(found: Sequence[Word], json_: bool, check: Page | None = None) -> None:
    if json_:
        screen.put_json({"words": [asdict(word) for word in found], "checks": [check.as_dict()] if check else []})
        return
    screen.put_lines(_told(found[0]) if len(found) == 1 else _listed(found))


def _told(word: Word) -> Iterator[str]:
    """One word with all that is known of it."""
    yield from (word.name, f"  {word.says}", f"  For example: {word.example}", f"  More: docs/{word.page}")


def _listed(found: Sequence[Word]) -> Iterator[str]:
    """The names by group, and how to go on."""
    for group in dict.fromkeys(word.group for word in found):
        yield group
        yield f"  {', '.join(word.name for word in found if word.group == group)}"
    yield "tito olympics explain WORD says what it means; a check's id or name works, too."
