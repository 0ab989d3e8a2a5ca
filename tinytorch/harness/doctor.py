"""What several looks in a row say of this machine: how disturbed it is now, and how well speedups repeat here.

No minute of looking replaces hours: the best of a busy minute is a busy time. So excess is over what earlier hours have
shown, and a machine of which nothing is known is not called quiet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median, stdev
from typing import Literal

from tinytorch.benchmarking.records.session import MachineCard, ReferenceTimes
from tinytorch.benchmarking.statistics import MeanEstimate, mean_estimate, widened_interval
from tinytorch.competition.rules.events import Disturbing, Rules
from tinytorch.competition.scoring.disturbance import NOTICEABLE, QuietTimes
from tinytorch.errors import UsageError
from tinytorch.harness.looks import COPIES, Look

LOOKS = 8
FEWEST_LOOKS = 4  # a spread of fewer says nothing
PAUSE_S = 5.0
ROUNDED = 1000  # a session_spread is told in tenths of a percent

Range = tuple[float, float]
State = Literal["quiet", "disturbed", "at its best so far", "not known"]


@dataclass(frozen=True)
class Repeated:
    """One pair of models in all looks: the ratio of their times, how much it was another (log scale), what was stated.

    `told_apart` intervals do not hold 1, `held` hold the mean of all; the rules' session spread is in each.
    """

    ratio: float
    spread: float
    stated: float
    told_apart: int
    held: int


@dataclass(frozen=True)
class Diagnosis:
    """What was seen: least and most of the baseline's and of the yardstick's time, and both pairs.

    `excess_now` and `yardstick_now` are over what was known, in the middle look, `moved_now` how far both together move
    a speedup. `spread_left` is the real pair's without it, and `session_spread` what the rules would have to take for
    this machine. All but `spread_left` are None where nothing was known.
    """

    looks: int
    baseline_ns: Range
    yardstick_ns: Range
    known: ReferenceTimes | None
    is_well_known: bool
    excess_now: float | None
    yardstick_now: float | None
    moved_now: float | None
    same: Repeated
    pair: Repeated
    spread_left: float
    session_spread: float | None

    @property
    def state(self) -> State:
        """Whether this is a time to measure; of a machine that few hours are known of, only whether it was better."""
        if self.moved_now is None:
            return "not known"
        if self.moved_now >= NOTICEABLE:
            return "disturbed"
        return "quiet" if self.is_well_known else "at its best so far"

    def card(self, measured_at: datetime) -> MachineCard:
        """What goes along with submissions of this machine."""
        return MachineCard(
            measured_at=measured_at, sessions=self.looks,
            same_spread=self.same.spread, same_alarms=self.same.told_apart,
            pair_spread=self.pair.spread, pair_held=self.pair.held, session_spread=self.session_spread,
        )  # fmt: skip


def diagnose(looks: Sequence[Look], known: ReferenceTimes | None, rules: Rules) -> Diagnosis:
    """What the looks say, of which each has the baseline, its copy and a small model."""
    if len(looks) < FEWEST_LOOKS:
        raise UsageError(f"{len(looks)} looks are too few", mend=f"look at least {FEWEST_LOOKS} times")
    quiet = [look.quiet.model_copy(update={"known": known}) for look in looks]
    same, pair = ([_ratios(look, 0, other) for look in looks] for other in (1, 2))
    moved = [_moved(each) for each in quiet]
    left = [each.mean - by for each, by in zip(pair, moved, strict=True)]
    spread = rules.significance.session_spread
    excess = [pair for each in quiet for pair in each.excesses(each.best)]
    needed = rules.disturbance.reference_hours if rules.disturbance else 1
    return Diagnosis(
        looks=len(looks), baseline_ns=_range([each.baseline[0] for each in quiet]),
        yardstick_ns=_range([each.yardstick[0] for each in quiet]), known=known,
        is_well_known=known is not None and known.hours >= needed,
        excess_now=math.expm1(median(one for one, _ in excess)) if known else None,
        yardstick_now=math.expm1(median(two for _, two in excess)) if known else None,
        moved_now=math.expm1(median(map(abs, moved))) if known else None,
        same=_repeated(same, spread), pair=_repeated(pair, spread), spread_left=stdev(left),
        session_spread=max(_beyond(same, [each.mean for each in same]), _beyond(pair, left)) if known else None,
    )  # fmt: skip


def _ratios(look: Look, first: int, second: int) -> MeanEstimate:
    """ln of how much longer the first model takes: the process is the unit, as in a session."""
    differences = [one - two for one, two in zip(look.logs[first], look.logs[second], strict=True)]
    return mean_estimate([fmean(differences[start : start + COPIES]) for start in range(0, len(differences), COPIES)])


def _moved(quiet: QuietTimes) -> float:
    """How far a speedup over the baseline was moved, up or down (log scale)."""
    ((baseline, yardstick),) = quiet.excesses(quiet.best)
    return baseline - yardstick


def _repeated(found: Sequence[MeanEstimate], spread: float) -> Repeated:
    means = [each.mean for each in found]
    centre = fmean(means)
    intervals = [interval for each in found if (interval := widened_interval(each, spread))]
    return Repeated(
        math.exp(centre), stdev(means), fmean(each.standard_error or 0.0 for each in found),
        told_apart=sum(not each.lower <= 0 <= each.upper for each in intervals),
        held=sum(each.lower <= centre <= each.upper for each in intervals),
    )  # fmt: skip


def _beyond(found: Sequence[MeanEstimate], values: Sequence[float]) -> float:
    """How much the values spread beyond what their own errors explain, in whole tenths of a percent."""
    own = fmean((each.standard_error or 0.0) ** 2 for each in found)
    return math.ceil(ROUNDED * math.sqrt(max(0.0, stdev(values) ** 2 - own))) / ROUNDED


def _range(logs: Sequence[float]) -> Range:
    return math.exp(min(logs)), math.exp(max(logs))


def wait_until_quiet(
    look: Callable[[], float | None],
    limit_s: float,
    clock: Callable[[], float],
    wait: Callable[[float], None],
    say: Callable[[str], None],
) -> bool:
    """Look until the baseline's excess is small, or the time is over; whether it was. Never looks at an entry's result.

    `look` gives the excess over the best that is known, None where nothing is.
    """
    end_s = clock() + limit_s
    while True:
        excess = look()
        if excess is None:
            say("nothing is known of this machine yet, so that nobody can say whether it is quiet: measuring now")
            return False
        if excess < NOTICEABLE:
            say(f"the baseline takes {100 * excess:.1f} % longer than this machine's best: measuring now")
            return True
        left_s = end_s - clock() - PAUSE_S
        told = f"the baseline takes {100 * excess:.0f} % longer than this machine's best"
        if left_s <= 0:
            say(f"{told}, and the time to wait is over: measuring all the same")
            return False
        say(f"{told}; waiting, {math.ceil(left_s / 60)} min at most")
        wait(PAUSE_S)


def floor_words(rules: Disturbing, hours: int) -> str:
    """How well the machine is known, and what to do about it."""
    if hours >= rules.reference_hours:
        return f"the best times are known from {hours} different hours"
    return f"the best times are known from {hours} of {rules.reference_hours} hours: run this again in another hour"
