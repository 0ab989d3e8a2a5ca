"""Every check of the table finds what it is there to find, and nothing makes validation raise."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.benchmarking.records import Accuracy, Latency, Memory
from tinytorch.competition.checks import batch
from tinytorch.competition.checks.findings import Finding, report, texts
from tinytorch.competition.checks.validation import CHECKS, PAGES, explain, validate_bytes, validate_submission
from tinytorch.competition.record import reading
from tinytorch.competition.record.run import RUN_VERSION, Run
from tinytorch.competition.record.submission import submission_from_run
from tinytorch.errors import UsageError

Document = dict[str, Any]
Mutate = Callable[[Document], None]
Change = Callable[[Document, Mutate], Document]


def put(path: str, value: Any) -> Mutate:
    """A mutation that writes `value` at a dotted path."""

    def mutate(document: Document) -> None:
        *way, last = path.split(".")
        for key in way:
            document = document[key]
        document[last] = value

    return mutate


def accuracy(role: str, correct: int) -> Mutate:
    """A mutation to a consistent accuracy of `correct` of 360."""
    record = Accuracy.from_correctness([index < correct for index in range(360)])
    return put(f"{role}.metrics.accuracy", record.model_dump(mode="json"))


def latency(role: str, change: Callable[[list[int]], list[int]]) -> Mutate:
    """A mutation of every block of the *baseline's* samples into a consistent latency of `role`."""

    def mutate(document: Document) -> None:
        stored = document["baseline"]["metrics"]["latency"]
        samples = [[change(block) for block in blocks] for blocks in stored["samples_ns"]]
        fresh = Latency.from_samples(samples, 1, 1, stored["session"])
        document[role]["metrics"]["latency"] = fresh.model_dump(mode="json")

    return mutate


def interrupted(document: Document) -> None:
    """One process in which every baseline call took ten thousand times as long, and another in which it did not."""
    document["baseline"]["metrics"]["latency"]["samples_ns"][0] = [[10_000_000_000] * 8] * 4
    latency("baseline", list)(document)


