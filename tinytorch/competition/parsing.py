"""From bytes or a Python object that nobody vouches for to a Submission, or to the reasons why not."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tinytorch.competition.findings import Finding, Outcome, failed, passed
from tinytorch.competition.submission import Submission
from tinytorch.text import safe_text

LARGEST_FILE_BYTES = 8 * 2**20
DEEPEST_NESTING = 32
MOST_VALUES = 500_000  # twice what the longest tier can measure; also stops an object that holds itself
MOST_KEYS = 1_000  # of one object
LONGEST_TEXT = 100_000  # the bitmap of 400,000 test samples
MOST_SCHEMA_ERRORS = 20

Parsed = tuple[Submission | None, list[Finding]]


class _RefusedError(ValueError):
    """Why a document is not acceptable JSON; the message is safe to show."""


def parse_bytes(content: bytes) -> Parsed:
    """The submission in a file's content, with one finding per step of reading it."""
    findings = [Finding.of("size", "error", _size(content))]
    if not findings[-1].passed:
        return None, findings
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"the file is not UTF-8 text: byte {error.start} cannot be read"
        return None, [*findings, Finding.of("encoding", "error", failed(message, "save it as UTF-8"))]
    findings.append(Finding.of("encoding", "error", passed("the file is UTF-8 text")))
    document, outcome = _read_json(text)
    return _parse(document, [*findings, Finding.of("json", "error", outcome)])


def parse_object(document: object) -> Parsed:
    """The submission in a plain Python object, such as `json.load` gives."""
    return _parse(document, [Finding.of("json", "error", _plain(document))])


def _parse(document: object, findings: list[Finding]) -> Parsed:
    if not findings[-1].passed:
        return None, findings
    submission, outcome = _read_record(document)
    return submission, [*findings, Finding.of("schema", "error", outcome)]


def _size(content: bytes) -> Outcome:
    size = len(content)
    if size > LARGEST_FILE_BYTES:
        return failed(f"the file has {size:,} bytes; at most {LARGEST_FILE_BYTES:,} are allowed", "measure less often")
    return passed(f"{size:,} bytes")


def _read_json(text: str) -> tuple[object, Outcome]:
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except _RefusedError as error:
        return None, failed(str(error), "write the file with tito olympics submit")
    except json.JSONDecodeError as error:
        return None, failed(f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}")
    except RecursionError:
        return None, failed(f"nested deeper than {DEEPEST_NESTING} levels")
    except ValueError:  # an integer of thousands of digits
        return None, failed("a number has too many digits")
    return document, _plain(document)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in pairs:
        if key in document:
            raise _RefusedError(f"the key {safe_text(key, 60)!r} appears twice in one object")
        document[key] = value
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise _RefusedError(f"{name} is not a number")


def _plain(document: object) -> Outcome:
    """Whether the document holds plain JSON values only: exact types, finite, none too deep, too many or too long."""
    try:
        _Walk().visit(document, 1)
    except _RefusedError as error:
        return failed(str(error), "give the dict of generate_submission, or what json.load reads")
    return passed("plain JSON values, all numbers finite")


@dataclass
class _Walk:
    seen: int = field(default=0)

    def visit(self, value: object, depth: int) -> None:
        self.seen += 1
        if depth > DEEPEST_NESTING:
            raise _RefusedError(f"nested deeper than {DEEPEST_NESTING} levels")
        if self.seen > MOST_VALUES:
            raise _RefusedError(f"more than {MOST_VALUES:,} values")
        if type(value) is dict:
            if len(value) > MOST_KEYS:
                raise _RefusedError(f"an object with more than {MOST_KEYS:,} keys")
            if any(type(key) is not str for key in value):
                raise _RefusedError("a key is not text")
            self._visit_all([*value, *value.values()], depth)
        elif type(value) is list or type(value) is tuple:
            self._visit_all(value, depth)
        else:
            _check_scalar(value)

    def _visit_all(self, values: list[Any] | tuple[Any, ...], depth: int) -> None:
        for value in values:
            self.visit(value, depth + 1)


def _check_scalar(value: object) -> None:
    kind = type(value)
    if value is None or kind is bool:
        return
    if kind is str:
        _check_text(str(value))
    elif kind is int or kind is float:
        _check_number(value)  # type: ignore[arg-type]
    else:
        raise _RefusedError(f"{safe_text(kind.__name__, 60)} is not a JSON value")


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise _RefusedError(f"a text of more than {LONGEST_TEXT:,} characters")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _RefusedError(f"half a character (a surrogate) in the text {safe_text(text, 60)!r}")


def _check_number(number: int | float) -> None:
    if isinstance(number, int) and number.bit_length() > 64:
        raise _RefusedError("an integer needs more than 64 bits")
    if not math.isfinite(number):
        raise _RefusedError("a number is not finite")


def _read_record(document: object) -> tuple[Submission | None, Outcome]:
    try:
        submission = Submission.model_validate_json(json.dumps(document))
    except ValidationError as error:
        return None, _schema_errors(error)
    return submission, passed(f"follows the submission schema {submission.schema_version}")


def _schema_errors(error: ValidationError) -> Outcome:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [_schema_error(detail) for detail in details[:MOST_SCHEMA_ERRORS]]
    more = len(details) - len(shown)
    return failed(
        "; ".join([*shown, f"and {more} more"] if more else shown), "write the file with tito olympics submit"
    )


def _schema_error(detail: ErrorDetails) -> str:
    place = ".".join(safe_text(str(part), 60) for part in detail["loc"]) or "the document"
    return f"{place}: {safe_text(detail['msg'])}"
