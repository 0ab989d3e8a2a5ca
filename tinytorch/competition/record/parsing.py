"""From bytes or a Python object that nobody vouches for to a Submission, or to the reason why not.

Reading goes in stages; the first refusal ends it, because nothing behind it can be trusted to be there.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NoReturn

from pydantic import ValidationError

from tinytorch.competition.record import migrations
from tinytorch.competition.record.document import schema_words
from tinytorch.competition.record.kinds import Kind, kind_of_object
from tinytorch.competition.record.reading import JSON, LARGEST_FILE_BYTES, PLAIN, RefusedError
from tinytorch.competition.record.submission import Submission, content_digest
from tinytorch.text import safe_text

DEEPEST_NESTING = 32
MOST_VALUES = 500_000  # also stops an object that holds itself
MOST_OBJECTS = 10_000  # a submission has a few dozen
MOST_KEYS = 1_000  # of one object
LONGEST_TEXT = 4 * 2**20  # characters: half of a file, for the samples of one placement
MOST_SCHEMA_ERRORS = 20
LARGEST_INTEGER_BITS = 64
MENDS: dict[Kind | None, str] = {
    "run": "package it first: tito olympics submit --event EVENT --run FILE",
    "report": "give the submissions that it reports on",
    "schema": "give a file that follows it",
}
PLAIN_TYPES = {dict, list, tuple, str, int, float, bool, type(None)}


@dataclass(frozen=True)
class Parsed:
    """What reading gave: the stages passed, each with what is to be said of it, and the submission or the refusal."""

    passed: dict[str, str]
    refusal: RefusedError | None = None
    submission: Submission | None = None
    document: dict[str, Any] = field(default_factory=dict)  # migrated to this version's schema
    content_sha256: str = ""  # of the document as it was written


def parse_bytes(content: bytes) -> Parsed:
    """The submission in a file's content."""
    passed = {"file": ""}
    try:
        _check_size(content)
        passed["size"] = ""
        text = _decoded(content)
        passed["encoding"] = ""
        document = _read_json(text)
        passed |= dict.fromkeys(JSON, "")
        return _parse(document, passed)
    except RefusedError as refusal:
        return Parsed(passed, refusal)


def parse_object(document: object) -> Parsed:
    """The submission in a plain Python object, such as `json.load` gives."""
    passed: dict[str, str] = {}
    try:
        _check_plain(document)
        passed |= dict.fromkeys(PLAIN, "")
        return _parse(document, passed)
    except RefusedError as refusal:
        return Parsed(passed, refusal)


def _parse(document: object, passed: dict[str, str]) -> Parsed:
    """From a document of plain values to the record; the digest is taken of what was written, before it migrates."""
    if not isinstance(document, dict):
        kind = type(document).__name__
        raise RefusedError("schema", f"the document: a submission is an object, this is {kind}", found=kind)
    other = kind_of_object(document)
    if other in MENDS:
        raise RefusedError("schema", f"this is a {other}, not a submission", MENDS[other], found=other)
    current, passed["schema_version"] = migrations.migrate(document)
    submission = _read_record(current)
    passed["schema"] = ""
    return Parsed(passed, None, submission, current, content_digest(document))


def _check_size(content: bytes) -> None:
    size = len(content)
    if size > LARGEST_FILE_BYTES:
        raise RefusedError(
            "size", f"the file has at least {size:,} bytes; at most {LARGEST_FILE_BYTES:,} are allowed",
            size_bytes=size, limit_bytes=LARGEST_FILE_BYTES,
        )  # fmt: skip


def _decoded(content: bytes) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        raise RefusedError("encoding", "the file starts with a byte order mark (BOM)", byte=0)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError("encoding", f"not UTF-8 text: byte {error.start} cannot be read", byte=error.start) from None


def _read_json(text: str) -> object:
    """The document in `text`; every value in it is plain and finite, and no key hides another."""
    if max(text.count(","), min(text.count("["), text.count("]"))) > MOST_VALUES:  # before a flood is read in
        raise _too_many()
    try:
        document: object = json.loads(text, object_pairs_hook=_ObjectHook(), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RefusedError("json", f"not JSON: {error.msg} in {where}", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # Python refuses to read an integer of thousands of digits
        raise RefusedError("numbers", "a number has thousands of digits") from None
    _check_plain(document)
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


def _check_plain(document: object) -> None:
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


def _read_record(document: dict[str, Any]) -> Submission:
    try:
        return Submission.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        shown = list(map(schema_words, details[:MOST_SCHEMA_ERRORS]))
        more = [f"and {len(details) - len(shown)} more"] if len(details) > len(shown) else []
        raise RefusedError("schema", "; ".join([*shown, *more]), errors=len(details)) from None
