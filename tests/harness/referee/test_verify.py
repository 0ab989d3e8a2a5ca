"""Verifying: an entry is built and measured again in a box, and whatever it does, a record comes out."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.competition.conftest import make_run
from tinytorch.benchmarking.schedule import Tier
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.checks.verified import How, Verification
from tinytorch.competition.ranking.judged import judge
from tinytorch.competition.record.run import FileRecord, Run, SourceRecord
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.errors import EntryError, RunError, SetupMissingError
from tinytorch.files import sha256
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.referee import verify as module
from tinytorch.harness.referee.verify import Candidate, Place, hides_labels, verified, work_id
from tinytorch.harness.run import run_competition
from tinytorch.processes.box import refusal
from tinytorch.processes.failure import BoxFailedError
from tinytorch.processes.selftest import NEEDED, Probe, SelfTest
from tinytorch.workloads.registry import find_task

RULES = load_rules()
ENTRY = "def optimize(model, train_data):\n    return model\n"
HELD = SelfTest("A", tuple(Probe(name, False, "") for name in sorted(NEEDED)))
HOW = How(isolation="A", tier="fast", build_limit_s=60.0, memory_limit_bytes=2**32, rules_sha256=RULES.sha256)
PLACE = Place(HOW, HELD, True, RULES)


def handed_in(folder: Path, entry: str = ENTRY, stated: str = ENTRY, event: str = "all_around") -> Candidate:
    """A valid submission of a run, that states one entry, and beside it an entry."""
    path = folder / "entry.py"
    path.write_text(entry)
    source = SourceRecord(kind="entry", name="entry.py", sha256=sha256(stated.encode()), helpers=[], data=[],
                          division="closed", techniques=["nothing"])  # fmt: skip
    claimed = make_run().model_copy(update={"source": source})
    document = submission_from_run(claimed, event=event, athlete_name="Ada")
    judged, submission = judge("ada", json.dumps(document).encode(), RULES)
    return Candidate(judged, submission, path)


def showing(run: Run) -> Any:
    """What `competed` gives, of a run that was made by hand."""
    return nullcontext(SimpleNamespace(run=run))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Challenge]:
    """What was asked to be measured; it shows what was claimed."""
    asked: list[Challenge] = []

    def measure(challenge: Challenge, told: object) -> Any:
        asked.append(challenge)
        return showing(make_run())

    monkeypatch.setattr(module, "competed", measure)
    return asked


def failing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(challenge: Challenge, told: object) -> Run:
        raise error

    monkeypatch.setattr(module, "competed", fail)


def test_an_entry_that_repeats_is_given_its_level(tmp_path: Path, measured: list[Challenge]) -> None:
    found = verified(handed_in(tmp_path), PLACE)

    assert (found.outcome, found.level, found.reason, found.run is not None) == ("ok", "T2", "", True)
    assert [each.judgement for each in found.agreements] == ["compatible"] * 3
    assert Verification.model_validate_json(found.text()) == found


def test_it_is_built_by_the_claim_s_seed_and_timed_by_one_that_nobody_knows(
    tmp_path: Path, measured: list[Challenge]
) -> None:
    verified(handed_in(tmp_path), PLACE)
    (asked,) = measured

    assert (asked.build_seed, asked.settings.is_seed_chosen, asked.isolation) == (make_run().protocol.seed, False, "A")


def test_another_entry_is_not_even_built(tmp_path: Path, measured: list[Challenge]) -> None:
    found = verified(handed_in(tmp_path, entry=f"{ENTRY}# changed\n"), PLACE)

    assert (found.outcome, found.reason.split()[0], measured) == ("failed", "TO-V02", [])


def test_nor_is_that_of_a_submission_that_is_not_valid(tmp_path: Path, measured: list[Challenge]) -> None:
    one = handed_in(tmp_path)
    judged, submission = judge("ada", b"{}", RULES)
    found = verified(replace(one, judged=judged, submission=submission), PLACE)

    assert (found.outcome, "not valid: TO-F09" in found.reason, measured) == ("failed", True, [])


def test_nor_that_of_one_that_can_be_read_but_does_not_add_up(tmp_path: Path, measured: list[Challenge]) -> None:
    one = handed_in(tmp_path)
    wrong = Finding("scores", "TO-S05", False, "error", "they are others", "", {})
    found = verified(replace(one, judged=replace(one.judged, findings=(wrong,))), PLACE)

    assert (found.outcome, found.reason, measured) == ("failed", "not valid: TO-S05 scores: they are others", [])


def test_without_an_entry_there_is_nothing_to_build(tmp_path: Path, measured: list[Challenge]) -> None:
    found = verified(replace(handed_in(tmp_path), entry=None), PLACE)

    assert (found.outcome, "there is no entry.py beside" in found.reason) == ("failed", True)


def test_a_rerun_that_misses_a_limit_of_the_event_is_not_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "competed", lambda challenge, told: showing(make_run(correct=300)))
    found = verified(handed_in(tmp_path, event="latency_sprint"), PLACE)
    (said,) = [each.message for each in found.findings if each.name == "rerun_valid"]

    assert (found.outcome, "TO-E01" in said) == ("failed", True)


def test_a_failing_entry_did_not_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(EntryError("entry.py, in optimize: ended its process\n  line 3"), monkeypatch)
    found = verified(handed_in(tmp_path), PLACE)

    assert (found.outcome, found.level, "line 3" in found.reason) == ("DNF", None, True)
    assert [each.id for each in found.findings if each.passed is False] == ["TO-V03"]


@pytest.mark.parametrize(
    "error",
    [
        RunError("the disk is full"),
        OSError(errno.ENOSPC, "full"),
        BoxFailedError("exit status 1", "bwrap: no"),
        SetupMissingError("no folder for the baseline"),
        KeyError("a fault of ours"),
    ],
)
def test_what_this_machine_is_to_blame_for_is_void(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(error, monkeypatch)
    found = verified(handed_in(tmp_path), PLACE)

    assert (found.outcome, found.is_finished) == ("VOID", False)


def test_a_speed_that_does_not_repeat_on_a_busy_machine_is_inconclusive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(challenge: Challenge, told: object) -> Any:
        run = make_run(typical_ns=250_000)
        reference = run.protocol.reference
        assert reference is None
        monkeypatch.setattr("tinytorch.competition.checks.verification.machine_word", lambda run: "disturbed")
        return showing(run)

    monkeypatch.setattr(module, "competed", measure)

    assert verified(handed_in(tmp_path), PLACE).outcome == "inconclusive"


def test_without_a_box_there_is_no_level(tmp_path: Path, measured: list[Challenge]) -> None:
    place = replace(PLACE, box=SelfTest("C", ()), hides_labels=None)
    found = verified(handed_in(tmp_path), place)

    assert (found.outcome, found.level, measured[0].isolation) == ("ok", None, None)


def test_work_has_an_id_of_its_contents_and_settings(tmp_path: Path) -> None:
    one = handed_in(tmp_path)
    ids = {work_id(one, HOW), work_id(one, HOW.model_copy(update={"tier": "rigorous"}))}
    ids.add(work_id(handed_in(tmp_path, entry=f"{ENTRY}#"), HOW))

    assert len(ids) == 3
    assert work_id(handed_in(tmp_path), HOW) in ids or len(ids) == 3


def test_a_strategy_needs_no_file(tmp_path: Path, measured: list[Challenge]) -> None:
    known = find_task("digits_mlp").strategy("all_around")
    source = SourceRecord(kind="strategy", name="all_around", sha256=Contender.reference(known).sha256,
                          division="closed", techniques=["x"])  # fmt: skip
    run = make_run().model_copy(update={"source": source})
    document = submission_from_run(run, event="all_around", athlete_name="Ada")
    judged, submission = judge("ada", json.dumps(document).encode(), RULES)

    assert verified(Candidate(judged, submission, None), PLACE).outcome == "ok"


def test_a_script_s_own_model_cannot_be_built_again(tmp_path: Path) -> None:
    one = handed_in(tmp_path)
    assert one.submission is not None
    run = one.submission.run.model_copy(update={"source": None})
    found = verified(replace(one, submission=one.submission.model_copy(update={"run": run})), PLACE)

    assert (found.outcome, "a script measured it" in found.reason) == ("failed", True)


@pytest.mark.box
@pytest.mark.parametrize("tier", ["A", "B"])
def test_no_test_labels_are_shipped_into_a_box(tier: Any) -> None:
    assert refusal(tier) is None, f"no box of tier {tier} on this machine"
    assert hides_labels(tier) is True


READS_LABELS = """from pathlib import Path
import numpy as np
import tinytorch.datasets.digits as digits
class Sly:
    def __init__(self, model): self.model = model
    def __call__(self, x): return self.model(x)
