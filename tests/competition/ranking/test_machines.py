"""What the files of one machine tell of each other."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from tests.competition.conftest import known_run
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


def claiming(slower: float, event: str = "latency_sprint", **run: float) -> Judged:
    """A file whose own reference is so many times slower than the machine is."""
    claimed = known_run(**run)
    told = claimed.protocol.reference.model_copy(
        update={"baseline_ns": slower * claimed.protocol.reference.baseline_ns}
    )
    forged = claimed.model_copy(update={"protocol": claimed.protocol.model_copy(update={"reference": told})})
    return handed_in("Claiming", forged, event)


def test_a_forgotten_reference_gains_nothing() -> None:
    """Without one it has the floor, and keeps it beside a calm file of its machine."""
    slow = handed_in("Slow", known_run(baseline=1.2, hours=None))
    (_, beside) = beside_their_machines([CALM, slow], RULES)

    assert slow.figures.moved.down == beside.figures.moved.down == pytest.approx(math.log(1.1))


@pytest.mark.parametrize(("slower", "moved"), [(1.05, 1.05), (1.5, 1.1)])
def test_a_slow_reference_gains_nothing_and_costs_no_more_than_none(slower: float, moved: float) -> None:
    """What it hides is what others of the machine show, up to what a machine is worth that nobody knows."""
    alone = claiming(slower, baseline=slower)
    (_, beside) = beside_their_machines([CALM, alone], RULES)

    assert alone.figures.moved.down == pytest.approx(0, abs=1e-6)
    assert beside.figures.moved.down == pytest.approx(math.log(moved), abs=0.002)
    ratio = alone.figures.interval[0] / beside.figures.interval[0]
    assert ratio == pytest.approx(math.exp(beside.figures.moved.down - alone.figures.moved.down))


def test_of_all_around_a_third_of_it_counts() -> None:
    alone = claiming(1.08, "all_around", baseline=1.08)
    _, beside = beside_their_machines([CALM, alone], RULES)
    by = math.exp((beside.figures.moved.down - alone.figures.moved.down) / 3)

    assert by > 1.02
    assert alone.figures.interval[0] / beside.figures.interval[0] == pytest.approx(by)


def test_a_stranger_s_file_costs_others_no_more_than_a_machine_that_nobody_knows() -> None:
    """One whose baseline is ten times as fast, and whose yardstick is a hundred times."""
    stranger = handed_in("Stranger", known_run(baseline=0.1, yardstick=0.01, hours=None, typical_ns=90_000))
    beside, unknown, _ = beside_their_machines([CALM, BUSY, stranger], RULES)

    assert beside.figures.moved.down <= math.log(1.1) + 1e-9
    assert beside.figures.moved.up == CALM.figures.moved.up
    assert unknown.figures == replace(BUSY.figures, best=unknown.figures.best)


def test_a_slow_machine_of_one_s_own_wins_no_rank() -> None:
    """A yardstick that took eight times as long says that the speedup may be eight times as high."""
    ada = handed_in("Ada", known_run(typical_ns=200_000))
    eve = handed_in("Eve", known_run(typical_ns=800_000, yardstick=8.0))
    (ranking,) = leaderboard([ada, eve], RULES, Wanted()).rankings

    assert {place.judged.entered.athlete_name: place.rank for place in ranking.places} == {"Ada": 1, "Eve": 2}


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
    """A tenth faster than a baseline that was a tenth slower than the other file's."""
    alone = claiming(1.08, baseline=1.08, typical_ns=1_000_000)
    _, beside = beside_their_machines([CALM, alone], RULES)

    assert (alone.figures.verdict, beside.figures.verdict) == ("better", "no detectable difference")


def test_a_board_ranks_by_it_and_says_why() -> None:
    """Alone a slow reference is believed; beside a calm file of the machine it is not."""
    forged = claiming(1.08, baseline=1.08)
    ((alone,),) = (each.places for each in leaderboard([forged], RULES, Wanted()).rankings)
    (ranking,) = leaderboard([CALM, forged], RULES, Wanted()).rankings
    entered = {place.judged.entered.athlete_name: place.judged.entered for place in ranking.places}

    assert alone.judged.entered.busy_words(RULES) == entered["Calm"].busy_words(RULES) == ""
    assert "the baseline took 8 % longer than this machine's best" in entered["Claiming"].busy_words(RULES)
