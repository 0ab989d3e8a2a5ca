"""A file of every version that ever was loads for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tinytorch.competition.checks.validation import validate_bytes
from tinytorch.competition.record.document import SCHEMA_VERSION, json_schema
from tinytorch.competition.record.migrations import STEPS, migrate
from tinytorch.competition.record.parsing import parse_bytes
from tinytorch.competition.record.reading import RefusedError
from tinytorch.competition.record.submission import Submission

FROZEN = Path(__file__).with_name("frozen")
VERSIONS = [*STEPS, SCHEMA_VERSION]
MEASURED_BEFORE = FROZEN / "submission-1.0.json"
EXAMPLES = [path for kind in ("claimed", "submission") for path in sorted(FROZEN.glob(f"{kind}-*"))]
EXAMPLES.remove(MEASURED_BEFORE)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_frozen_example_loads_and_its_digest_still_belongs_to_it(path: Path) -> None:
    """Read, migrated, recomputed; only the rules may have moved on since."""
    content = path.read_bytes()
    result = validate_bytes(content)
    wrong = {check["name"] for check in result["checks"] if check["passed"] is False and check["severity"] == "error"}

    assert parse_bytes(content).submission is not None
    assert wrong <= {"rules"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_changed_frozen_example_is_found(path: Path) -> None:
    """Migration does not wash a change away."""
    document = json.loads(path.read_bytes())
    declared = document.get("declaration", document)
    declared |= {"athlete": {"name": "Mallory"}} if "declaration" in document else {"athlete_name": "Mallory"}
    result = validate_bytes(json.dumps(document).encode())

    assert [check["passed"] for check in result["checks"] if check["name"] == "digest"] == [False]


def test_times_of_the_former_recipe_are_refused_by_the_name_of_their_version() -> None:
    """They cannot be compared with today's, and their intervals were too narrow."""
    with pytest.raises(RefusedError, match=r"recipe of schema version 1\.0.*measure again"):
        migrate(json.loads(MEASURED_BEFORE.read_bytes()))


def test_nothing_else_lies_among_the_frozen_files() -> None:
    """Three files per version."""
    schemas = [FROZEN / f"schema-{version}.json" for version in VERSIONS]

    assert sorted(FROZEN.iterdir()) == sorted([*EXAMPLES, *schemas, MEASURED_BEFORE])
    assert len(EXAMPLES) == 2 * len(VERSIONS) - 1


def test_the_schema_of_a_version_does_not_change() -> None:
    """A change needs a new version: name it in run.py, add its step to migrations.py, freeze three new files."""
    frozen = json.loads((FROZEN / f"schema-{SCHEMA_VERSION}.json").read_bytes())

    assert json_schema(Submission) == frozen


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("3.1", "'3.1' is newer than this program; known are 1.0"),
        ("2.10", "'2.10' is not known"),
        ("0.9", "'0.9' is not known"),
        ("3.10", "'3.10' is newer"),
        ("one", "'one' is not known"),
        ("1." * 400 + "0", "not known"),
        (1.1, "'1.1' is not known"),
        (None, "no schema_version"),
        ({}, "not known"),
        ("3\u202e", "u202e' is not known"),
    ],
)
def test_a_version_that_is_not_known_is_refused_by_name(version: Any, words: str) -> None:
    """A newer file may mean something that this program does not know."""
    with pytest.raises(RefusedError) as caught:
        migrate({"schema_version": version})

    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_migration_leaves_the_document_it_was_given_alone() -> None:
    """The digest is taken of what was written."""
    document = {"schema_version": "1.0", "x": 1}
    migrated, words = migrate(document)

    assert document == {"schema_version": "1.0", "x": 1}
    assert (migrated["schema_version"], migrated["x"]) == (SCHEMA_VERSION, 1)
    assert words == f"schema version 1.0, read as {SCHEMA_VERSION}"
