"""Every check of the table finds what it is there to find, and nothing makes validation raise."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from tests.competition.conftest import fresh, put_times, times_of
from tinytorch.benchmarking.records.metrics import Accuracy, Memory
from tinytorch.benchmarking.records.samples import Times
from tinytorch.competition.checks import batch, verification
from tinytorch.competition.checks.findings import Finding, report, texts
from tinytorch.competition.checks.validation import CHECKS, PAGES, STAGES, explain, validate_bytes, validate_submission
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import former_rules, load_rules
from tinytorch.competition.rules.tasks import facts_of
from tinytorch.competition.scoring.packaging import submission_from_run
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
    return put(f"run.{role}.metrics.accuracy", record.model_dump(mode="json"))


def latency(role: str, change: Callable[[Times], ArrayLike]) -> Mutate:
    """A mutation of every block of the *baseline's* samples into a consistent latency of `role`."""

    def mutate(document: Document) -> None:
        put_times(document, role, np.apply_along_axis(change, 2, times_of(document, "baseline")))

    return mutate


def interrupted(document: Document) -> None:
    """One process in which every baseline call took ten thousand times as long, and another in which it did not."""
    times = times_of(document, "baseline")
    times[0] = 10_000_000_000
    put_times(document, "baseline", times)


def lucky(document: Document) -> None:
    """An optimized model that is ten times as fast in one block of four."""
    times = times_of(document, "optimized")
    times[:, 0] //= 10
    put_times(document, "optimized", times)


def too_weak_for_its_event(document: Document) -> None:
    """55 % accuracy where 85 % is asked for."""
    document["declaration"]["event"] = "latency_sprint"
    accuracy("optimized", 200)(document)


def repeated(document: Document) -> None:
    """The first placement's samples once more, as the last placement's."""
    times = times_of(document, "baseline")
    times[-1] = times[0]
    put_times(document, "baseline", times)


def few_processes(document: Document) -> None:
    """Two processes, where six were."""
    document["run"]["protocol"]["processes"] = 2
    for role in ("baseline", "optimized"):
        put_times(document, role, times_of(document, role)[:2])


def memory(role: str, kept_bytes: int) -> Mutate:
    """A model that keeps so much, with all that follows from it."""
    return put(f"run.{role}.metrics.memory", Memory.from_bytes(kept_bytes, 500, 100, []).model_dump())


def hiding(document: Document) -> None:
    """A model of before 3.2 with an artifact far larger than what it keeps."""
    put("run.optimized.metrics.memory", Memory.from_bytes(10_000, 50_000_000, 100, [], None).model_dump())(document)


MADE_UNDER_1_1 = Path(__file__).parents[1] / "record" / "frozen" / "submission-3.0.json"

