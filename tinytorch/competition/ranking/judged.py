"""A judged file: who entered for what with which scores, and everything found about it; thousands fit in memory."""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, TypeAdapter

from tinytorch.benchmarking.comparison import Distribution, block_distribution
from tinytorch.benchmarking.records.record import STRICTLY, Record
from tinytorch.benchmarking.records.session import Protocol, SystemInfo
from tinytorch.competition.checks.batch import Ledger, MayBe
from tinytorch.competition.checks.findings import Finding, is_valid, report
from tinytorch.competition.checks.traces import Traces
from tinytorch.competition.checks.validation import findings_and_case, refused
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.record.bundle import read_handed_in
from tinytorch.competition.record.parsing import parse_bytes
from tinytorch.competition.record.people import Athlete
from tinytorch.competition.record.reading import RefusedError
from tinytorch.competition.record.run import SourceRecord
from tinytorch.competition.record.submission import Submission, Trust
from tinytorch.competition.rules.events import Rules, load_rules
from tinytorch.files import sha256
from tinytorch.showing import writable

Read = Callable[[str], bytes]
ReceivedS = Callable[[str], float | None]


class Circumstances(Record):
    """How a submission was measured, and how its block pairs are spread: what only a page about it shows."""

    blocks: Distribution | None = None
    system_info: SystemInfo | None = None
    protocol: Protocol | None = None
    source: SourceRecord | None = None

    @classmethod
    def of(cls, submission: Submission) -> Self:
        """Those of a submission."""
        run = submission.run
        first, second = run.baseline.metrics.latency, run.optimized.metrics.latency
        blocks = block_distribution(first, second) if first and second else None
        protocol = run.protocol and run.protocol.model_copy(update={"yardstick": None})  # whose samples no page shows
        return cls(blocks=blocks, system_info=run.system_info, protocol=protocol, source=run.source)


class Earned(Record):
    """Points of at most so many, and why in a sentence."""

    points: float
    most: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One file. `source` is its name as it was given, `sha256` the digest of its content, empty where it has none.

    `figures` are None where reading did not come to a submission. `findings` are of the checks of the file itself, then
    what only the other files of a call tell about it; `passed_unlisted` counts those that passed and are left out.
    `traces` tell whether another file has the same origin, and `earned` is what it is worth by an assignment.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICTLY

    source: str
    sha256: str
    figures: Figures | None
    findings: tuple[Finding, ...]
    passed_unlisted: int = 0
    traces: Traces | None = None
    earned: Earned | None = None

    @property
    def entered(self) -> Figures:
        """The figures of a file that was read; ValueError of any other, which has no place in a ranking."""
        if self.figures is None:
            raise ValueError(f"{self.source} is no submission")
        return self.figures

    @property
    def valid(self) -> bool:
        """Whether something was checked and no error was found."""
        return is_valid(self.findings) or (self.passed_unlisted > 0 and not self.reason)

    @property
    def trust(self) -> Trust | None:
        """How far a valid submission's numbers can be believed."""
        return self.figures.trust if self.figures and self.valid else None

    @property
    def reason(self) -> str:
        """The first error; empty where there is none."""
        error = next((finding for finding in self.findings if finding.is_error), None)
        return f"not valid: {error.id} {error.name}: {error.message}" if error else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """The ids of the checks that warn."""
        return tuple(each.id for each in self.findings if each.is_issue and not each.is_error)

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return self.passed_unlisted + sum(finding.passed is True for finding in self.findings)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """The findings of the checks that did not pass: failed, or could not be made."""
        return tuple(finding for finding in self.findings if not finding.passed)

    def brief(self) -> Self:
        """The same without the findings of what passed, which are counted."""
        return replace(self, findings=self.notes, passed_unlisted=self.passed)

    def among(self, findings: Sequence[Finding]) -> Self:
        """With what the other files of a call tell about it."""
        return replace(self, findings=(*self.findings, *findings))

    def strict(self) -> Self:
        """The same with every warning an error."""
        findings = (replace(each, severity="error") if each.severity == "warning" else each for each in self.findings)
        return replace(self, findings=tuple(findings))

    @staticmethod
    def of_text(text: str) -> Judged:
        """What `text` gave; ValidationError for anything else."""
        return _as_text().validate_json(text)

    def text(self) -> str:
        """As JSON."""
        return _as_text().dump_json(self).decode()

    def as_dict(self) -> dict[str, Any]:
        """As `validate_submission` gives it, under the name of its file, with what it earned."""
        points, most, words = (self.earned.points, self.earned.most, self.earned.words) if self.earned else (None,) * 3
        earned = {"points": points, "most_points": most, "earned": words}
        return {"file": writable(self.source), "trust": self.trust, **report(self.findings), **earned}


def judge(source: str, content: bytes, rules: Rules) -> tuple[Judged, Submission | None]:
    """Everything found about the content of a file, apart from what only other files can tell; and what was read."""
    parsed = parse_bytes(content)
    findings, case = findings_and_case(parsed, rules)
    submission = parsed.submission
    figures = Figures.of(case, is_valid(findings)) if case else None
    traces = Traces.of(submission) if submission else None
    digest = sha256(content)
    return Judged(source=source, sha256=digest, figures=figures, findings=findings, traces=traces), submission


def unreadable(source: str, refusal: RefusedError) -> Judged:
    """A file that could not be read."""
    return Judged(source=source, sha256="", figures=None, findings=(refused(refusal),))


def judge_file(name: str, *, read: Read | None = None, rules: Rules | None = None) -> Judged:
    """Everything found about one file; `read` gives its content, or raises RefusedError."""
    try:
        content = (read or _read_path)(name)
    except RefusedError as refusal:
        return unreadable(name, refusal)
    return judge(name, content, rules or load_rules())[0]


def judge_files(names: Iterable[str], *, read: Read | None = None, rules: Rules | None = None) -> Iterator[Judged]:
    """Every file in the order of the names, once all were read: then copies between athletes are known."""
    return beside_one_another(judge_file(name, read=read, rules=rules) for name in names)


def beside_one_another(
    judged: Iterable[Judged], received_s: ReceivedS = lambda source: None, may_be: MayBe = Athlete.may_be
) -> Iterator[Judged]:
    """The same files in the same order, each readable one with what the others tell about it.

    `received_s` tells when a platform received a file, in seconds since 1970, where that is known, and `may_be` whether
    two athletes may be one.

    Only when all are known can the first be told about the last; until then they wait in a temporary file, so that
    memory does not grow with their number.
    """
    ledger = Ledger(may_be)
    with tempfile.TemporaryFile() as waiting:
        for each in judged:
            ledger.add(each.source, each.traces, each.valid, received_s(each.source))
            pickle.dump(each, waiting)
        compared = ledger.compared(time.time())
        waiting.seek(0)
        for number in range(len(ledger.files)):
            each = pickle.load(waiting)  # written by ourselves, in a file that has no name
            yield each.among(compared(number))


@cache
def _as_text() -> TypeAdapter[Judged]:
    return TypeAdapter(Judged)


def _read_path(name: str) -> bytes:
    return read_handed_in(Path(name))
