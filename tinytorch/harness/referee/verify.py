"""Verifying a submission: its entry built and measured again in a box, and what that shows beside the claim."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.checks.findings import Finding, is_valid
from tinytorch.competition.checks.validation import validate_submission
from tinytorch.competition.checks.verification import Isolation, Rerun, digests, findings_of, no_t3
from tinytorch.competition.checks.verified import (
    How,
    Level,
    Outcome,
    ProbeRecord,
    Verification,
    verification_id,
)
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.record.run import Run, SourceRecord
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.packaging import packaged
from tinytorch.errors import EntryError, TinyTorchError
from tinytorch.files import sha256
from tinytorch.harness.boxes import empty_box, hidden_data
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.prepare import UNOBSERVED, Observer
from tinytorch.harness.referee.referee import Referee
from tinytorch.harness.run import competed
from tinytorch.processes.box import Tier
from tinytorch.processes.selftest import NEEDED, SelfTest, self_test
from tinytorch.processes.worker import Worker
from tinytorch.showing import safe_text
from tinytorch.workloads.registry import find_task

LONGEST_REASON = 1_000


@dataclass(frozen=True)
class Candidate:
    """A submission as it was judged, and where the entry is that it speaks of: None where it has none."""

    judged: Judged
    submission: Submission | None
    entry: Path | None

    @property
    def contender(self) -> Contender | None:
        """Who is to be built: a strategy that the task knows, or the entry; None where neither is there."""
        source = self.submission.run.source if self.submission else None
        if source is None or self.submission is None or self.submission.run.task is None:
            return None
        if source.kind == "strategy":
            return Contender.reference(find_task(self.submission.run.task.name).strategy(source.name))
        return Contender.entry(self.entry) if self.entry else None


@dataclass(frozen=True)
class Place:
    """Where entries are verified: how, in what box, by which rules; `known` adds what is known of this machine.

    With a `referee` what repeats is asked all that T3 asks.
    """

    how: How
    box: SelfTest
    hides_labels: bool | None
    rules: Rules
    cache_directory: Path | None = None
    known: Callable[[Run], Run] = lambda run: run
    referee: Referee | None = None

    @property
    def isolation(self) -> Isolation:
        """The box as the checks see it."""
        return Isolation(self.box.tier, len(self.box.probes), tuple(self.box.open), tuple(NEEDED), self.hides_labels)

    @property
    def tier(self) -> Tier | None:
        """Of the box; None for the plain process."""
        return None if self.box.tier == "C" else self.box.tier


def box_tested(tier: Tier | None, told: Callable[[float], None] = lambda share: None) -> SelfTest:
    """The self-test of the boxes that entries are verified in."""
    return self_test(empty_box(tier), told)


def work_id(candidate: Candidate, how: How) -> str:
    """What the verification will be called: the same for the same contents and settings."""
    try:
        given = _given(candidate.contender)
    except Exception:  # noqa: BLE001 - said when it is verified; one entry must not end the others
        given = None
    return _id(candidate, given or {}, how)


def _id(candidate: Candidate, files: Mapping[str, str], how: How) -> str:
    judged = candidate.judged
    return verification_id(judged.sha256 or judged.source, dict(files), _task(candidate), how)


def _task(candidate: Candidate) -> str | None:
    run = candidate.submission.run if candidate.submission else None
    return run.task.name if run and run.task else None


def verified(candidate: Candidate, place: Place, told: Observer = UNOBSERVED) -> Verification:
    """One candidate, built and measured again; whatever its entry does, this returns."""
    began, judged = time.monotonic(), candidate.judged
    if candidate.submission is None or not judged.valid:
        return _record(candidate, place, {}, _Ended("failed", judged.reason or "nothing could be checked"), began)
    contender, unread = None, ""
    try:
        contender = candidate.contender
    except TinyTorchError as error:
        unread = " ".join(error.message.split())
    except Exception as error:  # noqa: BLE001 - one entry never ends the others; no verdict follows from it
        return _record(candidate, place, {}, _fault(error), began)
    given = _given(contender)
    rerun = Rerun(candidate.submission, place.rules, place.isolation, given, unread)
    before = {finding.name: finding for finding in findings_of(rerun)}
    if contender is None or before["same_entry"].is_error:
        known = (before["isolation"], before["same_entry"])
        return _record(candidate, place, given or {}, _Ended("failed", "", known), began)
    return _record(candidate, place, given or {}, _measured(rerun, contender, place, told), began)


@dataclass(frozen=True)
class _Ended:
    """How a verification ended: in one word, why, with what findings, and what was measured."""

    outcome: Outcome
    reason: str
    findings: tuple[Finding, ...] = ()
    rerun: Rerun | None = None


def _fault(error: Exception) -> _Ended:
    return _Ended("VOID", f"a fault in tito itself: {type(error).__name__}: {error}")


def _measured(rerun: Rerun, contender: Contender, place: Place, told: Observer) -> _Ended:
    try:
        full = _rerun(rerun, _challenge(rerun, contender, place), place, told)
    except EntryError as error:
        said = " ".join(error.message.split())  # a record has it in one line
        return _Ended("DNF", said, findings_of(replace(rerun, fault=said, mend=error.mend)))
    except TinyTorchError as error:
        return _Ended("VOID", error.message)
    except Exception as error:  # noqa: BLE001 - one entry never ends the others; no verdict follows from it
        return _fault(error)
    findings = findings_of(full)
    return _Ended(_outcome(findings), _first_error(findings), findings, full)


def _rerun(rerun: Rerun, challenge: Challenge, place: Place, told: Observer) -> Rerun:
    """With the run; and where it repeats and there is a referee, with what that finds."""
    with competed(challenge, told) as done:
        run = place.known(done.run)
        again = replace(rerun, run=run, invalid=_invalid(rerun, run))
        if place.referee is None or not is_valid(findings_of(again)):
            return again
        return replace(again, refereed=place.referee.looked(done, challenge, told))


def _challenge(rerun: Rerun, contender: Contender, place: Place) -> Challenge:
    """By the claim's seed, so that `optimize` draws the same; in what order models are timed is drawn anew."""
    run, how = rerun.claimed.run, place.how
    task = find_task(run.task.name if run.task else "")
    return Challenge(
        task, contender, Settings.of(TIERS[how.tier], None), how.build_limit_s, place.cache_directory,
        how.memory_limit_bytes, place.tier, run.protocol.seed if run.protocol else None,
    )  # fmt: skip