NEGATIVE_CONTROLS: dict[str, Mutate] = {
    "known_event": put("declaration.event", "green_run"),
    "text": put("declaration.athlete.name", "A\u202eda"),
    "repository": put("declaration.repository", "javascript:alert(1)"),
    "digest": put("digest", "0" * 64),
    "rules": put("declaration.rules.version", "0.1"),
    "trust": put("derived.trust", "T0"),
    "techniques": put("declaration.techniques", []),
    "committed": put("declaration.provenance.is_dirty", True),
    "latency_statistics": put("run.optimized.metrics.latency.typical_ns", 0.5),
    "memory_statistics": put("run.optimized.metrics.memory.mean", 1.0),
    "accuracy_statistics": put("run.optimized.metrics.accuracy.correct", 349),
    "throughput_statistics": put("run.baseline.metrics.throughput.mean", 1e9),
    "normalized_scores": put("derived.scores.speedup", 100.0),
    "statistics": put("derived.statistics.speedup.p_value", 0.5),
    "constraint_results": put("declaration.event", "latency_sprint"),
    "sample_shape": put("run.protocol.copies", 16),
    "timed_answers": put("run.protocol.answers_compared", 0),
    "clock_span": put("run.protocol.ended_at", "2026-03-01T12:00:00.001Z"),
    "known_machine": put("run.protocol.yardstick.version", 9),
    "constraints": too_weak_for_its_event,
    "completeness": put("run.optimized.metrics.memory", None),
    "test_set": put("run.task.test_samples", 100),
    "layer_kinds": put("run.optimized.layer_kinds", ["Linear"]),
    "fresh_answers": put("run.optimized.fresh_answers", fresh(65, 90).model_dump()),
    "varying_times": latency("optimized", lambda block: np.full_like(block, 200_000)),
    "repeated_times": repeated,
    "independent_times": latency("optimized", lambda block: np.rint(block / 2.5).astype(int)),
    "ratios_agree": interrupted,
    "sample_count": few_processes,
    "steady_times": lucky,
    "accuracy_gain": accuracy("baseline", 200),
    "baseline_accuracy": accuracy("baseline", 300),
    "unscaled_times": latency("baseline", lambda block: block // 3 * 3),
    "clock_floor": put("run.protocol.clock_resolution_ns", 1_000_000),
    "timer_floor": put("run.protocol.timer_overhead_ns", 50_000),
    "memory_traffic": put("run.protocol.memory_bandwidth_bytes_per_s", 1e9),
    "arithmetic": put("run.protocol.flops_per_s", 1e9),
    "kept_bytes": hiding,
    "memory_seen": put("run.optimized.metrics.memory.unseen", ["Decimal"]),
    "known_baseline": memory("baseline", 10**12),
    "enough_bits": memory("optimized", 1),
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
    pages = [*STAGES.values(), *CHECKS, *batch.PAGES, *verification.CHECKS, *verification.REFEREED]

    assert list(PAGES.values()) == pages
    assert all(page.what and page.why and page.mend and page.example for page in pages)
    assert {page.name for page in pages} == {*texts()}


IDS = {  # for ever: an id is never given to another check
    "TO-F": "file size encoding json duplicate_keys nesting numbers values schema_version schema bundle",
    "TO-D": "text repository digest rules trust techniques committed known_event",
    "TO-S": "latency_statistics memory_statistics accuracy_statistics throughput_statistics normalized_scores "
    "statistics constraint_results sample_shape clock_span timed_answers known_machine",
    "TO-E": "constraints completeness test_set layer_kinds fresh_answers",
    "TO-P": "varying_times repeated_times independent_times ratios_agree sample_count steady_times accuracy_gain "
    "baseline_accuracy unscaled_times",
    "TO-M": "clock_floor timer_floor memory_traffic arithmetic",
    "TO-K": "kept_bytes memory_seen known_baseline enough_bits",
    "TO-B": "duplicated_samples overlapping_runs created_ahead",
    "TO-V": "isolation same_entry builds speed_repeats accuracy_repeats memory_repeats undisturbed labels_hidden "
    "rerun_valid clocks_agree chained timed_accuracy private_accuracy robust redrawn idle memory_grows",
}  # fmt: skip


def test_an_event_that_the_rules_of_then_had_not_is_found(submission: Document, change: Change) -> None:
    """It says that it was made by the shipped rules, and is judged by a class's, which have the event."""
    ours = load_rules()
    events = {**ours.events, "green_run": ours.events["all_around"]}
    class_rules = ours.model_copy(update={"version": "mine", "sha256": "0" * 64, "events": events})
    result = validate_submission(change(submission, put("declaration.event", "green_run")), class_rules)

    assert "have no event green_run" in outcome(result, "constraint_results")["message"]


def test_a_grid_that_both_models_times_have_is_the_clock_s(submission: Document, change: Change) -> None:
    def on_a_coarse_clock(document: Document) -> None:
        for role in ("baseline", "optimized"):
            latency(role, lambda block: block // 42 * 42)(document)

    assert outcome(validate_submission(change(submission, on_a_coarse_clock)), "unscaled_times")["passed"]


def test_few_bits_are_enough_for_answers_by_chance(submission: Document, change: Change) -> None:
    def one_byte_for_a_constant(document: Document) -> None:
        memory("optimized", 1)(document)
        accuracy("optimized", 36)(document)

    assert outcome(validate_submission(change(submission, one_byte_for_a_constant)), "enough_bits")["passed"]


@pytest.mark.parametrize(
    ("place", "value", "word"),
    [
        ("run.baseline.parameters", 5, "parameters 5"),
        ("run.baseline.layer_kinds", ["Linear"], "layer kinds Linear"),
        ("run.task.dataset_sha256", "b" * 64, "test data bbb"),
    ],
)
def test_whatever_is_not_the_task_s_own_of_a_baseline_is_named(
    submission: Document, change: Change, place: str, value: object, word: str
) -> None:
    found = outcome(validate_submission(change(submission, put(place, value))), "known_baseline")

    assert (found["passed"], word in found["message"]) == (False, True)


def test_of_another_task_s_baseline_nothing_is_known(submission: Document, change: Change) -> None:
    found = validate_submission(change(submission, put("run.task.name", "mine")))

    assert [outcome(found, name)["passed"] for name in ("known_baseline", "enough_bits")] == [None, None]


KEPT = facts_of("digits_mlp").kept_bytes
FORGED = {
    "a baseline's code": ("run.baseline.metrics.memory", Memory.from_bytes(KEPT, 500, 9, [], 2**40), "known_baseline"),
    "a baseline's artifact": ("run.baseline.metrics.memory", Memory.from_bytes(KEPT, 2**40, 9, []), "known_baseline"),
    "no code counted": ("run.optimized.metrics.memory", Memory.from_bytes(1000, 2500, 9, [], None), "kept_bytes"),
    "no artifact counted": ("run.optimized.metrics.memory", Memory.from_bytes(1000, None, 9, []), "kept_bytes"),
    "another tier": ("run.protocol.tier", "rigorous", "timed_answers"),
    "no yardstick": ("run.protocol.yardstick", None, "known_machine"),
    "another yardstick's calls": ("run.protocol.yardstick.calls_per_sample", 8, "known_machine"),
    "fewer times of the yardstick": ("run.protocol.yardstick.samples_ns", 3 * ["1 2 3 4 5 6 7 8"], "known_machine"),
}


@pytest.mark.parametrize(("place", "value", "name"), FORGED.values(), ids=FORGED)
def test_a_forged_figure_gets_its_finding(
    submission: Document, change: Change, place: str, value: Any, name: str
) -> None:
    changed = change(submission, put(place, value.model_dump() if isinstance(value, Memory) else value))

    assert outcome(validate_submission(changed), name)["passed"] is False


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
    result = validate_submission(change(submission, put("declaration.techniques", [])))

    assert result["valid"]
    assert result["issues"] == ["no technique is named"]


@pytest.mark.parametrize("field", ["ci_lower_ns", "p50_ns", "calls_per_sample", "session", "std_ns"])
def test_a_number_by_hand_has_nothing_but_itself(field: str, run: Run, submission: Document, change: Change) -> None:
    """An interval without samples follows from nothing."""
    kept = submission["run"]["optimized"]["metrics"]["latency"]

    def mutate(document: Document) -> None:
        document["run"]["optimized"]["metrics"]["latency"] = {"mean_ns": kept["mean_ns"], field: kept[field]}

    assert outcome(validate_submission(change(submission, mutate)), "latency_statistics")["passed"] is False


def test_different_layer_kinds_are_fine_in_the_open_division(submission: Document, change: Change) -> None:
    """Open means any architecture."""

    def mutate(document: Document) -> None:
        document["declaration"]["division"] = "open"
        document["run"]["optimized"]["layer_kinds"] = ["Conv2d"]

    assert validate_submission(change(submission, mutate))["valid"]


def test_models_measured_one_after_the_other_have_no_interval(submission: Document, change: Change) -> None:
    """Unpaired samples: statistics say why they could not be checked."""
    document = change(submission, put("run.optimized.metrics.latency.session", "f" * 16))
    again = submission_from_run(Run.model_validate(document["run"]), event="all_around", athlete_name="Ada")
    result = validate_submission(again)

    assert result["valid"], result["issues"]
    assert outcome(result, "statistics")["passed"] is None
    assert "one after the other" in outcome(result, "statistics")["message"]


def test_units_of_another_size_than_the_protocol_s_are_found(submission: Document, change: Change) -> None:
    """Three processes called one unit would hide how much they differ; their own statistics are consistent."""

    def regrouped(document: Document) -> None:
        for role in ("baseline", "optimized"):
            put_times(document, role, times_of(document, role), copies_per_unit=3)

    checks = validate_submission(change(submission, regrouped))["checks"]

    assert [check["passed"] for check in checks if check["name"] == "sample_shape"] == [False]


@pytest.mark.parametrize(
    "mutate",
    [
        put("run.optimized.metrics.latency.samples_ns", []),
        put("run.optimized.metrics.latency.samples_ns", [""]),
        put("run.optimized.metrics.latency.calls_per_sample", 2**63),
        put("run.optimized.metrics.latency.mean_ns", 5e-324),
        put("run.optimized.metrics.memory.mean", 5e-324),
        put("run.optimized.metrics.memory.kept_bytes", 2**63),
        put("run.optimized.metrics.accuracy.total", 2**62),
        put("run.optimized.metrics.accuracy.bitmap", ""),
        put("run.protocol.copies", 2**62),
        put("run.baseline.metrics.latency.samples_ns", [f"{2**62}; 1"]),
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
        ("run.protocol.timer_overhead_ns", "timer_floor", "did not record its timer's overhead"),
        ("run.protocol.memory_bandwidth_bytes_per_s", "memory_traffic", "did not record its memory bandwidth"),
        ("run.protocol.flops_per_s", "arithmetic", "did not record its arithmetic rate"),
        ("run.task", "baseline_accuracy", "do not say which accuracy"),
        ("run.optimized.layer_kinds", "arithmetic", "layer kinds of the optimized model are not known"),
        ("run.task", "test_set", "no task is named"),
        ("run.protocol", "sample_shape", "no protocol"),
        ("declaration.repository", "repository", "no repository"),
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
    found = outcome(validate_submission(change(submission, put("run.optimized.layer_kinds", None))), "layer_kinds")

    assert (found["passed"], found["severity"]) == (False, "error")
    assert "DIVISION = 'open'" in found["mend"]


def test_a_small_artifact_is_mostly_names(submission: Document, change: Change) -> None:
    """A few bytes of weights come in a file of a kilobyte or two."""

    def shrink(document: Document) -> None:
        record = Memory.from_bytes(300, 4_500, 0, [])
        document["run"]["optimized"]["metrics"]["memory"] = record.model_dump(mode="json")

    assert outcome(validate_submission(change(submission, shrink)), "kept_bytes")["passed"]


def test_the_evidence_of_a_finding_is_numbers(submission: Document, change: Change) -> None:
    """A message for people, the same for programs."""
    found = outcome(validate_submission(change(submission, put("run.protocol.flops_per_s", 1e9))), "arithmetic")

    assert found["evidence"]["model"].startswith("baseline")
    assert found["evidence"]["time_ns"] < found["evidence"]["floor_ns"]


def test_a_loop_may_honestly_lose_a_hundredfold(make_run: Callable[..., Run]) -> None:
    """No factor is impossible in itself, only what the machine cannot do."""
    document = submission_from_run(make_run(typical_ns=10_000, kept_bytes=50_000), event="all_around", athlete_name="A")
    result = validate_submission(document)

    assert document["derived"]["scores"]["speedup"] > 99
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


def test_what_a_file_says_is_checked_by_the_rules_that_it_was_made_under(submission: Document) -> None:
    """Whatever rules it is judged by: other rules are one note, and no word of changed scores."""
    failed = {
        name: [check["name"] for check in validate_submission(document, rules)["checks"] if check["passed"] is False]
        for name, document, rules in (
            ("new by old rules", submission, former_rules("1.1")),
            ("old by new rules", json.loads(MADE_UNDER_1_1.read_bytes()), load_rules()),
        )
    }

    assert failed == {"new by old rules": ["rules"], "old by new rules": ["rules", "known_baseline"]}


def test_other_rules_are_no_error_and_what_they_changed_is_said(submission: Document) -> None:
    calm = load_rules().significance.model_copy(update={"session_spread": 0.02})
    rules = load_rules().model_copy(update={"version": "mine", "sha256": "f" * 64, "significance": calm})
    found = validate_submission(submission, rules)
    said = outcome(found, "rules")

    assert (found["valid"], said["severity"], found["issues"]) == (True, "info", [])
    assert said["message"].endswith("by mine (ffffffff): significance.session_spread 0.01 -> 0.02")


def test_a_file_of_a_class_s_rules_is_checked_by_them(run: Run) -> None:
    rules = load_rules().model_copy(update={"version": "mine", "sha256": "f" * 64})
    found = validate_submission(submission_from_run(run, event="all_around", athlete_name="Ada", rules=rules), rules)

    assert [outcome(found, name)["passed"] for name in ("rules", "normalized_scores", "constraint_results")] == [
        True
    ] * 3


def test_what_followed_by_rules_that_nobody_knows_could_not_be_checked(submission: Document, change: Change) -> None:
    """It counts for nothing: all is derived anew."""
    strange = change(submission, put("declaration.rules.version", "theirs"))
    found = validate_submission(strange)
    names = ("normalized_scores", "statistics", "constraint_results")

    assert [outcome(found, name)["passed"] for name in names] == [None, None, None]
    assert found["valid"]


def test_former_rules_look_at_the_baseline_s_accuracy_too(submission: Document, change: Change) -> None:
    found = validate_submission(change(submission, accuracy("baseline", 300)), former_rules("1.1"))

    assert outcome(found, "baseline_accuracy")["passed"] is False


def test_what_was_measured_before_there_was_this_program_is_backdated(submission: Document) -> None:
    backdated = copy.deepcopy(submission)
    backdated["run"]["protocol"]["started_at"] = "1999-01-01T00:00:00Z"
    found = outcome(validate_submission(backdated), "clock_span")

    assert found["passed"] is False
    assert "measured in 1999" in found["message"]
