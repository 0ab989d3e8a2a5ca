"""What the files of one machine tell of each other."""

from __future__ import annotations

import json
import math

import pytest

from tests.competition.conftest import known_run
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.ranking.judged import Judged, judge
from tinytorch.competition.ranking.leaderboard import Wanted, leaderboard
from tinytorch.competition.ranking.machines import beside_their_machines
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.files import sha256

RULES = load_rules()


def handed_in(name: str, run: Run, event: str = "latency_sprint") -> Judged:
    named = run.model_copy(update={"id": f"20260301T120030Z-{sha256(name.encode())[:8]}"})
    document = submission_from_run(named, event=event, athlete_name=name)
    judged, _ = judge(f"{name}.json", json.dumps(document).encode(), RULES)
    assert judged.valid, judged.reason
    return judged


CALM, BUSY = handed_in("Calm", known_run(baseline=1.0)), handed_in("Busy", known_run(baseline=1.07, hours=None))


def test_a_file_alone_is_what_it_says() -> None:
    assert beside_their_machines([BUSY], RULES) == [BUSY]


def test_a_forgotten_reference_gains_nothing() -> None:
    """Without one it has the floor; beside a calm file of its machine its own excess counts where that is more."""
    slow = handed_in("Slow", known_run(baseline=1.2, hours=None))
    (_, beside) = beside_their_machines([CALM, slow], RULES)

    assert slow.figures.moved.down == math.log1p(0.1)
    assert beside.figures.moved.down > math.log(1.19)
    ratio = slow.figures.interval[0] / beside.figures.interval[0]
    assert ratio == pytest.approx(math.exp(beside.figures.moved.down - slow.figures.moved.down))


def test_of_all_around_a_third_of_it_counts() -> None:
    alone = handed_in("Slow", known_run(baseline=1.2, hours=None), "all_around")
    _, beside = beside_their_machines([CALM, alone], RULES)
    by = math.exp((beside.figures.moved.down - alone.figures.moved.down) / 3)

    assert alone.figures.interval[0] / beside.figures.interval[0] == pytest.approx(by)


def test_sizes_do_not_change_with_the_machine() -> None:
    alone = handed_in("Slow", known_run(baseline=1.2, hours=None), "memory_challenge")
    _, beside = beside_their_machines([CALM, alone], RULES)

    assert beside.figures.interval == alone.figures.interval


def test_other_machines_tell_nothing() -> None:
    run = known_run(baseline=1.2, hours=None)
    other = run.model_copy(update={"system_info": run.system_info.model_copy(update={"numpy": "9"})})
    elsewhere = handed_in("Elsewhere", other)

    assert beside_their_machines([CALM, elsewhere], RULES)[1] == elsewhere


def test_a_verdict_falls_with_what_others_show() -> None:
    """A twelfth faster than a baseline that was a tenth slower than the other file's."""
    claimed = known_run(baseline=1.1, typical_ns=1_000_000)
    reference = claimed.protocol.reference.model_copy(
        update={"baseline_ns": 1.1 * claimed.protocol.reference.baseline_ns}
    )
    forged = claimed.model_copy(update={"protocol": claimed.protocol.model_copy(update={"reference": reference})})
    alone = handed_in("Forged", forged)
    _, beside = beside_their_machines([CALM, alone], RULES)

    assert (alone.figures.verdict, beside.figures.verdict) == ("better", "no detectable difference")


def test_a_board_ranks_by_it_and_says_why() -> None:
    found = leaderboard([CALM, BUSY], RULES, Wanted(event=OlympicEvent.LATENCY_SPRINT))
    (ranking,) = found.rankings

    assert [place.rank for place in ranking.places] == [1, 1]
    assert "up to 10 %" in {each.judged.entered.athlete_name: each for each in ranking.places}[
        "Busy"
    ].judged.entered.busy_words(RULES)
