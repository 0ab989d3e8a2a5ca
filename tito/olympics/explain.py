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
    every = words()
    if not word:
        _show(every, [], json_)
        return
    asked = " ".join(word)
    found, checks = [each for each in every if _key(asked) in each.keys], _checks_named(asked)
    if not found and not checks:
        known = [name for each in every for name in (each.name, *each.also)]
        mend = nearest(asked, known, "tito olympics explain lists all words")
        raise UsageError(f"no word and no check is called {safe_text(asked, 60)!r}", mend=mend)
    _show(found, checks, json_)


def _checks_named(asked: str) -> list[Page]:
    """The page of the check that has this id or name, if there is one."""
    from tinytorch.competition.checks.validation import find_page

    found = find_page(asked.replace(" ", "_"))
    return [] if found is None else [found]


def words() -> list[Word]:
    """All of them, in the order in which the page has them."""
    rows = tomllib.loads(WORDS_FILE.read_text("utf-8"))["word"]
    return [Word(**{**row, "also": tuple(row.get("also", ()))}) for row in rows]


def _key(text: str) -> str:
    """How words compare: without case and plural, and with spaces for what joins them."""
    return folded(text).replace("_", " ").replace("-", " ").removesuffix("s")


def _show(found: Sequence[Word], checks: Sequence[Page], json_: bool) -> None:
    """For programs, or for people: one word with all that is known of it, several by their names."""
    if json_:
        documents = {"words": [asdict(word) for word in found], "checks": [page.as_dict() for page in checks]}
        screen.put_json(documents)
        return
    if found:
        screen.put_lines(_told(found[0]) if len(found) == 1 else _listed(found))
    if checks:
        from tito.views import findings as render

        for part in render.pages(checks):
            screen.show(part)


def _told(word: Word) -> Iterator[str]:
    """One word with all that is known of it."""
    yield from (word.name, f"  {word.says}", f"  For example: {word.example}", f"  More: docs/{word.page}")


def _listed(found: Sequence[Word]) -> Iterator[str]:
    """The names by group, and how to go on."""
    for group in dict.fromkeys(word.group for word in found):
        yield group
        yield f"  {', '.join(word.name for word in found if word.group == group)}"
    yield "tito olympics explain WORD says what it means; a check's id or name works, too."
