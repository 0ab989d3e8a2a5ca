"""Many submissions at once: who handed in samples that somebody else handed in too."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import NamedTuple, Self

import numpy as np

from tinytorch.competition.checks.findings import Finding, Outcome, failed, page, passed, unknown
from tinytorch.competition.checks.traces import Traces
from tinytorch.competition.record.people import Athlete
from tinytorch.showing import safe_text, time_words

MayBe = Callable[[Athlete, Athlete], bool]

DUPLICATED_SAMPLES = page("duplicated_samples")
OVERLAPPING_RUNS = page("overlapping_runs")
CREATED_AHEAD = page("created_ahead")
PAGES = (DUPLICATED_SAMPLES, OVERLAPPING_RUNS, CREATED_AHEAD)
BETWEEN_FILES = {DUPLICATED_SAMPLES.name, OVERLAPPING_RUNS.name}  # they name other files: for an instructor only
CLOCKS_DIFFER_S = 600.0  # at most, of two machines that are set by anything


@dataclass(frozen=True)
class Twin:
    """Another athlete's submission that has `placements` of one's own."""

    source: str
    placements: int


class Span(NamedTuple):
    """When a run went on, in seconds since 1970, and whose and where."""

    athlete: str
    machine: str
    start_s: float
    end_s: float

    @classmethod
    def of(cls, left: Traces) -> Self:
        """That of a submission whose machine is known."""
        return cls(left.athlete.key, left.machine, left.started_s, left.ended_s)


class HandedIn(NamedTuple):
    """A file of the call: what it left, where it could be read, whether it is valid, and when it was handed in.

    Its fingerprints are not here: `is_sampled` tells whether there are any.
    """

    source: str
    left: Traces | None
    is_sampled: bool
    is_valid: bool
    at_s: float

    def is_copied_from(self, other: HandedIn, may_be: MayBe) -> bool:
        """Whether what both share may be the other's: a refused file or a later one does not mark an earlier one."""
        if self.left is None or other.left is None or not other.is_valid:
            return False
        is_no_earlier = not self.is_valid or other.at_s <= self.at_s
        return is_no_earlier and not may_be(self.left.athlete, other.left.athlete)


