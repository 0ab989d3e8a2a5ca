"""Verifications as people see them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from tests.competition.checks.test_refereed import GOOD
from tests.competition.conftest import make_run
from tests.competition.ranking.test_reruns import AT, HOW, finding
from tests.competition.refereed import outside_times, refereed
from tinytorch.competition.checks.verification import findings_of
from tinytorch.competition.checks.verified import Verification
from tinytorch.competition.record.declaration import Declaration
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.agreement import Agreement
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.processes.selftest import Probe, SelfTest
from tito.views.verification import self_test_table, table_of

RULES = load_rules()
SPEED = Agreement(figure="speedup", judgement="compatible", claimed=35.0, claimed_interval=(34.1, 36.1), here=33.8,
                  here_interval=(32.6, 35.1))  # fmt: skip


def verification(**fields: Any) -> Verification:
    told: dict[str, Any] = {
        "id": "0" * 16, "source": "class/ada", "submission_sha256": "a" * 64, "files": {}, "declaration": None,
        "task": "digits_mlp", "how": HOW, "level": None, "outcome": "ok", "reason": "", "probes": [], "agreements": [],
        "findings": [], "verified_at": AT, "took_s": 1.0, "run": None,
    }  # fmt: skip
    if level := fields.get("level"):
        how = HOW.model_copy(update={"level": level})
        told |= {"declaration": declared(), "run": make_run(), "how": how}
    return Verification(**{**told, **fields})


def declared(event: str = "latency_sprint") -> Declaration:
    document = submission_from_run(make_run(), event=event, athlete_name="Ada")
    return Submission.model_validate(document).declaration


def shown(renderable: Any, columns: int = 80) -> str:
    file = io.StringIO()
    Console(file=file, width=columns).print(renderable)
    return file.getvalue()


def test_claim_and_rerun_stand_beside_one_another() -> None:
    text = shown(table_of([verification(declaration=declared(), level="T2", agreements=[SPEED])], RULES))

    assert all(word in text for word in ("T2 repeats", "35.0x", "[34.1, 36.1]", "33.8x", "[32.6, 35.1]"))


@pytest.mark.parametrize(
    ("event", "figure", "words"),
    [("memory_challenge", "memory", "0.500 MB"), ("accuracy_contest", "accuracy", "50.0 %")],
)
def test_what_is_shown_is_what_the_event_ranks_by(event: str, figure: Any, words: str) -> None:
    agreement = Agreement(figure=figure, judgement="compatible", claimed=0.5, here=0.5)
    text = shown(table_of([verification(declaration=declared(event), agreements=[SPEED, agreement])], RULES))

    assert (words in text, "35.0x" in text) == (True, False)


def test_a_finding_stands_below_with_the_id_that_verifies_it_again() -> None:
    text = shown(table_of([verification(outcome="failed", findings=[finding("speed_repeats", "TO-V04")])], RULES))

    assert "class/ada (0000000000000000): error: TO-V04 speed_repeats: m" in text


def test_a_reason_that_no_finding_says_is_said() -> None:
    assert "no disk" in shown(table_of([verification(outcome="VOID", reason="no disk")], RULES))


def test_hostile_text_is_escaped() -> None:
    text = shown(table_of([verification(source="a\x1b[31m\u202e", outcome="DNF", reason="\x1b]0;x\x07")], RULES))

    assert not {"\x1b", "\u202e", "\x07"} & {*text}


def test_a_control_that_is_shut_is_said_to_prove_nothing() -> None:
    boxed = SelfTest("A", (Probe("ptrace", False, "no"),))
    text = shown(self_test_table(boxed, SelfTest("C", (Probe("ptrace", False, "no"),))), 120)

    assert "prove nothing here: ptrace" in text


def test_a_referees_findings_are_told_and_its_clock_is_what_is_shown() -> None:
    rerun = replace(GOOD, refereed=refereed(outside=outside_times(optimized_ns=250_000, inputs=(3, 15))))
    found = verification(
        declaration=declared(), level="T3", agreements=[SPEED], run=make_run(), refereed=rerun.refereed,
        findings=list(findings_of(rerun)),
    )  # fmt: skip
    text = " ".join(shown(table_of([found], RULES), 120).split())

    assert all(word in text for word in ("T3 refereed", "4.0", "by the clock outside", "of 2 redrawn baselines"))


def test_why_t3_is_not_given_is_said() -> None:
    text = shown(
        table_of([verification(level="T2", no_t3="there are no private data for words: --private FILE")], RULES)
    )

    assert "T3 not given: there are no private data for words" in " ".join(text.split())
