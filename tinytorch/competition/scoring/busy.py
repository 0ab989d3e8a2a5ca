"""What is said of a machine beside a speedup: how far it may have moved it, and what to do about that."""

from __future__ import annotations

import math
from statistics import fmean

from tinytorch.benchmarking.comparison import Disturbance, Statistics
from tinytorch.competition.record.run import Measurement
from tinytorch.competition.rules.events import Disturbing, Rules, load_rules
from tinytorch.competition.scoring.disturbance import NOTICEABLE, Best, QuietTimes, floor, quiet_times
from tinytorch.units import format_share


def busy_words(run: Measurement, found: Statistics, rules: Rules) -> str:
    """What the machine may have done to the speedup of a run, in a sentence; empty where that is little."""
    speedup = found.speedup
    if speedup is None or rules.disturbance is None or speedup.ci_lower is None:
        return ""
    if speedup.disturbance is None:
        return "by typical times, which a busy machine makes longer: that is not corrected"
    quiet = quiet_times(run)
    said = moved_words(speedup.disturbance, quiet, quiet.best if quiet else None, rules.disturbance)
    first, second = run.baseline.metrics.memory, run.optimized.metrics.memory
    if said and first and second and second.mean > first.mean:
        return f"{said}. The model keeps more than the baseline, so that it may be more"
    return said


def moved_words(moved: Disturbance, quiet: QuietTimes | None, best: Best | None, rules: Disturbing) -> str:
    """The same of what is known of a file: in which direction the speedup may have been moved, and why."""
    down, up = (format_share(math.expm1(each), 0) for each in (moved.down, moved.up))
    if not is_noticeable(moved):
        return ""
    if quiet is None or quiet.task is None:  # of a script's own models nothing is ever kept
        return f"how busy the machine was is not known, so that up to {down} of the speedup may be its doing"
    excess = [fmean(pair[one] for pair in quiet.excesses(best)) for one in (0, 1)]
    baseline, yardstick = (format_share(math.expm1(each), 0) for each in excess)
    if moved.up > moved.down:
        return (
            f"small code took {yardstick} longer than this machine's best, the baseline {baseline}: at full speed the "
            f"speedup may be up to {up} larger (battery? heat?)"
        )
    if 0 < moved.down <= floor(quiet.task, quiet.hours, rules):
        learnt = f"it is learnt from sessions at {rules.reference_hours} different hours (now {quiet.hours})"
        return (
            f"this machine's best time for the baseline is not known {'well ' if quiet.known else ''}yet, so that "
            f"up to {down} of the speedup may be its doing; {learnt}"
        )
    small = "small code did not" if yardstick == format_share(0, 0) else f"small code {yardstick}"
    return (
        f"the baseline took {baseline} longer than this machine's best, and {small}; up to {down} of the speedup may "
        "be the machine's doing. Measure again later"
    )


def machine_word(run: Measurement) -> str | None:
    """How the machine was: "quiet", "disturbed", "not known" while it is learnt; None where the run does not tell."""
    quiet, rules = quiet_times(run), load_rules().disturbance
    if quiet is None or rules is None:
        return None
    moved = quiet.moved(rules, quiet.best)
    if 0 < moved.down <= floor(quiet.task, quiet.hours, rules) and moved.up < math.log1p(NOTICEABLE):
        return "not known"
    return "disturbed" if is_noticeable(moved) else "quiet"


def is_noticeable(moved: Disturbance) -> bool:
    """Whether it is worth a word."""
    return max(moved.down, moved.up) >= math.log1p(NOTICEABLE)
