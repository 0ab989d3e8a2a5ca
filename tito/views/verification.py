"""Verifications and self-tests of the box, to rich renderables and documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.competition.checks.verified import Outcome, Verification
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.agreement import Agreement
from tinytorch.competition.scoring.outside import speedup_outside
from tinytorch.processes.selftest import NEEDED, SelfTest
from tinytorch.showing import safe_text
from tinytorch.units import format_share, three_digits
from tito.terminal.tables import Lines, table

WORDS: dict[Outcome, str] = {
    "ok": "repeats", "failed": "NOT VERIFIED", "DNF": "DNF", "VOID": "VOID", "inconclusive": "inconclusive",
}  # fmt: skip
LEVELS = {"T2": "repeats", "T3": "refereed"}
LEGEND: dict[Outcome, str] = {
    "DNF": "the entry did not finish", "VOID": "this machine failed; the same command tries these again",
    "inconclusive": "the machine was busy; verify these again later: add --again and the id in brackets",
}  # fmt: skip
FIGURES = {"compression_ratio": "memory", "accuracy": "accuracy"}  # by what an event ranks; else the speedup
LONGEST_REASON = 600
SIDES = ("claimed", "here")
REFEREED = ("clocks_agree", "timed_accuracy", "private_accuracy", "redrawn")  # whose words are shown when they hold


def table_of(found: Sequence[Verification], rules: Rules) -> RenderableType:
    """A row for each entry, claim and re-run beside one another; below it what was found, and the counts."""
    shown = table(None, "entry", "result", "claimed", "here")
    for each in found:
        agreement = _ranked(each, rules)
        athlete = safe_text(each.declaration.athlete.name, 40) if each.declaration else ""
        shown.add_row(
            Lines(safe_text(each.source, 60), athlete), _result(each), *(_value(agreement, side) for side in SIDES)
        )
    return Group(shown, *(Text(said) for each in found for said in _notes(each)), *map(Text, _below(found)))


def _result(each: Verification) -> str:
    if each.outcome == "ok":
        return f"{each.level} {LEVELS[each.level]}" if each.level else "no level"
    return WORDS[each.outcome]


def _ranked(each: Verification, rules: Rules) -> Agreement | None:
    """Of what the entry's event ranks by; a speedup of a refereed one is by the clock outside."""
    if each.declaration is None:
        return None
    figure = FIGURES.get(rules.events[each.declaration.event].ranked_by, "speedup")
    found = next((one for one in each.agreements if one.figure == figure), None)
    times = each.refereed.outside if each.refereed and each.level == "T3" else None
    if found is None or figure != "speedup" or times is None or each.run is None:
        return found
    clock = speedup_outside(times, each.run, rules)
    bounds = None if clock.ci_lower is None or clock.ci_upper is None else (clock.ci_lower, clock.ci_upper)
    return found.model_copy(update={"here": clock.estimate, "here_interval": bounds})


def _value(agreement: Agreement | None, side: str) -> RenderableType:
    if agreement is None or (value := getattr(agreement, side)) is None:
        return "-"
    if agreement.figure == "accuracy":
        return format_share(value)
    if agreement.figure == "memory":
        return f"{three_digits(value)} MB"
    interval = getattr(agreement, f"{side}_interval")
    return Lines(f"{three_digits(value)}x", f"[{', '.join(map(three_digits, interval))}]" if interval else "")


def _notes(each: Verification) -> Iterator[str]:
    """Of one entry, by its id: why it has no level, and what somebody should look at; an error with what mends it."""
    name = f"{safe_text(each.source, 60)} ({each.id})"
    failed = [one for one in each.findings if one.passed is False]
    yield from _refereed(name, each)
    if each.reason and not any(each.reason.startswith(one.id) or one.message == each.reason for one in failed):
        yield f"{name}: {safe_text(each.reason, LONGEST_REASON)}"
    for one in failed:
        yield f"{name}: {one.word}: {one.id} {one.name}: {safe_text(one.message, LONGEST_REASON)}"
        if one.is_error:
            yield f"    mend: {safe_text(one.mend, LONGEST_REASON)}"


def _below(found: Sequence[Verification]) -> list[str]:
    counts = Counter(_result(each) for each in found)
    words = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    said = [f"{len(found)} {'entry' if len(found) == 1 else 'entries'}: {words}"]
    if found and found[0].probes:
        blocked = sum(not probe.is_open for probe in found[0].probes)
        said.append(f"isolation {found[0].how.isolation}: {blocked} of {len(found[0].probes)} probes blocked")
    said += [
        f"{WORDS[outcome]}: {LEGEND[outcome]}" for outcome in LEGEND if any(each.outcome == outcome for each in found)
    ]
    return said


def _refereed(name: str, each: Verification) -> Iterator[str]:
    """What a referee found, in a line; and why T3 is not given where it was asked for."""
    if each.no_t3:
        yield f"{name}: T3 not given: {safe_text(each.no_t3, LONGEST_REASON)}"
    if each.refereed is None:
        return
    said = {one.name: one.message for one in each.findings if one.passed}
    parts = [safe_text(said[check], LONGEST_REASON) for check in REFEREED if check in said]
    if parts:
        yield f"{name}: {'; '.join(parts)}"


def document(found: Sequence[Verification]) -> dict[str, Any]:
    """All verifications but for their raw samples, which are in the records."""
    without: Any = {"run": True, "probes": True, "refereed": {"outside"}}
    return {"document": "report", "verifications": [each.model_dump(mode="json", exclude=without) for each in found]}


def self_test_table(boxed: SelfTest, plain: SelfTest) -> RenderableType:
    """Each forbidden act in the box, and as its control without one, where it must succeed."""
    place = "in a plain process" if boxed.tier == "C" else f"in a box of tier {boxed.tier}"
    shown = table(f"What was tried {place}", "act", place, "control")
    for probe, control in zip(boxed.probes, plain.probes, strict=True):
        mark = " *" if probe.name in NEEDED else ""
        shown.add_row(f"{probe.name}{mark}", f"{_word(probe.is_open)}: {probe.words}", _word(control.is_open))
    said = f"{boxed.blocked} of {len(boxed.probes)} blocked; without a box {plain.blocked}"
    if shut := [control.name for control in plain.probes if not control.is_open]:
        said += f". Blocked without a box, too, so that they prove nothing here: {', '.join(shut)}"
    said += ". A control is the same act in a plain process, and must be OPEN. "
    said += "With one of those that have a * open, nothing that is measured there would prove anything."
    verdict = (
        "The box holds."
        if boxed.holds
        else "NOTHING HOLDS: what is needed is open, or there is no box (--isolation a or b)."
    )
    return Group(shown, Text(said), Text(verdict))


def self_test_document(boxed: SelfTest, plain: SelfTest) -> dict[str, Any]:
    """The same as data."""
    probes = [
        {"name": probe.name, "is_needed": probe.name in NEEDED, "is_open": probe.is_open, "words": probe.words,
         "is_open_without": control.is_open}
        for probe, control in zip(boxed.probes, plain.probes, strict=True)
    ]  # fmt: skip
    return {"document": "report", "tier": boxed.tier, "holds": boxed.holds, "blocked": boxed.blocked, "probes": probes}


def _word(is_open: bool) -> str:
    return "OPEN" if is_open else "blocked"
