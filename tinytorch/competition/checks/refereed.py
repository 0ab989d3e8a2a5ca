"""Checks of what a referee found of an entry by its own clock, inputs, data and baselines (TO-V, for T3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tinytorch.benchmarking.records.outside import OutsideTimes
from tinytorch.benchmarking.statistics import at_most_by_chance, fisher_less
from tinytorch.competition.checks.findings import Check, Evidence, Outcome, check, failed, passed, unknown
from tinytorch.competition.record.refereed import Both, Redraw, Right
from tinytorch.competition.scoring.outside import speedup_outside, too_short
from tinytorch.competition.scoring.scores import compared
from tinytorch.showing import safe_text
from tinytorch.units import BYTES_PER_MEGABYTE, format_share, format_size, three_digits

if TYPE_CHECKING:
    from tinytorch.competition.checks.verification import Rerun

NOT_REFEREED = "it was not timed from outside"


@check
def clocks_agree(rerun: Rerun) -> Outcome:
    refereed, rules = rerun.refereed, rerun.rules.refereeing
    if refereed is None or refereed.outside is None or rerun.run is None:
        return unknown(NOT_REFEREED)
    inside = compared(rerun.run, rerun.rules).speedup
    if inside is None:
        return unknown("the run has no speedup")
    if short := too_short(refereed.outside, rules):
        return unknown(short)
    outside = speedup_outside(refereed.outside, rerun.run, rerun.rules).estimate
    said = f"{three_digits(outside)}x by the clock outside, {three_digits(inside.estimate)}x by the one inside"
    evidence: Evidence = {"outside": outside, "inside": inside.estimate}
    return failed(said, **evidence) if apart(rerun) > rules.clocks_differ else passed(said, **evidence)


def apart(rerun: Rerun) -> float:
    """The share by which the larger of both speedups exceeds the smaller; 0 where there are not both."""
    inside = compared(rerun.run, rerun.rules).speedup if rerun.run else None
    if rerun.run is None or rerun.refereed is None or rerun.refereed.outside is None or inside is None:
        return 0.0
    outside = speedup_outside(rerun.refereed.outside, rerun.run, rerun.rules).estimate
    return max(outside / inside.estimate, inside.estimate / outside) - 1


@check
def chained(rerun: Rerun) -> Outcome:
    times, rules = _outside(rerun), rerun.rules.refereeing
    if times is None:
        return unknown(NOT_REFEREED)
    of = times.optimized
    pool = of.pool / of.inputs
    evidence: Evidence = {"answers": of.answers, "distinct": of.distinct_share, "pool": pool}
    said = (
        f"{of.answers:,} timed answers, each to an input that the one before led to, {format_share(of.distinct_share)}"
    )
    said += f" of a request's inputs different, of a pool {three_digits(pool)} times as large"
    is_enough = of.distinct_share >= rules.least_distinct and pool >= rules.least_pool
    return passed(said, **evidence) if is_enough else failed(said, **evidence)


@check
def timed_accuracy(rerun: Rerun) -> Outcome:
    times, untimed = _outside(rerun), rerun.refereed.untimed if rerun.refereed else None
    if times is None or untimed is None:
        return unknown(NOT_REFEREED)
    timed = Right(correct=times.optimized.correct, total=times.optimized.answers, tokens=untimed.tokens)
    p_value = fisher_less(timed.independent, untimed.independent)
    said = f"{_share(timed)} timed answers are right, {_share(untimed)} others"
    is_less = p_value < rerun.rules.verifying.accuracy_chance
    return failed(said, p_value=p_value) if is_less else passed(said, p_value=p_value)


@check
def private_accuracy(rerun: Rerun) -> Outcome:
    if rerun.refereed is None:
        return unknown(NOT_REFEREED)
    found, claim = rerun.refereed.private, _claimed_accuracy(rerun)
    if found is None:
        task = safe_text(rerun.claimed.run.task.name) if rerun.claimed.run.task else "this task"
        return unknown(f"there are no private data for {task}: --private FILE (tito olympics private --help)")
    if claim is None:
        return unknown("the submission claims no accuracy")
    rules = rerun.rules.refereeing
    lost = max(0.0, _baseline_accuracy(rerun) - found.baseline.share)
    least = max(claim - lost - rules.private_drop, _limit(rerun) - lost)
    return _at_least(rerun, found, least, "private data")


@check
def robust(rerun: Rerun) -> Outcome:
    if rerun.refereed is None:
        return unknown(NOT_REFEREED)
    found, claim = rerun.refereed.distorted, _claimed_accuracy(rerun)
    if found is None or claim is None:
        return unknown("there are no distorted copies of this task's data")
    lost = max(0.0, _baseline_accuracy(rerun) - found.baseline.share)
    return _at_least(rerun, found, claim - lost - rerun.rules.refereeing.distorted_drop, "distorted copies")


@check
def redrawn(rerun: Rerun) -> Outcome:
    if rerun.refereed is None or not rerun.refereed.redraws:
        return unknown("no baseline was trained again")
    redraws = rerun.refereed.redraws
    holding = [each for each in redraws if is_as_good(each, rerun) and _is_as_fast(each, rerun)]
    said = f"holds on {len(holding)} of {len(redraws)} redrawn baselines: {'; '.join(_said_of(redraws))}"
    evidence: Evidence = {"holding": len(holding), "redraws": len(redraws)}
    return passed(said, **evidence) if holding else failed(said, **evidence)


def is_as_good(redraw: Redraw, rerun: Rerun) -> bool:
    """Whether what `optimize` made of a redrawn baseline has nearly the accuracy that was claimed."""
    rules, claim = rerun.rules.refereeing, _claimed_accuracy(rerun)
    if redraw.optimized is None or claim is None:
        return False
    lost = max(0.0, _baseline_accuracy(rerun) - redraw.baseline.share)
    least = claim - lost - rules.redrawn_drop
    p_value = at_most_by_chance(*redraw.optimized.independent, min(1.0, max(0.0, least)))
    return p_value >= rerun.rules.verifying.accuracy_chance


def _is_as_fast(redraw: Redraw, rerun: Rerun) -> bool:
    """Whether its speedup is about that of the published weights, as far as both are known."""
    outside = _outside(rerun)
    if redraw.speedup is None or outside is None or rerun.run is None:
        return True
    published = speedup_outside(outside, rerun.run, rerun.rules).estimate
    return max(redraw.speedup / published, published / redraw.speedup) <= rerun.rules.refereeing.redrawn_speedup


@check
def idle(rerun: Rerun) -> Outcome:
    if rerun.refereed is None or rerun.refereed.idle_share is None:
        return unknown(NOT_REFEREED)
    share, left = rerun.refereed.idle_share, rerun.refereed.left_behind
    if left:
        return failed(f"it left behind: {', '.join(safe_text(each, 100) for each in left[:3])}")
    rules, times = rerun.rules.refereeing, _outside(rerun)
    beside = times.unasked_share if times else 0.0
    said = f"{format_share(share)} of a processor's time while nobody asked anything, "
    said += f"{format_share(beside)} of the time that others were asked"
    is_busy = share > rules.idle_share or beside > rules.unasked_share
    return failed(said, idle=share, unasked=beside) if is_busy else passed(said, idle=share, unasked=beside)


@check
def memory_grows(rerun: Rerun) -> Outcome:
    grown = rerun.refereed.grown_bytes if rerun.refereed else None
    memory = rerun.run.optimized.metrics.memory if rerun.run else None
    if grown is None or memory is None or memory.size_bytes is None:
        return unknown("its process was not looked at")
    rules, counted = rerun.rules.refereeing, memory.size_bytes
    most = rules.memory_factor * counted + rules.memory_extra_mb * BYTES_PER_MEGABYTE
    said = f"its process grew by {format_size(grown)}, and its model was counted to keep {format_size(counted)}"
    evidence: Evidence = {"grown_bytes": grown, "counted_bytes": counted}
    return failed(said, **evidence) if grown > most else passed(said, **evidence)


REFEREED: tuple[Check[Rerun], ...] = (
    clocks_agree, chained, timed_accuracy, private_accuracy, robust, redrawn, idle, memory_grows,
)  # fmt: skip


def _outside(rerun: Rerun) -> OutsideTimes | None:
    return rerun.refereed.outside if rerun.refereed else None


def _at_least(rerun: Rerun, found: Both, least: float, where: str) -> Outcome:
    """Not below an accuracy by more than chance allows."""
    p_value = at_most_by_chance(*found.optimized.independent, min(1.0, max(0.0, least)))
    baseline = format_share(found.baseline.share)
    said = f"{_share(found.optimized)} answers to {where} are right, {baseline} of the baseline's"
    evidence: Evidence = {"right": found.optimized.share, "least": least, "p_value": p_value}
    if p_value < rerun.rules.verifying.accuracy_chance:
        return failed(f"{said}; at least {format_share(max(0.0, least))} was expected", **evidence)
    return passed(said, **evidence)


def _said_of(redraws: Iterable[Redraw]) -> Iterable[str]:
    for each in redraws:
        if each.optimized is None:
            yield f"{safe_text(each.fault, 200)} (seed {each.seed})"
        else:
            speed = "" if each.speedup is None else f", {three_digits(each.speedup)}x"
            own = format_share(each.baseline.share)
            yield f"{format_share(each.optimized.share)}{speed} (seed {each.seed}, whose baseline has {own})"


def _claimed_accuracy(rerun: Rerun) -> float | None:
    accuracy = rerun.claimed.run.optimized.metrics.accuracy
    return accuracy.mean if accuracy else None


def _baseline_accuracy(rerun: Rerun) -> float:
    """Of the published one, as the re-run saw it."""
    accuracy = rerun.run.baseline.metrics.accuracy if rerun.run else None
    return accuracy.mean if accuracy else 0.0


def _limit(rerun: Rerun) -> float:
    """The accuracy that the event asks for."""
    event = rerun.rules.events[rerun.claimed.declaration.event]
    return max((each.limit for each in event.constraints if each.metric == "accuracy"), default=0.0)


def _share(right: Right) -> str:
    return f"{format_share(right.share)} of {right.total:,}"
