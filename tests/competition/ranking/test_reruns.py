"""Where an entry was measured again, the re-run's figures are what counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.competition.conftest import make_run
from tests.competition.refereed import outside_times, refereed
from tests.tito.class_folder import handed_in
from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.checks.verified import How, Verification
from tinytorch.competition.ranking.judged import Circumstances, Judged, judge_file
from tinytorch.competition.ranking.leaderboard import Wanted, leaderboard
from tinytorch.competition.ranking.reruns import Reruns
from tinytorch.competition.record.submission import Submission, Trust
from tinytorch.competition.rules.events import load_rules
from tinytorch.files import sha256

RULES = load_rules()
AT = datetime(2026, 12, 1, tzinfo=UTC)
HOW = How(isolation="A", tier="fast", build_limit_s=60.0, memory_limit_bytes=2**32, rules_sha256=RULES.sha256)

REFEREED = HOW.model_copy(update={"level": "T3"})


def finding(name: str, id_: str, severity: Any = "error") -> Finding:
    return Finding(name=name, id=id_, passed=False, severity=severity, message="m", mend="", evidence={})


def verification(path: Path, typical_ns: int = 250_000, **fields: Any) -> Verification:
    """Of the submission in a file: what the re-run showed."""
    content = path.read_bytes()
    claimed = Submission.model_validate_json(content)
    told: dict[str, Any] = {
        "id": "0" * 16, "source": path.name, "submission_sha256": sha256(content), "files": {},
        "declaration": claimed.declaration, "task": "digits_mlp", "how": HOW, "level": "T2", "outcome": "ok",
        "reason": "", "probes": [], "agreements": [], "findings": [], "verified_at": AT, "took_s": 1.0,
        "run": make_run(typical_ns=typical_ns),
    }  # fmt: skip
    return Verification(**{**told, **fields})


def board(folder: Path, *verifications: Verification) -> list[Judged]:
    judged = [judge_file(str(path), rules=RULES) for path in sorted(folder.glob("*.json"))]
    beside = Reruns(verifications, RULES).beside(judged)
    (ranking,) = leaderboard(beside, RULES, Wanted()).rankings
    return [place.judged for place in ranking.places]


def test_the_rerun_s_figures_are_ranked_and_the_claim_stands_beside(tmp_path: Path) -> None:
    path = handed_in(tmp_path, "ada")
    (first,) = board(tmp_path, verification(path))

    assert first.entered.trust is Trust.T2
    assert first.entered.ranked_value == pytest.approx(4.0, rel=0.05)
    assert first.entered.claimed is not None
    assert first.entered.claimed.value == pytest.approx(5.0, rel=0.05)


def test_a_refereed_speedup_is_that_of_the_clock_outside(tmp_path: Path) -> None:
    found = refereed(outside=outside_times(optimized_ns=300_000))
    (first,) = board(tmp_path, verification(handed_in(tmp_path, "ada"), level="T3", how=REFEREED, refereed=found))

    assert (first.entered.trust, first.entered.trust.word) == (Trust.T3, "refereed")
    assert first.entered.ranked_value == pytest.approx(1_000 / 300, rel=0.05)


def test_where_t3_was_not_given_the_rerun_counts(tmp_path: Path) -> None:
    found = refereed(outside=outside_times(optimized_ns=300_000))
    (first,) = board(tmp_path, verification(handed_in(tmp_path, "ada"), refereed=found, no_t3="no private data"))

    assert (first.entered.trust, first.entered.ranked_value) == (Trust.T2, pytest.approx(4.0, rel=0.05))


def test_what_repeats_stands_above_what_is_only_claimed(tmp_path: Path) -> None:
    path = handed_in(tmp_path, "ada", 2)
    handed_in(tmp_path, "bob", 3, typical_ns=100_000)

    assert [each.entered.athlete_name for each in board(tmp_path, verification(path))] == ["ada", "bob"]
    assert [each.entered.athlete_name for each in board(tmp_path)] == ["bob", "ada"]


def test_a_better_new_claim_does_not_take_the_verified_value_with_it(tmp_path: Path) -> None:
    old = handed_in(tmp_path, "ada", 2, file="old.json")
    handed_in(tmp_path, "ada", 3, file="new.json", typical_ns=100_000)
    (first,) = board(tmp_path, verification(old))

    assert (Path(first.source).name, first.entered.trust) == ("old.json", Trust.T2)


def test_what_did_not_repeat_has_no_rank(tmp_path: Path) -> None:
    path, _ = handed_in(tmp_path, "ada", 2), handed_in(tmp_path, "bob", 3)
    refuted = verification(path, level=None, outcome="failed", run=None, findings=[finding("speed_repeats", "TO-V04")])

    assert [each.entered.athlete_name for each in board(tmp_path, refuted)] == ["bob"]


@pytest.mark.parametrize("outcome", ["VOID", "inconclusive"])
def test_what_could_not_be_said_changes_nothing(tmp_path: Path, outcome: Any) -> None:
    path = handed_in(tmp_path, "ada")
    unsaid = verification(path, level=None, outcome=outcome, findings=[finding("speed_repeats", "TO-V04")])
    (first,) = board(tmp_path, unsaid)

    assert first.entered.trust is Trust.T1


def test_a_copy_with_another_entry_refutes_nobody(tmp_path: Path) -> None:
    path = handed_in(tmp_path, "ada")
    wrong = verification(
        path, level=None, outcome="failed", run=None, findings=[finding("same_entry", "TO-V02")],
        verified_at=AT + timedelta(days=1),
    )  # fmt: skip
    (first,) = board(tmp_path, verification(path), wrong)

    assert first.entered.trust is Trust.T2


def test_of_two_the_later_counts(tmp_path: Path) -> None:
    path = handed_in(tmp_path, "ada")
    later = verification(path, typical_ns=500_000, verified_at=AT + timedelta(hours=1))
    (first,) = board(tmp_path, later, verification(path))

    assert first.entered.ranked_value == pytest.approx(2.0, rel=0.05)


def test_a_verification_by_other_rules_is_none_here(tmp_path: Path) -> None:
    path = handed_in(tmp_path, "ada")
    other = verification(path, how=HOW.model_copy(update={"rules_sha256": "f" * 64}))
    (first,) = board(tmp_path, other)

    assert first.entered.trust is Trust.T1


def test_its_warnings_stand_on_the_board(tmp_path: Path) -> None:
    path = handed_in(tmp_path, "ada")
    warned = verification(path, findings=[finding("memory_repeats", "TO-V06", "warning")])
    (first,) = board(tmp_path, warned)

    assert "TO-V06" in first.warnings


def test_a_page_shows_how_it_was_measured_again(tmp_path: Path) -> None:
    path = handed_in(tmp_path, "ada")
    again = verification(path)
    claimed = Circumstances()
    found = Reruns([again], RULES).circumstances({str(again.submission_sha256): claimed, "f" * 64: claimed})

    assert found["f" * 64] is claimed
    assert again.run is not None
    shown = again.run.protocol.model_copy(update={"yardstick": None})
    assert found[str(again.submission_sha256)].protocol == shown


def test_no_file_has_the_level_by_itself(tmp_path: Path) -> None:
    path = handed_in(tmp_path, "ada")
    document = json.loads(path.read_text())
    document["derived"]["trust"] = "T2"
    path.write_text(json.dumps(document))

    assert "T2 is given by a re-run" in judge_file(str(path), rules=RULES).reason


def test_two_levels_have_sets_of_ranks_of_their_own(tmp_path: Path) -> None:
    paths = [handed_in(tmp_path, name, seed) for seed, name in enumerate(["ada", "bob", "eve", "zoe"], 2)]
    judged = [judge_file(str(path), rules=RULES) for path in paths]
    beside = Reruns([verification(path) for path in paths[:2]], RULES).beside(judged)
    (ranking,) = leaderboard(beside, RULES, Wanted()).rankings

    assert [(place.first, place.last) for place in ranking.places] == [(1, 2), (1, 2), (3, 4), (3, 4)]


@pytest.mark.parametrize(
    "fields",
    [
        {"level": "T3"}, {"level": "T3", "how": REFEREED}, {"outcome": "failed"}, {"run": None}, {"declaration": None},
        {"level": "T3", "refereed": refereed()},
    ],
    ids=str,
)  # fmt: skip
def test_a_level_without_what_it_says_is_no_record(fields: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"it has (?:a level|level T3) without"):
        verification(handed_in(tmp_path, "ada"), **fields)
