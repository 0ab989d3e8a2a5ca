"""From bytes that nobody vouches for to a document of plain, finite values; a flood of them is refused at once."""

from __future__ import annotations

import json
import math
from itertools import chain
from typing import Any, NoReturn

from tinytorch.competition.record.reading import OURS, ForeignError, RefusedError
from tinytorch.foreign import foreign_document, foreign_file
from tinytorch.showing import safe_text

LOOKED_AT = 1_000  # characters of what is no JSON, for what else it is
DEEPEST_NESTING = 32
MOST_VALUES = 500_000  # also stops an object that holds itself
MOST_OBJECTS = 10_000  # a submission has a few dozen
MOST_KEYS = 1_000  # of one object
LONGEST_TEXT = 4 * 2**20  # characters: half of a file, for the samples of one placement
LARGEST_INTEGER_BITS = 64
PLAIN_TYPES = {dict, list, tuple, str, int, float, bool, type(None)}


def decoded(content: bytes) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        raise RefusedError("encoding", "the file starts with a byte order mark (BOM)", byte=0)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if found := foreign_file(content):
            raise ForeignError("encoding", found) from None
        raise RefusedError("encoding", f"not UTF-8 text: byte {error.start} cannot be read", byte=error.start) from None


def read_json(text: str) -> object:
    """The document in `text`; every value in it is plain and finite, and no key hides another."""
    if not text or text.isspace():
        raise RefusedError("json", "not JSON: the file is empty", OURS)
    if max(text.count(","), min(text.count("["), text.count("]"))) > MOST_VALUES:  # before a flood is read in
        raise _too_many()
    try:
        document: object = json.loads(text, object_pairs_hook=_ObjectHook(), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        if found := foreign_file(text[:LOOKED_AT].encode("utf-8", "replace")):
            raise ForeignError("json", found) from None
        where = f"line {error.lineno}, column {error.colno}"
        raise RefusedError("json", f"not JSON: {error.msg} in {where}", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # Python refuses to read an integer of thousands of digits
        raise RefusedError("numbers", "a number has thousands of digits") from None
    if isinstance(document, dict) and (found := foreign_document(document)):
        raise ForeignError("json", found)
    check_plain(document)
    return document


class _ObjectHook:
    """Makes a dict of each JSON object; a duplicate key or a flood of objects is refused at once."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self.made += 1
        if self.made > MOST_OBJECTS:
            raise RefusedError("values", f"more than {MOST_OBJECTS:,} objects", limit=MOST_OBJECTS)
        document = dict(pairs)
        if len(document) < len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            shown = safe_text(twice, 60)
            raise RefusedError("duplicate_keys", f"the key {shown!r} appears twice in one object", key=shown)
        return document


def _refuse_constant(name: str) -> NoReturn:
    raise RefusedError("numbers", f"{name} is not a number", found=name)


def _too_many() -> RefusedError:
    return RefusedError("values", f"more than {MOST_VALUES:,} values", limit=MOST_VALUES)


def _too_deep() -> RefusedError:
    return RefusedError("nesting", f"nested deeper than {DEEPEST_NESTING} levels", limit=DEEPEST_NESTING)


def check_plain(document: object) -> None:
    """Refuse whatever is no plain JSON: exact types only, finite, none too deep, too many or too long.

    It goes down level by level, a whole level in a few passes: nearly all of a submission is samples, on one level.
    """
    level, seen = [document], 1
    for _ in range(DEEPEST_NESTING):
        dicts, lists = _check_level(level)
        seen += sum(map(len, dicts)) + sum(map(len, lists))
        if seen > MOST_VALUES:
            raise _too_many()
        level = list(chain(chain.from_iterable(each.values() for each in dicts), chain.from_iterable(lists)))
        if not level:
            return
    raise _too_deep()


def _check_level(level: list[Any]) -> tuple[list[dict[Any, Any]], list[Any]]:
    """Check the scalars of one level; its objects and its lists, which hold the next."""
    values: dict[type, list[Any]] = {kind: [] for kind in PLAIN_TYPES}
    kinds = set(map(type, level))
    for kind in kinds - PLAIN_TYPES:
        shown = safe_text(kind.__name__, 60)
        raise RefusedError("values", f"{shown} is not a JSON value", found=shown)
    for kind in kinds:
        values[kind] = level if len(kinds) == 1 else [value for value in level if type(value) is kind]
    _check_numbers(values[int], values[float])
    for text in values[str]:
        _check_text(text)
    for document in values[dict]:
        _check_keys(document)
    return values[dict], values[list] + values[tuple]


def _check_numbers(integers: list[int], floats: list[float]) -> None:
    if integers and max(abs(min(integers)), abs(max(integers))).bit_length() > LARGEST_INTEGER_BITS:
        raise RefusedError("numbers", f"an integer needs more than {LARGEST_INTEGER_BITS} bits")
    if not all(map(math.isfinite, floats)):
        raise RefusedError("numbers", "a number is not finite")


def _check_keys(document: dict[Any, Any]) -> None:
    if len(document) > MOST_KEYS:
        message = f"an object with more than {MOST_KEYS:,} keys"
        raise RefusedError("values", message, keys=len(document), limit=MOST_KEYS)
    for key in document:
        if type(key) is not str:
            raise RefusedError("values", "a key is not text")
        _check_text(key)


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        message = f"a text of more than {LONGEST_TEXT:,} characters"
        raise RefusedError("values", message, characters=len(text), limit=LONGEST_TEXT)
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise RefusedError("values", f"half a character (a surrogate) in the text {safe_text(text, 60)!r}")