def lucky(document: Document) -> None:
    """An optimized model that is ten times as fast in one block of four."""
    stored = document["optimized"]["metrics"]["latency"]
    samples = [[[sample // 10 for sample in blocks[0]], *blocks[1:]] for blocks in stored["samples_ns"]]
    fresh = Latency.from_samples(samples, 1, 1, stored["session"])
    document["optimized"]["metrics"]["latency"] = fresh.model_dump(mode="json")


def too_weak_for_its_event(document: Document) -> None:
    """55 % accuracy where 85 % is asked for."""
    document["event"] = "latency_sprint"
    accuracy("optimized", 200)(document)


def repeated(document: Document) -> None:
    """The first placement's samples once more, as the last placement's."""
    samples = document["baseline"]["metrics"]["latency"]["samples_ns"]
    samples[-1] = copy.deepcopy(samples[0])
    latency("baseline", list)(document)


def few_processes(document: Document) -> None:
    """Two processes, where six were."""
    document["protocol"]["processes"] = 2
    for role in ("baseline", "optimized"):
        stored = document[role]["metrics"]["latency"]
        fresh = Latency.from_samples(stored["samples_ns"][:2], 1, 1, stored["session"])
        document[role]["metrics"]["latency"] = fresh.model_dump(mode="json")


NEGATIVE_CONTROLS: dict[str, Mutate] = {
    "text": put("athlete_name", "A\u202eda"),
    "repository": put("github_repo", "javascript:alert(1)"),
    "digest": put("digest", "0" * 64),
    "rules": put("rules.version", "0.1"),
    "trust": put("trust", "T0"),
    "techniques": put("techniques", []),
    "committed": put("provenance.is_dirty", True),
    "latency_statistics": put("optimized.metrics.latency.typical", 0.5),
    "memory_statistics": put("optimized.metrics.memory.mean", 1.0),
    "accuracy_statistics": put("optimized.metrics.accuracy.correct", 349),
    "throughput_statistics": put("baseline.metrics.throughput.mean", 1e9),
    "normalized_scores": put("normalized_scores.speedup", 100.0),
    "statistics": put("statistics.speedup.p_value", 0.5),
    "constraint_results": put("event", "latency_sprint"),
    "sample_shape": put("protocol.copies", 16),
    "clock_span": put("protocol.ended_at", "2026-03-01T12:00:00.001Z"),
    "constraints": too_weak_for_its_event,
    "completeness": put("optimized.metrics.memory", None),
    "test_set": put("task.test_samples", 100),
    "layer_kinds": put("optimized.layer_kinds", ["Linear"]),
    "varying_times": latency("optimized", lambda block: [200_000] * len(block)),
    "repeated_times": repeated,
    "independent_times": latency("optimized", lambda block: [round(sample / 2.5) for sample in block]),
    "ratios_agree": interrupted,
    "sample_count": few_processes,
    "steady_times": lucky,
    "accuracy_gain": accuracy("baseline", 200),
    "baseline_accuracy": accuracy("baseline", 300),
    "clock_floor": put("protocol.clock_resolution_ns", 1_000_000),
    "timer_floor": put("protocol.timer_overhead_ns", 50_000),
    "memory_traffic": put("protocol.memory_bandwidth_bytes_per_s", 1e9),
    "arithmetic": put("protocol.flops_per_s", 1e9),
    "kept_bytes": put("optimized.metrics.memory.artifact_bytes", 50_000_000),
    "memory_seen": put("optimized.metrics.memory.unseen", ["Decimal"]),
}


def outcome(result: Document, name: str) -> Document:
    """The check of that name."""
    (check,) = [check for check in result["checks"] if check["name"] == name]
    return dict(check)


def test_an_honest_submission_passes_every_check(submission: Document) -> None:
    """No error, no warning, nothing that could not be checked."""
    result = validate_submission(submission)

    assert result["valid"]
    assert result["issues"] == []
    assert {check["passed"] for check in result["checks"]} == {True}
    assert [check["name"] for check in result["checks"]][-len(CHECKS) :] == [check.name for check in CHECKS]


def test_every_check_has_its_negative_control() -> None:
    """A check that nothing can fail checks nothing."""
    assert list(NEGATIVE_CONTROLS) == [check.name for check in CHECKS]


def test_every_check_is_explained_under_an_id_of_its_own() -> None:
    """What, why and how to mend, for every step of reading and every check."""
    pages = [*reading.PAGES, *CHECKS, *batch.PAGES]

    assert list(PAGES.values()) == pages
    assert all(page.what and page.why and page.mend and page.example for page in pages)
    assert {page.name for page in pages} == {*texts()}


IDS = {  # for ever: an id is never given to another check
    "TO-F": "file size encoding json duplicate_keys nesting numbers values schema_version schema",
    "TO-D": "text repository digest rules trust techniques committed",
    "TO-S": "latency_statistics memory_statistics accuracy_statistics throughput_statistics normalized_scores "
    "statistics constraint_results sample_shape clock_span",
    "TO-E": "constraints completeness test_set layer_kinds",
    "TO-P": "varying_times repeated_times independent_times ratios_agree sample_count steady_times accuracy_gain "
    "baseline_accuracy",
    "TO-M": "clock_floor timer_floor memory_traffic arithmetic",
    "TO-K": "kept_bytes memory_seen",
    "TO-B": "duplicated_samples overlapping_runs",
}  # fmt: skip


def test_an_id_stays_with_its_check() -> None:
    """Scripts, courses and old reports name checks by their ids."""
    named = {
        f"{group}{number:02}": name for group, names in IDS.items() for number, name in enumerate(names.split(), 1)
    }

    assert {page.id: page.name for page in PAGES.values()} == named


@pytest.mark.parametrize("wanted", ["accuracy_statistics", "TO-S03", "to-s03"])
def test_a_check_is_explained_by_name_and_by_id(wanted: str) -> None:
    """Whichever stands in the report."""
    assert explain(wanted).name == "accuracy_statistics"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_fails_on_what_it_is_for(check: Any, submission: Document, change: Change) -> None:
    """One mutation makes the check fail, with its severity, a message and the issue listed."""
    mutate = NEGATIVE_CONTROLS[check.name]
    document = copy.deepcopy(submission)
    if check.name == "digest":
        mutate(document)
    else:
        document = change(submission, mutate)
    result = validate_submission(document)
    found = outcome(result, check.name)

    assert (found["passed"], found["severity"]) == (False, check.severity)
    assert (found["message"] in result["issues"]) == (check.severity != "info")
    assert found["mend"]
    assert not (check.severity == "error" and result["valid"])


def test_a_warning_leaves_a_submission_valid(submission: Document, change: Change) -> None:
    """Doubt is said aloud, and is no verdict."""
    result = validate_submission(change(submission, put("techniques", [])))

    assert result["valid"]
    assert result["issues"] == ["no technique is named"]


@pytest.mark.parametrize("field", ["ci_lower", "p50", "calls_per_sample", "session", "std"])
def test_a_number_by_hand_has_nothing_but_itself(field: str, run: Run, submission: Document, change: Change) -> None:
    """An interval without samples follows from nothing."""
    kept = submission["optimized"]["metrics"]["latency"]

    def mutate(document: Document) -> None:
        document["optimized"]["metrics"]["latency"] = {"mean": kept["mean"], field: kept[field]}

    assert outcome(validate_submission(change(submission, mutate)), "latency_statistics")["passed"] is False


def test_different_layer_kinds_are_fine_in_the_open_division(submission: Document, change: Change) -> None:
    """Open means any architecture."""

    def mutate(document: Document) -> None:
        document["division"] = "open"
        document["optimized"]["layer_kinds"] = ["Conv2d"]

    assert validate_submission(change(submission, mutate))["valid"]


def test_models_measured_one_after_the_other_have_no_interval(submission: Document, change: Change) -> None:
    """Unpaired samples: statistics say why they could not be checked."""
    document = change(submission, put("optimized.metrics.latency.session", "f" * 16))
    run = Run.model_validate_json(json.dumps(run_of(document)))
    again = submission_from_run(run, event="all_around", athlete_name="Ada")
    result = validate_submission(again)

    assert result["valid"], result["issues"]
    assert outcome(result, "statistics")["passed"] is None
    assert "one after the other" in outcome(result, "statistics")["message"]


def test_units_of_another_size_than_the_protocol_s_are_found(submission: Document, change: Change) -> None:
    """Three processes called one unit would hide how much they differ; their own statistics are consistent."""

    def regrouped(document: Document) -> None:
        for role in ("baseline", "optimized"):
            stored = document[role]["metrics"]["latency"]
            fresh = Latency.from_samples(stored["samples_ns"], 1, 3, stored["session"])
            document[role]["metrics"]["latency"] = fresh.model_dump(mode="json")

    checks = validate_submission(change(submission, regrouped))["checks"]

    assert [check["passed"] for check in checks if check["name"] == "sample_shape"] == [False]


def run_of(document: Document) -> Document:
    """The run that a submission was made from."""
    shared = {name: document[name] for name in Run.model_fields if name in document}
    return {**shared, "id": "20260301T120030Z-0a1b2c3d", "schema_version": RUN_VERSION}


@pytest.mark.parametrize(
    "mutate",
    [
        put("optimized.metrics.latency.samples_ns", []),
        put("optimized.metrics.latency.samples_ns", [[]]),
        put("optimized.metrics.latency.calls_per_sample", 2**63),
        put("optimized.metrics.latency.mean", 5e-324),
        put("optimized.metrics.memory.mean", 5e-324),
        put("optimized.metrics.memory.kept_bytes", 2**63),
        put("optimized.metrics.accuracy.total", 2**62),
        put("optimized.metrics.accuracy.bitmap", ""),
        put("protocol.copies", 2**62),
        put("baseline.metrics.latency.samples_ns", [[[2**62], [1]]]),
    ],
)
def test_extreme_numbers_are_findings(submission: Document, change: Change, mutate: Mutate) -> None:
    """Overflow, emptiness and disagreement end as failed checks, never as an exception."""
    result = validate_submission(change(submission, mutate))

    assert not result["valid"]
    assert result["issues"]


def test_nothing_checked_is_not_valid() -> None:
    """A report without any check made is no pass."""
    assert not report([])["valid"]
    assert not report([Finding("x", "TO-X01", None, "error", "could not", "", {})])["valid"]


def test_an_unknown_check_suggests_the_nearest() -> None:
    """`explain` is for people who mistype."""
    with pytest.raises(UsageError) as caught:
        explain("digset")

    assert caught.value.mend == "did you mean 'digest'?"


@pytest.mark.parametrize(
    ("path", "check", "words"),
    [
        ("protocol.timer_overhead_ns", "timer_floor", "did not record its timer's overhead"),
        ("protocol.memory_bandwidth_bytes_per_s", "memory_traffic", "did not record its memory bandwidth"),
        ("protocol.flops_per_s", "arithmetic", "did not record its arithmetic rate"),
        ("task.expected_accuracy", "baseline_accuracy", "did not record which accuracy"),
        ("optimized.layer_kinds", "arithmetic", "layer kinds of the optimized model are not known"),
        ("task", "test_set", "no task is named"),
        ("protocol", "sample_shape", "no protocol"),
        ("github_repo", "repository", "no repository"),
    ],
)
def test_what_was_not_recorded_cannot_be_checked(
    submission: Document, change: Change, path: str, check: str, words: str
) -> None:
    """Neither passed nor failed: the missing prerequisite is named."""
    found = outcome(validate_submission(change(submission, put(path, None))), check)

    assert (found["passed"], found["mend"]) == (None, "")
    assert words in found["message"]


def test_a_closed_entry_without_a_layer_list_fails(submission: Document, change: Change) -> None:
    """What cannot be checked does not pass where a division is made of it."""
    found = outcome(validate_submission(change(submission, put("optimized.layer_kinds", None))), "layer_kinds")

    assert (found["passed"], found["severity"]) == (False, "error")
    assert "DIVISION = 'open'" in found["mend"]


def test_a_small_artifact_is_mostly_names(submission: Document, change: Change) -> None:
    """A few bytes of weights come in a file of a kilobyte or two."""

    def shrink(document: Document) -> None:
        record = Memory.from_bytes(300, 4_500, 0, [])
        document["optimized"]["metrics"]["memory"] = record.model_dump(mode="json")

    assert outcome(validate_submission(change(submission, shrink)), "kept_bytes")["passed"]


def test_the_evidence_of_a_finding_is_numbers(submission: Document, change: Change) -> None:
    """A message for people, the same for programs."""
    found = outcome(validate_submission(change(submission, put("protocol.flops_per_s", 1e9))), "arithmetic")

    assert found["evidence"]["model"].startswith("baseline")
    assert found["evidence"]["time_ns"] < found["evidence"]["floor_ns"]


def test_a_loop_may_honestly_lose_a_hundredfold(make_run: Callable[..., Run]) -> None:
    """No factor is impossible in itself, only what the machine cannot do."""
    document = submission_from_run(make_run(typical_ns=10_000, kept_bytes=50_000), event="all_around", athlete_name="A")
    result = validate_submission(document)

    assert document["normalized_scores"]["speedup"] > 99
    assert result["issues"] == []


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_no_change_of_a_number_or_text_passes_under_a_stale_digest(data: st.DataObject, submission: Document) -> None:
    """Whatever leaf is replaced by whatever value, validation answers, and answers no."""
    document = copy.deepcopy(submission)
    holder, key = data.draw(st.sampled_from(leaves(document)))
    value = data.draw(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([]) | st.just({}))
    if value == holder[key] or (value is None and holder[key] is None):
        return
    holder[key] = value

    assert validate_submission(document)["valid"] is False
    assert validate_bytes(json.dumps(document).encode())["valid"] is False


def leaves(value: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) of a document whose value is a scalar; of long lists the first two elements."""
    keys = list(value) if isinstance(value, dict) else list(range(min(2, len(value))))
    inner = [leaf for key in keys if isinstance(value[key], dict | list) for leaf in leaves(value[key])]
    return inner + [(value, key) for key in keys if not isinstance(value[key], dict | list)]
