"""`tito olympics schema`: the published schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinytorch.competition.record.document import json_schema
from tinytorch.competition.record.submission import Submission
from tito.olympics.schema import Published


def test_the_default_is_the_submission(tito) -> None:
    assert tito("schema").json == json_schema(Submission)


@pytest.mark.parametrize("document", Published)
def test_every_schema_names_its_dialect_and_refuses_unknown_keys(tito, document: Published) -> None:
    schema = tito("schema", document).json

    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["additionalProperties"] is False


def test_a_schema_can_be_written_to_a_file(beginner: Path, tito) -> None:
    done = tito("schema", "-o", "schema.json")

    assert (done.code, done.out) == (0, "")
    assert json.loads(Path("schema.json").read_text()) == json_schema(Submission)