def _outcome(findings: tuple[Finding, ...]) -> Outcome:
    """A difference that a busy machine may have made is nobody's fault."""
    if not is_valid(findings):
        return "failed"
    failed = {finding.name for finding in findings if finding.passed is False}
    return "inconclusive" if {"undisturbed", "speed_repeats"} <= failed else "ok"


def _invalid(rerun: Rerun, run: Run) -> str:
    """What a submission of the re-run would be refused for; empty where nothing is."""
    declaration = rerun.claimed.declaration.model_copy(update={"created_at": datetime.now(UTC)})
    verdict = validate_submission(packaged(declaration, run, rerun.rules), rerun.rules)
    wrong = (each for each in verdict["checks"] if each["passed"] is False and each["severity"] == "error")
    first = next(wrong, None)
    return f"{first['id']} {first['name']}: {first['message']}" if first else ""


def _given(contender: Contender | None) -> dict[str, str] | None:
    """The digests of the files that a contender is made from; None where there is none."""
    if contender is None:
        return None
    if contender.source is None:
        return {}
    source = SourceRecord(kind="entry", name=contender.name, sha256=contender.sha256)
    beside = (*contender.helpers.items(), *contender.data.items())
    return digests(source) | {safe_text(name): sha256(content) for name, content in beside}


def _first_error(findings: tuple[Finding, ...]) -> str:
    error = next((finding for finding in findings if finding.is_error), None)
    return f"{error.id} {error.name}: {error.message}" if error else ""


def _record(candidate: Candidate, place: Place, files: Mapping[str, str], ended: _Ended, began: float) -> Verification:
    judged, submission = candidate.judged, candidate.submission
    level, no_t3 = _level(ended, place)
    reason = ended.reason or _first_error(ended.findings)
    return Verification(
        id=_id(candidate, files, place.how), source=safe_text(judged.source, 200),
        submission_sha256=judged.sha256 or None, files=dict(files),
        declaration=submission.declaration if submission else None, task=_task(candidate), how=place.how,
        level=level, outcome=ended.outcome, reason=safe_text(reason, LONGEST_REASON),
        probes=[ProbeRecord(name=each.name, is_open=each.is_open, words=safe_text(each.words, 100) or "-")
                for each in place.box.probes],
        agreements=list(ended.rerun.agreements.values()) if ended.rerun else [],
        findings=list(ended.findings), verified_at=datetime.now(UTC),
        took_s=round(time.monotonic() - began, 3), run=ended.rerun.run if ended.rerun else None,
        refereed=ended.rerun.refereed if ended.rerun else None, no_t3=safe_text(no_t3, LONGEST_REASON),
    )  # fmt: skip


def _level(ended: _Ended, place: Place) -> tuple[Level | None, str]:
    """What is given, and where T3 was asked for, why it is not."""
    if ended.outcome != "ok" or ended.rerun is None or not place.isolation.is_enough:
        return None, ""
    if place.referee is None:
        return "T2", ""
    why = no_t3(ended.rerun, ended.findings)
    return ("T2", why) if why else ("T3", "")


def hides_labels(tier: Tier | None) -> bool | None:
    """Whether the files of test labels cannot be read in a box: looked from inside; None without a box."""
    box = empty_box(tier)
    if box is None:
        return None
    with Worker("tinytorch.harness.boxes:Looking", box=box) as worker:
        sizes = worker.ask("sizes", 30.0, paths=list(hidden_data()))
    return all(size == 0 for size in sizes)