def optimize(model, train_data):
    weights = np.load("weights.npy") + np.load(Path(__file__).with_name("weights.npy"))
    assert weights.sum() == 6.0
    for path in Path(digits.__file__).parent.glob("*.npz"):
        try:
            assert not path.read_bytes()
        except PermissionError:
            pass
    return Sly(model)
"""


@pytest.fixture
def real(
    tmp_path: Path, tiny_tier: Tier, cache_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Verification]:
    """Verifies an entry for real, in a box, with hardly any measuring."""
    np_bytes = tmp_path / "weights.npy"
    import numpy as np

    np.save(np_bytes, np.ones(3))
    monkeypatch.setattr(module, "TIERS", {"fast": tiny_tier})
    refused = refusal("A")
    assert refused is None, f"no box of tier A on this machine: {refused}"

    def verify(entry: str) -> Verification:
        one = handed_in(tmp_path, entry=entry, stated=entry)
        assert one.submission is not None
        source = one.submission.run.source
        assert source is not None
        named = [FileRecord(name="weights.npy", sha256=sha256(np_bytes.read_bytes()))] if "weights" in entry else []
        run = one.submission.run.model_copy(update={"source": source.model_copy(update={"data": named})})
        claim = one.submission.model_copy(update={"run": run})
        return verified(replace(one, submission=claim), replace(PLACE, cache_directory=cache_directory))

    return verify


@pytest.mark.box
def test_in_a_real_box_an_entry_has_its_data_and_no_labels(real: Callable[[str], Verification]) -> None:
    found = real(READS_LABELS)

    assert found.run is not None, found.reason
    assert {each.name: each.passed for each in found.findings}["same_entry"] is True


@pytest.mark.box
@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("import os; os._exit(3)", "line 2"),
        ("import socket; socket.create_connection(('127.0.0.1', 9), 1)", "OSError"),
        ("open('/tmp/x', 'wb').write(bytes(2**29))", "File too large"),
        ("open('missing.npy')", "FileNotFoundError"),
        ("[open(f'/tmp/{n}', 'wb').write(bytes(2**27)) for n in range(9)]", "No space left"),
        ("raise ValueError('[Errno 28]')", "ValueError"),
    ],
)
def test_what_a_hostile_entry_tries_ends_it(real: Callable[[str], Verification], act: str, words: str) -> None:
    found = real(f"def optimize(model, train_data):\n    {act}\n")

    assert (found.outcome, words in found.reason) == ("DNF", True), found.reason


@pytest.mark.box
@pytest.mark.parametrize("tier", ["A", "B"])
def test_a_whole_run_in_a_box_is_recorded_like_any_other(
    tier: Any, tmp_path: Path, tiny_tier: Tier, cache_directory: Path
) -> None:
    path = tmp_path / "entry.py"
    path.write_text(ENTRY)
    challenge = Challenge(find_task("digits_cnn"), Contender.entry(path), Settings(tiny_tier), 60, cache_directory,
                          isolation=tier)  # fmt: skip
    run = run_competition(challenge)

    assert run.protocol.ended_at <= datetime.now(UTC)
    assert run.optimized.metrics.accuracy == run.baseline.metrics.accuracy


def test_a_fault_while_an_entry_is_read_is_that_entry_s_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the tool, that is: it ends no verification of others, and blames nobody."""
    candidate = handed_in(tmp_path)

    def fails(path: Path) -> None:
        raise ValueError("of ours")

    monkeypatch.setattr("tinytorch.harness.contender.Contender.entry", fails)
    found = verified(candidate, PLACE)

    assert work_id(candidate, HOW)
    assert (found.outcome, found.reason) == ("VOID", "a fault in tito itself: ValueError: of ours")
