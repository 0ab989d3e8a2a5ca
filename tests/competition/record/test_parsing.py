"""Reading files and objects that nobody vouches for: findings, never exceptions."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.competition.checks.validation import CHECKS, validate_bytes, validate_submission
from tinytorch.competition.record.document import SCHEMA_VERSION
from tinytorch.competition.record.parsing import MOST_SCHEMA_ERRORS
from tinytorch.competition.record.plain import DEEPEST_NESTING
from tinytorch.competition.record.reading import LARGEST_FILE_BYTES
from tinytorch.showing import is_safe

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Loud(dict[str, Any]):
    """A dict that raises when it is looked at."""

    def values(self) -> Any:
        raise RuntimeError("boom")


def failing(result: dict[str, Any]) -> dict[str, Any]:
    """The one check that failed, and ended the reading."""
    (failed,) = [check for check in result["checks"] if check["passed"] is False]
    assert failed is result["checks"][-1]
    assert not result["valid"]
    return dict(failed)


def knot() -> list[Any]:
    """A list that holds itself twice."""
    tied: list[Any] = []
    tied.extend([tied, tied])
    return tied


@pytest.mark.parametrize(
    ("content", "check", "words"),
    [
        (b"x" * (LARGEST_FILE_BYTES + 1), "size", "8,388,609 bytes"),
        (b"\xff\xfe{}", "encoding", "UTF-16"),
        (b"", "json", "not JSON"),
        (b"\xef\xbb\xbf{}", "encoding", "BOM"),
        (b"{", "json", "line 1"),
        (b'{"a": 1, "a": 2}', "duplicate_keys", "'a' appears twice"),
        (b'{"\\u202e": 1, "\\u202e": 2}', "duplicate_keys", r"\u202e"),
        (b'{"a": NaN}', "numbers", "NaN"),
        (b'{"a": -Infinity}', "numbers", "-Infinity"),
        (b'{"a": 1e999}', "numbers", "not finite"),
        (b"[" * 100_000 + b"]" * 100_000, "nesting", "nested deeper"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nesting", "nested deeper"),
        (b"[" * (DEEPEST_NESTING + 1) + b"]" * (DEEPEST_NESTING + 1), "nesting", "nested deeper"),
        (b'{"a": ' + b"9" * 5000 + b"}", "numbers", "digits"),
        (b'{"a": 99999999999999999999999}', "numbers", "64 bits"),
        (b'"\\ud800"', "values", "surrogate"),
        (b"[" + b"0," * 600_000 + b"0]", "values", "500,000 values"),
        (json.dumps(dict.fromkeys(map(str, range(2000)))).encode(), "values", "1,000 keys"),
        (b'"' + b"0" * 5_000_000 + b'"', "values", "4,194,304 characters"),
        (b"[]", "schema", "the document"),
        (b"{}", "schema_version", "no schema_version"),
        (b'{"document": "run"}', "schema", "this is a run, not a submission"),
        (b'{"schema_version": "9.0"}', "schema_version", "'9.0' is newer than this program"),
        (b'{"schema_version": ["2.0"]}', "schema_version", "not known"),
        (b"[" + b"{}," * 20_000 + b"{}]", "values", "10,000 objects"),
        (b'{"schema_version": "2.0"}', "schema", "declaration.athlete"),
        (b'{"schema_version": "2.0", "\\u001b[31m": 1}', "schema", r"\x1b[31m"),
    ],
)
def test_a_file_that_is_no_submission_fails_where_it_is_wrong(content: bytes, check: str, words: str) -> None:
    """The first step that cannot be made is named, with the place, and nothing of the file is echoed raw."""
    found = failing(validate_bytes(content))

    assert (found["name"], found["severity"]) == (check, "error")
    assert words in found["message"]
    assert found["message"].isprintable()
    assert found["mend"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        1,
        "text",
        b"{}",
        [],
        {},
        {1: 2},
        {("a",): 1},
        float("nan"),
        object(),
        {1, 2},
        Loud(a=1),
        knot(),
        {"a": 10**9999},
    ],
    ids=lambda document: type(document).__name__,
)
def test_an_object_that_is_no_submission_is_a_finding(document: object) -> None:
    """Whatever is given, the answer is a report."""
    assert failing(validate_submission(document))["name"] in {
        "nesting",
        "numbers",
        "values",
        "schema_version",
        "schema",
    }


def test_twenty_schema_errors_are_shown_and_the_rest_counted() -> None:
    """Many errors stay readable."""
    unknown = {f"key{index}": 1 for index in range(100)}
    message = failing(validate_submission({"schema_version": SCHEMA_VERSION, **unknown}))["message"]

    assert message.count("; ") == MOST_SCHEMA_ERRORS
    assert message.endswith("more")


def test_a_file_is_judged_as_its_object(submission: dict[str, Any]) -> None:
    """Reading a file adds the checks of reading, and changes no other."""
    from_file = validate_bytes(json.dumps(submission, indent=2).encode())
    from_object = validate_submission(submission)

    assert from_file["valid"], [each for each in from_file["checks"] if each["passed"] is False]
    assert from_file["checks"][-len(CHECKS) :] == from_object["checks"][-len(CHECKS) :]


@given(st.binary())
def test_random_bytes_never_raise(content: bytes) -> None:
    """No random file is valid."""
    assert validate_bytes(content)["valid"] is False


@given(JSON_VALUES)
def test_random_json_never_raises(document: object) -> None:
    """No random document is valid."""
    assert validate_submission(document)["valid"] is False
    assert validate_bytes(json.dumps(document).encode())["valid"] is False


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_files_never_raise(data: st.DataObject, submission: dict[str, Any]) -> None:
    """A valid file with bytes cut out or written over is answered with a report."""
    content = json.dumps(submission).encode()
    start = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.integers(0, 200))
    damaged = content[:start] + data.draw(st.binary(max_size=20)) + content[start + length :]
    result = validate_bytes(damaged)

    assert isinstance(result["valid"], bool)
    assert all(map(is_safe, result["issues"]))


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ("x", "placement 2, block 0: 'x' is no whole number of nanoseconds above 0"),
        ("-1 2", "placement 2, block 0: '-1' is no"),
        ("1 2; 3", "placement 2: its blocks are of unequal length"),
        ("1 2; 3 4", "placement 2: 2 blocks of 2 samples where placement 0 has 4 blocks of 8 samples"),
        (" ".join(["1"] * 600_000), "more than 500,000 samples"),
        (7, "placement 2 is no text of samples"),
    ],
)
def test_samples_that_are_none_are_refused_by_name_and_place(
    submission: dict[str, Any], samples: object, words: str
) -> None:
    document = copy.deepcopy(submission)
    document["run"]["optimized"]["metrics"]["latency"]["samples_ns"][2] = samples
    message = failing(validate_submission(document))["message"]

    assert "run.optimized.metrics.latency.samples_ns" in message
    assert words in message
