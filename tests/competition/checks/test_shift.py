"""Shards of a class: who is given what, whether all came back, and whether they belong together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from math import exp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.competition.conftest import make_run
from tinytorch.benchmarking.comparison import Comparison
from tinytorch.competition.checks.merged import wrong
from tinytorch.competition.checks.shift import Canary, Machine, Part, Shift, parse_shift
from tinytorch.competition.checks.verified import How, Verification
from tinytorch.competition.rules.events import load_rules
from tinytorch.errors import UsageError

RULES = load_rules()
HOW = How(isolation="A", tier="fast", build_limit_s=60.0, memory_limit_bytes=2**32, rules_sha256=RULES.sha256)
MACHINE = Machine(cpu_model="A processor", logical_cores=2, memory_bytes=24 * 2**30)
WORKS = [f"{number:016x}" for number in range(4)]
AT = datetime(2026, 12, 1, tzinfo=UTC)


def canary(log_ratio: float, minute: int = 0, spread: float = 0.001) -> Canary:
    """Six units around a ratio."""
    logs = [log_ratio + spread * number for number in (-2, -1, 0, 0, 1, 2)]
    return Canary(measured_at=AT.replace(minute=minute), speedup=Comparison(estimate=exp(log_ratio), log_ratios=logs))


def shift(number: int = 0, **changes: Any) -> Shift:
    """The shift of one of two shards."""
    part = Part(number, 2)
    told: dict[str, Any] = {
        "id": f"{number:016x}", "host": "0" * 64, "machine": MACHINE, "code_sha256": "0" * 64, "how": HOW,
        "part": part.words, "works": WORKS, "records": dict.fromkeys(part.of(WORKS), "0" * 64),
    }  # fmt: skip
    return Shift(**{**told, **changes})


def record(id_: str, **changes: Any) -> Verification:
    told: dict[str, Any] = {
        "id": id_, "source": "ada", "submission_sha256": None, "files": {}, "declaration": None, "task": "digits_mlp",
        "how": HOW, "level": None, "outcome": "failed", "reason": "because", "probes": [], "agreements": [],
        "findings": [], "verified_at": AT, "took_s": 1.0, "run": None,
    }  # fmt: skip
    return Verification(**{**told, **changes})


RECORDS = {id_: record(id_) for id_ in WORKS}
DIGESTS = dict.fromkeys(WORKS, "0" * 64)


@given(st.sets(st.text("0123456789abcdef", min_size=16, max_size=16), max_size=60), st.integers(1, 12))
def test_each_piece_belongs_to_one_shard_and_all_are_nearly_as_large(ids: set[str], count: int) -> None:
    parts = [Part(number, count).of(sorted(ids)) for number in range(count)]

    assert sorted(each for part in parts for each in part) == sorted(ids)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(("text", "number"), [("0/4", 0), ("3/4", 3), ("4/4", 0), ("1/1", 0)])
def test_numbers_may_begin_with_0_or_with_1(text: str, number: int) -> None:
    assert Part.parsed(text).number == number


@pytest.mark.parametrize("text", ["5/4", "1/0", "0/0", "a/2", "1", "-1/2", "1/2/3", "1/99999999999", "", "²/3", "1/ 2"])
def test_a_shard_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shard"):
        Part.parsed(text)


def test_a_shift_is_read_as_it_was_written() -> None:
    one = shift(canaries=[canary(1.0)])

    assert parse_shift("shift", one.text().encode()) == one


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"document": "shift"}'])
def test_anything_else_is_none(content: bytes) -> None:
    with pytest.raises(UsageError, match="is not the record of a shift"):
        parse_shift("shift", content)


def test_two_whole_shards_belong_together() -> None:
    assert wrong([shift(0), shift(1)], RECORDS, DIGESTS) == []


def test_without_a_shift_nothing_was_shared() -> None:
    assert "no record of a shift" in wrong([], RECORDS, DIGESTS)[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"how": HOW.model_copy(update={"rules_sha256": "1" * 64})}, "the rules"),
        ({"how": HOW.model_copy(update={"private": ["1" * 64]})}, "the private data"),
        ({"how": HOW.model_copy(update={"tier": "default"})}, "the tier"),
        ({"how": HOW.model_copy(update={"isolation": "B"})}, "the box"),
        ({"how": HOW.model_copy(update={"level": "T3"})}, "the level"),
        ({"code_sha256": "1" * 64}, "the version of the tool"),
        ({"works": [*WORKS[:3], "f" * 16]}, "shard 2/2 (0000000000000000) had entries that shard 1/2"),
    ],
)
def test_what_two_shards_do_not_have_in_common_is_said(changes: dict[str, Any], words: str) -> None:
    (said,) = wrong([shift(0), shift(1, **changes)], RECORDS, DIGESTS)

    assert said.startswith(words)


def test_what_is_missing_is_said_with_its_shard() -> None:
    (said,) = wrong([shift(0)], {id_: RECORDS[id_] for id_ in WORKS[:2]}, DIGESTS)[:1]

    assert said == "shard 2/2: 1 of 2 records are missing; verify there again with --shard 2/2 --tier fast --level t2"


def test_a_void_record_is_missing() -> None:
    records = {**RECORDS, WORKS[1]: record(WORKS[1], outcome="VOID")}

    assert "shard 1/2: 1 of 2" in wrong([shift(0), shift(1)], records, DIGESTS)[0]


def test_a_record_that_no_machine_wrote_is_said() -> None:
    (said,) = wrong([shift(0), shift(1)], RECORDS, {**DIGESTS, WORKS[2]: "1" * 64})

    assert WORKS[2] in said


def test_one_that_was_done_again_by_another_machine_is_as_good() -> None:
    again = shift(1, id="f" * 16, records={WORKS[2]: "1" * 64})

    assert wrong([shift(0), shift(1), again], RECORDS, {**DIGESTS, WORKS[2]: "1" * 64}) == []


def test_other_data_of_a_task_are_said() -> None:
    run = make_run()
    other = run.model_copy(update={"task": run.task.model_copy(update={"dataset_sha256": "1" * 64})})
    records = {**RECORDS, WORKS[0]: record(WORKS[0], run=run), WORKS[1]: record(WORKS[1], run=other)}

    assert wrong([shift(0), shift(1)], records, DIGESTS) == ["the data of digits_mlp were not the same on all machines"]


def test_a_record_that_no_machine_wrote_down_is_said() -> None:
    unknown = Part(1, 2).of(WORKS)
    (said,) = wrong([shift(0), shift(1, records={})], RECORDS, DIGESTS)

    assert said.startswith(f"{', '.join(unknown)}: no machine has written down")


def test_ten_thousand_shards_of_many_entries_are_looked_through_at_once() -> None:
    works = [f"{number:016x}" for number in range(50_000)]

    assert len(wrong([shift(0, part="1/10000", works=works)], {}, {})) == 10_000


@pytest.mark.parametrize("part", ["7/3", "5/0", "٣/٣", "1", "1/2/3"])
def test_the_record_of_a_shift_with_no_such_shard_is_none(part: str) -> None:
    content = shift(0).text().replace('"part": "2/2"', f'"part": "{part}"').encode()
    with pytest.raises(UsageError, match="is not the record of a shift"):
        parse_shift("shift", content)


@pytest.mark.parametrize("logs", ["[]", "null", "[1e308, -1e308]", "[0.5]"])
def test_nor_is_one_whose_known_pair_has_no_units(logs: str) -> None:
    one = json.loads(shift(0, canaries=[canary(1.0)]).text())
    one["canaries"][0]["speedup"]["log_ratios"] = json.loads(logs)
    with pytest.raises(UsageError, match="is not the record of a shift"):
        parse_shift("shift", json.dumps(one).encode())


def test_a_number_of_many_digits_is_not_cut() -> None:
    with pytest.raises(UsageError, match="there is no such shard"):
        Part.parsed("0000000001/2")
