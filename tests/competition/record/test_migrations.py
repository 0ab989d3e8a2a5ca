"""A file of every version that ever was loads for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tinytorch.benchmarking.records.metrics import Memory
from tinytorch.benchmarking.records.samples import read_samples
from tinytorch.competition.checks.validation import validate_bytes
from tinytorch.competition.record.document import SCHEMA_VERSION, json_schema
from tinytorch.competition.record.migrations import STEPS, migrate
from tinytorch.competition.record.parsing import parse_bytes
from tinytorch.competition.record.reading import RefusedError
from tinytorch.competition.record.run import RunFile, parse_run
from tinytorch.competition.record.submission import Submission
from tinytorch.errors import UsageError

FROZEN = Path(__file__).with_name("frozen")
VERSIONS = [*STEPS, SCHEMA_VERSION]
MEASURED_BEFORE = FROZEN / "submission-1.0.json"
FORMER_RUN = FROZEN / "run-2.1.json"
RUN_OF_3_0 = FROZEN / "run-3.0.json"
EXAMPLES = [path for kind in ("claimed", "submission") for path in sorted(FROZEN.glob(f"{kind}-*"))]
EXAMPLES.remove(MEASURED_BEFORE)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_frozen_example_loads_and_its_digest_still_belongs_to_it(path: Path) -> None:
    """Read, migrated, recomputed; only the older ones' baseline is a made-up one."""
    content = path.read_bytes()
    result = validate_bytes(content)
    wrong = {check["name"] for check in result["checks"] if check["passed"] is False and check["severity"] == "error"}

    assert parse_bytes(content).submission is not None
    assert wrong <= {"known_baseline"}


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
    with pytest.raises(RefusedError, match=r"recipe of schema version 1\.0") as caught:
        migrate(json.loads(MEASURED_BEFORE.read_bytes()))

    assert caught.value.mend == "measure again: tito olympics benchmark"


def test_nothing_else_lies_among_the_frozen_files() -> None:
    """Three files per version, and two runs."""
    schemas = [FROZEN / f"schema-{version}.json" for version in VERSIONS]

    assert sorted(FROZEN.iterdir()) == sorted([*EXAMPLES, *schemas, MEASURED_BEFORE, FORMER_RUN, RUN_OF_3_0])
    assert len(EXAMPLES) == 2 * len(VERSIONS) - 1


def test_the_schema_of_a_version_does_not_change() -> None:
    """A change needs a new version: name it in run.py, add its step to migrations.py, freeze three new files."""
    frozen = json.loads((FROZEN / f"schema-{SCHEMA_VERSION}.json").read_bytes())

    assert json_schema(Submission) == frozen


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("3.8", "'3.8' is newer than this program; known are 1.0"),
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


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [("declaration", "track", "human"), ("source", "track", "human"), ("declaration", "event", "green_run")],
)
def test_what_3_7_added_is_refused_in_a_file_that_says_it_is_older(place: str, key: str, value: str) -> None:
    document = json.loads((FROZEN / "submission-3.6.json").read_bytes())
    within = document["declaration"] if place == "declaration" else document["run"]["source"]
    within[key] = value
    with pytest.raises(RefusedError, match=key):
        migrate(document)


def test_migration_leaves_the_document_it_was_given_alone() -> None:
    """The digest is taken of what was written."""
    document = {"schema_version": "1.0", "x": 1}
    migrated, words = migrate(document)

    assert document == {"schema_version": "1.0", "x": 1}
    assert (migrated["schema_version"], migrated["x"]) == (SCHEMA_VERSION, 1)
    assert words == f"schema version 1.0, read as {SCHEMA_VERSION}"


def test_times_of_2_2_are_the_same_in_nanoseconds_and_text() -> None:
    document = json.loads((FROZEN / "submission-2.2.json").read_bytes())
    before, after = document["optimized"]["metrics"]["latency"], migrate(document)[0]["run"]["optimized"]["metrics"]

    assert read_samples(after["latency"]["samples_ns"]).tolist() == before["samples_ns"]
    assert after["latency"]["mean_ns"] == pytest.approx(1e6 * before["mean"], rel=1e-12)


@pytest.mark.parametrize(
    "samples", [[[["1"]]], [[[1.5]]], [[[True]]], [[[1], [2, 3]]], [1], "1", [[[2**70]]], [[[-1]]]]
)
def test_samples_of_2_2_that_are_none_are_refused_by_the_schema(samples: Any) -> None:
    """Whatever stands there, migration neither fails nor makes it good."""
    document = json.loads((FROZEN / "submission-2.2.json").read_bytes())
    document["baseline"]["metrics"]["latency"]["samples_ns"] = samples
    (failed,) = [each for each in validate_bytes(json.dumps(document).encode())["checks"] if each["passed"] is False]

    assert failed["name"] in ("schema", "numbers")
    assert failed["name"] == "numbers" or "run.baseline.metrics.latency.samples_ns" in failed["message"]


HIDING = ["extra", "run", "declaration", "derived", "document", "tool", "baseline.backend", "optimized.backend",
          "source.division", "source.techniques", "system_info.scipy", "system_info.numba",
          "baseline.metrics.latency.mean_ns"]  # fmt: skip


@pytest.mark.parametrize("place", HIDING)
def test_a_key_that_2_2_did_not_have_hides_nothing(place: str) -> None:
    document = json.loads((FROZEN / "submission-2.2.json").read_bytes())
    *way, key = place.split(".")
    holder = document
    for name in way:
        holder = holder[name]
    holder[key] = None
    failed = [each["name"] for each in validate_bytes(json.dumps(document).encode())["checks"] if not each["passed"]]

    assert failed == ["schema"]