@dataclass
class Ledger:
    """The placements' fingerprints of every submission so far: 12 bytes for each, whatever it was made of.

    `may_be` tells whether two athletes may be one, which a roster knows best.
    """

    may_be: MayBe = Athlete.may_be
    files: list[HandedIn] = field(default_factory=list)
    fingerprints: array[int] = field(default_factory=lambda: array("Q"))
    owners: array[int] = field(default_factory=lambda: array("I"))

    def add(self, source: str, left: Traces | None, is_valid: bool = True, at_s: float | None = None) -> None:
        """Take down the next submission by what it left; one that could not be read has left nothing.

        `at_s` is when a platform received it, since 1970; without it counts what the file says.
        """
        if left:
            self.fingerprints.frombytes(bytes.fromhex("".join(left.fingerprints)))
            self.owners.extend([len(self.files)] * len(left.fingerprints))
        known = replace(left, fingerprints=[]) if left else None
        told_s = left.submitted_s if left else 0.0
        is_sampled = bool(left and left.fingerprints)
        self.files.append(HandedIn(source, known, is_sampled, is_valid, told_s if at_s is None else at_s))

    def compared(self, now_s: float) -> Callable[[int], tuple[Finding, ...]]:
        """What can be said of a submission, by its number, once all are taken down; nothing where it left nothing.

        `now_s` is the judge's own time, since 1970.
        """
        twins, overlaps = self.twins(), self.overlaps()
        readable = sum(each.left is not None for each in self.files)

        def findings(number: int) -> tuple[Finding, ...]:
            left, is_sampled = self.files[number].left, self.files[number].is_sampled
            if left is None:
                return ()
            shared = DUPLICATED_SAMPLES.finding(_outcome(twins.get(number), is_sampled, readable))
            meanwhile = OVERLAPPING_RUNS.finding(_meanwhile(overlaps.get(number), left, readable))
            return shared, meanwhile, CREATED_AHEAD.finding(_ahead(left, now_s, self.files[number].at_s))

        return findings

    def twins(self) -> dict[int, Twin]:
        """By the number of a submission: another athlete's, handed in no later, that has samples of it."""
        found: dict[int, Twin] = {}
        for owners in self._shared():
            everybody = sorted(dict.fromkeys(owners), key=lambda number: (self.files[number].at_s, number))
            sources = self._sources(everybody)
            for owner in everybody:
                twin = next((each for each in sources if self._is_copy(owner, each)), None)
                if twin is not None:
                    before = found.get(owner, Twin(self.files[twin].source, 0))
                    found[owner] = replace(before, placements=before.placements + 1)
        return found

    def _sources(self, ordered: Sequence[int]) -> list[int]:
        """The earliest valid submission, and the earliest of another athlete: of whom all others may be copies."""
        valid = [number for number in ordered if self.files[number].is_valid]
        others = (number for number in valid[1:] if not self._are_one(valid[0], number))
        return [*valid[:1], *islice(others, 1)]

    def _are_one(self, first: int, second: int) -> bool:
        left, right = self.files[first].left, self.files[second].left
        return left is not None and right is not None and self.may_be(left.athlete, right.athlete)

    def _is_copy(self, number: int, other: int) -> bool:
        return self.files[number].is_copied_from(self.files[other], self.may_be)

    def overlaps(self) -> dict[int, str]:
        """By the number of a submission: another run of its athlete on its machine that went on at the same time.

        A run that was packaged twice has the same span, and is one run. Spans come by their beginning, so that each is
        set beside the one before it that lasts longest.
        """
        numbers: dict[Span, list[int]] = defaultdict(list)
        for number, each in enumerate(self.files):
            if each.left and each.left.machine:
                numbers[Span.of(each.left)].append(number)
        found: dict[int, str] = {}
        longest: Span | None = None
        for span in sorted(numbers):
            is_alike = longest is not None and (span.athlete, span.machine) == (longest.athlete, longest.machine)
            if longest and is_alike and span.start_s < longest.end_s:
                for own, other in ((span, longest), (longest, span)):
                    found |= {
                        number: self.files[numbers[other][0]].source for number in numbers[own] if number not in found
                    }
            if longest is None or not is_alike or span.end_s > longest.end_s:
                longest = span
        return found

    def _shared(self) -> Iterator[list[int]]:
        """For every fingerprint that came more than once: the submissions it came in, in their order."""
        fingerprints = np.frombuffer(self.fingerprints, dtype=np.uint64)
        order = np.argsort(fingerprints, kind="stable")
        ordered, owners = fingerprints[order], np.frombuffer(self.owners, dtype=np.uint32)[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] ^ np.uint64(1)))
        for group in np.split(owners, starts[1:]) if starts.size < ordered.size else ():
            if group.size > 1:
                yield group.tolist()


def _outcome(twin: Twin | None, is_sampled: bool, readable: int) -> Outcome:
    if twin is not None:
        source = safe_text(twin.source)
        whose = f"of {source}, which another athlete handed in earlier or at the same time"
        message = f"{twin.placements} placements have the same samples as those {whose}"
        return failed(message, placements=twin.placements, other=source)
    if not is_sampled:
        return unknown("no raw latency samples")
    if readable < 2:
        return unknown("there is no other submission in this call to compare with")
    return passed("no samples are those of another athlete's submission that was handed in before")


def _meanwhile(other: str | None, left: Traces, readable: int) -> Outcome:
    if other is not None:
        source = safe_text(other)
        return failed(f"{source} was measured at the same time by the same athlete on the same machine", other=source)
    if not left.machine:
        return unknown("the machine or the time of the run is not known")
    if readable < 2:
        return unknown("there is no other submission in this call to compare with")
    return passed("no other run went on at the same time")


def _ahead(left: Traces, now_s: float, received_s: float) -> Outcome:
    for then_s, words in ((now_s, "from now"), (received_s, "after the platform received it")):
        ahead_s = left.submitted_s - then_s
        if ahead_s > CLOCKS_DIFFER_S:
            shown = time_words(timedelta(seconds=ahead_s))
            return failed(f"it says that it was made {shown} {words}", ahead_s=ahead_s)
    return passed("it was made before now")
