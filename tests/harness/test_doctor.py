"""What looks say of a machine, from written-down times; and when waiting ends, by a clock that is made up."""

from __future__ import annotations

import math
import random

import pytest

from tests.competition.conftest import STARTED, known_run
from tinytorch.benchmarking.records.session import ReferenceTimes
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.disturbance import quiet_times
from tinytorch.errors import UsageError
from tinytorch.harness.doctor import PAUSE_S, Diagnosis, diagnose, floor_words, wait_until_quiet
from tinytorch.harness.looks import COPIES, PROCESSES, Look

RULES = load_rules()
QUIET = quiet_times(known_run())
KNOWN = QUIET.known
PLACEMENTS = PROCESSES * COPIES


def look(excess: float, chance: random.Random, noise: float = 0.004) -> Look:
    """A baseline, its copy and a model six times as fast, where the first two take so much longer."""
    baseline = math.log(KNOWN.baseline_ns) + math.log1p(excess)
    middles = (baseline, baseline, math.log(KNOWN.baseline_ns / 6))
    logs = [[middle + chance.gauss(0, noise) for _ in range(PLACEMENTS)] for middle in middles]
    quiet = {"baseline": [sum(logs[0]) / PLACEMENTS], "yardstick": [math.log(KNOWN.yardstick_ns)]}
    return Look(QUIET.model_copy(update=quiet), logs)


def diagnosed(*excesses: float, known: ReferenceTimes | None = KNOWN, noise: float = 0.004) -> Diagnosis:
    chance = random.Random(1)
    return diagnose([look(excess, chance, noise) for excess in excesses], known, RULES)


def test_a_calm_machine_is_quiet_and_repeats() -> None:
    found = diagnosed(*[0.0] * 8)

    assert (found.state, found.same.told_apart, found.pair.held) == ("quiet", 0, 8)
    assert found.pair.ratio == pytest.approx(6, rel=0.01)
    assert found.session_spread <= 0.005


def test_a_busy_machine_is_disturbed_and_its_pair_spreads() -> None:
    found = diagnosed(0.02, 0.12, 0.04, 0.09, 0.11, 0.03, 0.08, 0.10)

    assert (found.state, found.same.told_apart) == ("disturbed", 0)
    assert found.excess_now == pytest.approx(0.085, abs=0.01)
    assert found.pair.held < 8
    assert found.spread_left < 0.005 < 0.03 < found.pair.spread
    assert found.session_spread <= 0.005


def test_what_the_excess_does_not_explain_needs_a_session_spread() -> None:
    """A machine whose models differ from look to look, whatever the baseline takes."""
    chance = random.Random(2)
    looks = [look(0.0, chance) for _ in range(8)]
    spread = [Look(each.quiet, [*each.logs[:2], [log + by for log in each.logs[2]]])
              for each, by in zip(looks, (0.03, -0.03) * 4, strict=True)]  # fmt: skip

    assert diagnose(spread, KNOWN, RULES).session_spread == pytest.approx(0.032, abs=0.002)


def test_of_a_machine_that_few_hours_are_known_of_only_its_best_so_far_is_said() -> None:
    young = KNOWN.model_copy(update={"hours": 4})

    assert diagnosed(*[0.0] * 8, known=young).state == "at its best so far"
    assert diagnosed(*[0.09] * 8, known=young).state == "disturbed"


def test_of_a_machine_that_nobody_knows_nobody_says_that_it_is_quiet() -> None:
    found = diagnosed(*[0.0] * 4, known=None)

    assert (found.state, found.excess_now, found.moved_now) == ("not known", None, None)


def test_too_few_looks_say_nothing() -> None:
    with pytest.raises(UsageError, match="3 looks are too few"):
        diagnosed(0.0, 0.0, 0.0)


def test_the_card_has_the_figures() -> None:
    found = diagnosed(*[0.0] * 8)
    card = found.card(STARTED)

    assert (card.sessions, card.same_alarms, card.pair_held) == (8, 0, 8)
    assert (card.same_spread, card.session_spread) == (found.same.spread, found.session_spread)


@pytest.mark.parametrize(
    ("hours", "words"), [(1, "known from 1 of 5 hours: run this again"), (5, "known from 5 different hours")]
)
def test_how_well_the_machine_is_known_is_said(hours: int, words: str) -> None:
    assert words in floor_words(RULES.disturbance, hours)


class Clock:
    """Time goes on when somebody waits, and when somebody looks."""

    def __init__(self, *excesses: float | None) -> None:
        self.now_s, self.excesses, self.said = 0.0, list(excesses), list[str]()

    def look(self) -> float | None:
        self.now_s += 3
        return self.excesses.pop(0)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def until_quiet(self, limit_s: float) -> bool:
        return wait_until_quiet(self.look, limit_s, lambda: self.now_s, self.wait, self.said.append)


def test_waiting_ends_when_the_baseline_is_quiet() -> None:
    clock = Clock(0.09, 0.04, 0.019, 0.0)

    assert clock.until_quiet(600)
    assert (clock.excesses, clock.now_s) == ([0.0], 3 * 3 + 2 * PAUSE_S)
    assert clock.said[0] == "the baseline takes 9 % longer than this machine's best; waiting, 10 min at most"


def test_waiting_ends_when_the_time_is_over() -> None:
    clock = Clock(*[0.09] * 100)

    assert not clock.until_quiet(60)
    assert clock.now_s <= 60 + 3
    assert "measuring all the same" in clock.said[-1]


def test_nobody_waits_for_a_machine_that_is_not_known() -> None:
    clock = Clock(None)

    assert not clock.until_quiet(600)
    assert clock.said == [
        "nothing is known of this machine yet, so that nobody can say whether it is quiet: measuring now"
    ]
