"""Many submissions at once: who handed in samples that somebody else handed in too."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from tinytorch.competition.checks.findings import Finding, Outcome, failed, page, passed, unknown
from tinytorch.competition.checks.traces import Traces
from tinytorch.text import safe_text

DUPLICATED_SAMPLES = page("duplicated_samples")
OVERLAPPING_RUNS = page("overlapping_runs")
PAGES = (DUPLICATED_SAMPLES, OVERLAPPING_RUNS)


@dataclass(frozen=True)
class Twin:
    """Another athlete's submission that has `placements` of one's own."""

    source: str
    placements: int


class Span(NamedTuple):
    """When a run went on, in seconds since 1970, and whose and where; without a machine nothing is known."""

    athlete: str = ""
    machine: str = ""
    start_s: float = 0.0
    end_s: float = 0.0


@dataclass
class Ledger:
    """The placements' fingerprints of every submission so far: 12 bytes for each, whatever it was made of."""

    sources: list[str] = field(default_factory=list)
    athletes: list[str] = field(default_factory=list)
    fingerprints: array[int] = field(default_factory=lambda: array("Q"))
    owners: array[int] = field(default_factory=lambda: array("I"))
    spans: list[Span] = field(default_factory=list)

    def add(self, source: str, left: Traces | None) -> None:
        """Take down the next submission by what it left; one that could not be read has left nothing."""
        for fingerprint in left.fingerprints if left else ():
            self.fingerprints.append(int(fingerprint, 16))
            self.owners.append(len(self.sources))
        self.sources.append(source)
        self.athletes.append(left.athlete if left else "")
        self.spans.append(Span(left.athlete, left.machine, left.started_s, left.ended_s) if left else Span())

    def compared(self) -> Callable[[int, Traces | None], tuple[Finding, ...]]:
        """What can be said of a submission, by its number, once all are taken down; nothing where it left nothing."""
        twins, overlaps = self.twins(), self.overlaps()
        readable = sum(1 for athlete in self.athletes if athlete)

        def findings(number: int, left: Traces | None) -> tuple[Finding, ...]:
            if left is None:
                return ()
            shared = DUPLICATED_SAMPLES.finding(_outcome(twins.get(number), left, readable))
            return shared, OVERLAPPING_RUNS.finding(_meanwhile(overlaps.get(number), left, readable))

        return findings

    def twins(self) -> dict[int, Twin]:
        """By the number of a submission: the first other athlete's that shares samples with it."""
        found: dict[int, Twin] = {}
        for owners in self._shared():
            first = owners[0]
            other = next((owner for owner in owners if self.athletes[owner] != self.athletes[first]), None)
            if other is None:
                continue
            for owner in dict.fromkeys(owners):
                twin = other if self.athletes[owner] == self.athletes[first] else first
                before = found.get(owner, Twin(self.sources[twin], 0))
                found[owner] = replace(before, placements=before.placements + 1)
        return found

    def overlaps(self) -> dict[int, str]:
        """By the number of a submission: another run of its athlete on its machine that went on at the same time.

        A run that was packaged twice has the same span, and is one run. Spans come by their beginning, so that each is
        set beside the one before it that lasts longest.
        """
        numbers: dict[Span, list[int]] = defaultdict(list)
        for number, span in enumerate(self.spans):
            if span.machine:
                numbers[span].append(number)
        found: dict[int, str] = {}
        longest: Span | None = None
        for span in sorted(numbers):
            is_alike = longest is not None and (span.athlete, span.machine) == (longest.athlete, longest.machine)
            if longest and is_alike and span.start_s < longest.end_s:
                for own, other in ((span, longest), (longest, span)):
                    found |= {number: self.sources[numbers[other][0]] for number in numbers[own] if number not in found}
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


def _outcome(twin: Twin | None, left: Traces, readable: int) -> Outcome:
    if twin is not None:
        source = safe_text(twin.source)
        message = f"{twin.placements} placements have the same samples as {source}, which is another athlete's"
        return failed(message, placements=twin.placements, other=source)
    if not left.fingerprints:
        return unknown("no raw latency samples")
    if readable < 2:
        return unknown("there is no other submission in this call to compare with")
    return passed("no samples are shared with another athlete's submission")


def _meanwhile(other: str | None, left: Traces, readable: int) -> Outcome:
    if other is not None:
        source = safe_text(other)
        return failed(f"{source} was measured at the same time by the same athlete on the same machine", other=source)
    if not left.machine:
        return unknown("the machine or the time of the run is not known")
    if readable < 2:
        return unknown("there is no other submission in this call to compare with")
    return passed("no other run went on at the same time")