def test_what_accuracy_is_worth_has_the_name_of_3_1() -> None:
    """And keeps the value that the formula of its rules gave it."""
    document = json.loads((FROZEN / "submission-3.0.json").read_bytes())
    scores = migrate(document)[0]["derived"]["scores"]

    assert scores["accuracy_factor"] == document["derived"]["scores"]["error_ratio"]
    assert "error_ratio" not in scores


def test_a_file_of_3_0_cannot_have_both_names() -> None:
    document = json.loads((FROZEN / "submission-3.0.json").read_bytes())
    document["derived"]["scores"]["accuracy_factor"] = 9.0

    assert validate_bytes(json.dumps(document).encode())["checks"][-1]["name"] == "schema"


@pytest.mark.parametrize("role", ["baseline", "optimized"])
def test_answers_to_new_inputs_are_none_of_3_0(role: str) -> None:
    """A file that brings them along states a version that it is not of."""
    document = json.loads((FROZEN / "submission-3.0.json").read_bytes())
    document["run"][role]["fresh_answers"] = None
    last = validate_bytes(json.dumps(document).encode())["checks"][-1]

    assert (last["name"], f"run.{role}: fresh_answers is no field" in last["message"]) == ("schema", True)


NEW = {
    "3.1": ["run.protocol.is_seed_chosen", "run.protocol.answers_compared", "run.optimized.metrics.memory.code_bytes"],
    "3.2": [
        "run.protocol.yardstick", "run.protocol.reference", "run.protocol.card", "run.system_info.tinytorch",
        "derived.statistics.speedup.disturbance",
    ],
    "3.3": ["declaration.athlete.members"],
    "3.4": ["declaration.files", "run.source.data"],
}  # fmt: skip


@pytest.mark.parametrize(("version", "place"), [(version, place) for version in NEW for place in NEW[version]])
def test_what_a_version_adds_is_none_of_the_one_before(version: str, place: str) -> None:
    document = json.loads((FROZEN / f"submission-{version}.json").read_bytes())
    *way, key = place.split(".")
    holder = document
    for name in way:
        holder = holder[name]
    holder[key] = None
    last = validate_bytes(json.dumps(document).encode())["checks"][-1]

    assert (last["name"], f"{'.'.join(way)}: {key} is no field" in last["message"]) == ("schema", True)


def test_memory_of_3_1_is_counted_as_it_was() -> None:
    """By what could be reached alone, however large its artifact was."""
    document = json.loads((FROZEN / "submission-3.1.json").read_bytes())
    memory = document["run"]["optimized"]["metrics"]["memory"]
    read = Memory.model_validate({**memory, "artifact_bytes": 10**9})

    assert read.recomputed().mean == memory["mean"]


def test_a_run_of_3_0_is_read_without_what_it_expected() -> None:
    document = json.loads(RUN_OF_3_0.read_bytes())
    run = parse_run("run.json", RUN_OF_3_0.read_bytes())

    assert document["run"]["task"].pop("expected_accuracy") == 0.97
    assert run.task.model_dump() == document["run"]["task"]


@pytest.mark.parametrize("key", ["work", "machine"])
@pytest.mark.parametrize("role", ["baseline", "optimized"])
def test_a_file_of_3_5_cannot_say_what_3_6_added(role: str, key: str) -> None:
    document = json.loads((FROZEN / "submission-3.5.json").read_bytes())
    document["run"][role][key] = None
    last = validate_bytes(json.dumps(document).encode())["checks"][-1]

    assert (last["name"], last["passed"]) == ("schema", False)
    assert key in last["message"]


def test_a_file_of_3_0_that_says_2_2_is_refused() -> None:
    document = json.loads((FROZEN / "submission-3.0.json").read_bytes()) | {"schema_version": "2.2"}

    assert validate_bytes(json.dumps(document).encode())["checks"][-1]["name"] == "schema"


@pytest.mark.parametrize("key", ["task", "source", "system_info", "protocol"])
@pytest.mark.parametrize("version", ["2.2", "3.0", "3.1", "3.2", "3.3"])
def test_what_is_not_known_is_null_and_never_left_out(version: str, key: str) -> None:
    document = json.loads((FROZEN / f"submission-{version}.json").read_bytes())
    del document.get("run", document)[key]
    last = validate_bytes(json.dumps(document).encode())["checks"][-1]

    assert (last["name"], last["passed"]) == ("schema", False)
    assert f"run.{key}: it is missing" in last["message"]


def test_a_run_that_was_recorded_before_is_read() -> None:
    content = FORMER_RUN.read_bytes()
    run, former = parse_run("run.json", content), json.loads(content)

    assert (run.source.division, run.source.techniques) == (former["division"], former["techniques"])
    assert run.optimized.metrics == run.optimized.metrics.model_copy(
        update={
            name: record.recomputed() for name, record in run.optimized.metrics.measured().items() if name != "latency"
        }
    )
    assert parse_run("again", RunFile.text(run).encode()) == run


@pytest.mark.parametrize("change", [{"source": 1}, {"baseline": []}, {"more": 1}, {"task": None}])
def test_a_damaged_run_of_before_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is not a run record"):
        parse_run("run.json", json.dumps({**json.loads(FORMER_RUN.read_bytes()), **change}).encode())


@pytest.mark.parametrize("version", ["9.0", "2.0", "one"])
def test_a_run_of_another_version_is_refused_by_name(version: str) -> None:
    with pytest.raises(UsageError, match=f"schema version '{version}' is") as caught:
        parse_run("run.json", json.dumps({"document": "run", "schema_version": version}).encode())

    assert caught.value.mend == "install the newest tinytorch-olympics"


def test_a_run_of_before_is_no_submission_of_before() -> None:
    message = validate_bytes(FORMER_RUN.read_bytes())["checks"][-1]["message"]

    assert message == "this is a run, not a submission"
