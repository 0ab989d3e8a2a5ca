"""Checks of an entry that was built and measured again: whether what was claimed repeats here (TO-V)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tinytorch.competition.checks.findings import Check, Evidence, Finding, Outcome, check, failed, passed, unknown
from tinytorch.competition.checks.refereed import REFEREED, apart, clocks_agree, is_as_good, redrawn
from tinytorch.competition.record.bundle import ENTRY
from tinytorch.competition.record.refereed import Refereed
from tinytorch.competition.record.run import Run, SourceRecord
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.agreement import Agreement, agreements
from tinytorch.competition.scoring.busy import machine_word
from tinytorch.competition.scoring.outside import unranked
from tinytorch.showing import safe_text
from tinytorch.units import format_share, three_digits

NOT_MEASURED = "it was not measured again"
Digests = Mapping[str, str]
Bounds = tuple[float, float]


@dataclass(frozen=True)
class Isolation:
    """The box: its tier, the probes that it let through, those that it must not, and whether test labels are hidden."""

    tier: str
    tried: int
    open: tuple[str, ...]
    needed: tuple[str, ...]
    hides_labels: bool | None = None

    @property
    def is_enough(self) -> bool:
        """Whether what was measured in it says anything."""
        return self.tier != "C" and not set(self.needed) & set(self.open)


@dataclass(frozen=True)
class Rerun:
    """What is known of an entry once it was, or was to be, built and measured again.

    `given` are the digests of the entry's files by their names, None where there are none, or where they could not be
    read: then `unread` says why. `fault` says why the entry did not come to its end, with its `mend`, `invalid` what is
    wrong with the re-run's own submission; all are empty where nothing is. `refereed` is what T3 asks beyond, if it
    is asked for.
    """

    claimed: Submission
    rules: Rules
    isolation: Isolation
    given: Digests | None = None
    unread: str = ""
    run: Run | None = None
    fault: str = ""
    mend: str = ""
    invalid: str = ""
    refereed: Refereed | None = None

    @cached_property
    def agreements(self) -> dict[str, Agreement]:
        """Claim and re-run beside one another, by the figure."""
        found = agreements(self.claimed.run, self.run, self.rules) if self.run else []
        return {each.figure: each for each in found}


@check
def isolation(rerun: Rerun) -> Outcome:
    box = rerun.isolation
    evidence: Evidence = {"tier": box.tier, "blocked": box.tried - len(box.open), "tried": box.tried}
    if box.tier == "C":
        return unknown("it ran without a box, so that no trust follows from it")
    said = f"tier {box.tier}, {box.tried - len(box.open)} of {box.tried} probes blocked"
    if let_through := sorted(set(box.needed) & set(box.open)):
        return failed(f"{said}; it lets through: {', '.join(let_through)}", **evidence)
    return passed(f"{said}{'; open: ' + ', '.join(box.open) if box.open else ''}", **evidence)


@check
def same_entry(rerun: Rerun) -> Outcome:
    source = rerun.claimed.run.source
    if source is None:
        return failed("the submission does not say what was measured: a script measured it, or nobody")
    if rerun.unread:
        return failed(rerun.unread)
    if rerun.given is None:
        return failed(f"there is no {safe_text(source.name)} beside the submission")
    wanted = digests(source)
    if other := sorted(name for name in wanted if wanted[name] != rerun.given.get(name)):
        missing = [name for name in other if name not in rerun.given]
        word = "missing" if missing else "another one than was measured"
        return failed(f"{', '.join(map(safe_text, missing or other))} is {word}")
    if more := sorted(set(rerun.given) - set(wanted)):
        return failed(f"{', '.join(map(safe_text, more))} was not there when it was measured")
    return passed(f"{len(wanted)} file{'s' if len(wanted) > 1 else ''} with the digests that the submission states")


@check
def builds(rerun: Rerun) -> Outcome:
    if rerun.fault:
        return failed(rerun.fault, rerun.mend)
    return passed("it was built and measured") if rerun.run else unknown(NOT_MEASURED)


@check
def labels_hidden(rerun: Rerun) -> Outcome:
    hides = rerun.isolation.hides_labels
    if hides is None:
        return unknown("there was no box to look from")
    return (
        passed("the shipped test labels cannot be read in the box") if hides else failed("they can be read in the box")
    )


@check
def undisturbed(rerun: Rerun) -> Outcome:
    if rerun.run is None:
        return unknown(NOT_MEASURED)
    doubts = [doubt.evidence for doubt in rerun.run.protocol.doubts or []]
    word = machine_word(rerun.run)
    if word == "disturbed" or doubts:
        said = ", ".join([*(["the baseline took longer than it can"] if word == "disturbed" else []), *doubts])
        return failed(f"the machine was not quiet while it was measured: {said}")
    return passed("the machine was quiet" if word == "quiet" else "nothing disturbed it that could be seen")


@check
def speed_repeats(rerun: Rerun) -> Outcome:
    return _said(rerun.agreements.get("speedup"), lambda value: f"{three_digits(value)}x")


@check
def accuracy_repeats(rerun: Rerun) -> Outcome:
    return _said(rerun.agreements.get("accuracy"), format_share)


@check
def memory_repeats(rerun: Rerun) -> Outcome:
    return _said(rerun.agreements.get("memory"), lambda value: f"{three_digits(value)} MB")


@check
def rerun_valid(rerun: Rerun) -> Outcome:
    if rerun.run is None:
        return unknown(NOT_MEASURED)
    if rerun.invalid:
        return failed(f"the re-run would be no valid submission: {rerun.invalid}")
    return passed("the re-run would be a valid submission")


CHECKS: tuple[Check[Rerun], ...] = (
    isolation, same_entry, builds, speed_repeats, accuracy_repeats, memory_repeats, undisturbed, labels_hidden,
    rerun_valid,
)  # fmt: skip


def no_t3(rerun: Rerun, findings: Iterable[Finding]) -> str:
    """Why an entry that repeats is not refereed, in words; empty where it is."""
    refereed, box = rerun.refereed, rerun.isolation
    if refereed is None:
        return "nobody asked for it"
    if box.tier != "A" or box.open:
        return "it needs a box of tier A in which every probe is blocked"
    if refereed.outside is None:
        return NOT_MEASURED
    if why := unranked(refereed.outside, rerun.rules.refereeing):
        return why
    asked = {each.name for each in REFEREED if each.name != "robust"}
    open_ones = (each for each in findings if each.name in asked and each.passed is None)
    return next((each.message for each in open_ones), "")


def findings_of(rerun: Rerun) -> tuple[Finding, ...]:
    """The finding of every check; a speed far above what repeats, or what a clock outside shows, is an error."""
    asked = (*CHECKS, *REFEREED) if rerun.refereed is not None else CHECKS
    found = [(each, each.finding(each.look(rerun))) for each in asked]
    return tuple(replace(finding, severity="error") if _is_far(each, rerun) else finding for each, finding in found)


def _is_far(check: Check[Rerun], rerun: Rerun) -> bool:
    """Whether what is a warning elsewhere is so far off that it is an error."""
    if check is speed_repeats and rerun.agreements:
        return rerun.agreements["speedup"].judgement == "far above"
    if check is redrawn and rerun.refereed is not None:
        return not any(is_as_good(each, rerun) for each in rerun.refereed.redraws)
    return check is clocks_agree and apart(rerun) > rerun.rules.refereeing.clocks_far


def digests(source: SourceRecord) -> dict[str, str]:
    """The files that a submission says its model was built from, by their names in a bundle; none for a strategy."""
    if source.kind == "strategy":
        return {}
    beside = (*(source.helpers or ()), *(source.data or ()))
    return {ENTRY: source.sha256, **{each.name: each.sha256 for each in beside}}


def _said(found: Agreement | None, words: Callable[[float], str]) -> Outcome:
    if found is None or found.claimed is None or found.here is None:
        return unknown(NOT_MEASURED if found is None else found.reason or "it was not measured in both")
    said = f"claimed {_with_interval(found.claimed, found.claimed_interval, words)}, "
    said += f"here {_with_interval(found.here, found.here_interval, words)}"
    evidence: Evidence = {"claimed": found.claimed, "here": found.here, "p_value": found.p_value}
    if found.judgement == "cannot say":
        return unknown(f"{said}: {found.reason}")
    if found.judgement == "compatible":
        return passed(said, **evidence)
    return failed(said, **evidence)


def _with_interval(value: float, interval: Bounds | None, words: Callable[[float], str]) -> str:
    shown = words(value)
    return shown if interval is None else f"{shown} [{', '.join(three_digits(end) for end in interval)}]"
