"""Judged files beside their verifications: where an entry was measured again, the re-run's figures are what counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.shift import Shift
from tinytorch.competition.checks.verified import Verification
from tinytorch.competition.ranking.classes import classes_of
from tinytorch.competition.ranking.figures import Claimed, Figures
from tinytorch.competition.ranking.judged import Circumstances, Judged
from tinytorch.competition.record.run import Run
from tinytorch.competition.record.submission import Submission, Trust
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.outside import speedup_outside
from tinytorch.competition.scoring.packaging import packaged

STAYS = ("athlete", "repository", "techniques", "created_at", "digest")  # what the claim says of itself


class Reruns:
    """The verifications of a class, by the digests of the submissions that they are of; the latest of each counts.

    One by other rules is none here: what is found and what counts follow from the rules.
    """

    def __init__(self, verifications: Iterable[Verification], rules: Rules, shifts: Sequence[Shift] = ()) -> None:
        own = [each for each in verifications if each.how.rules_sha256 == rules.sha256]
        self._classes = classes_of(own, shifts, rules)
        self._rules = rules
        self._all = sorted(own, key=_weight)
        self._of = {each.submission_sha256: each for each in self._all if each.submission_sha256}

    def __len__(self) -> int:
        return len(self._of)

    def beside(self, judged: Iterable[Judged]) -> list[Judged]:
        """The same files. Whose entry repeats has the re-run's figures; whose does not, is not valid any more."""
        return [self._beside(each) for each in judged]

    def circumstances(self, known: Mapping[str, Circumstances]) -> dict[str, Circumstances]:
        """How the files were measured, of those that were measured again how that was."""
        again = {sha: Circumstances.of(self._submission(each, each.run))
                 for sha, each in self._of.items() if each.level and each.run and sha in known}  # fmt: skip
        return {**known, **again}

    def _beside(self, judged: Judged) -> Judged:
        found, figures = self._found(judged), judged.figures
        if found is None or not judged.valid or figures is None:
            return judged
        if found.outcome in ("failed", "DNF", "ok"):
            judged = judged.among(found.findings)
        if found.level is None or found.run is None:
            return judged
        return replace(judged, figures=self._figures(figures, found, found.run, Trust(found.level)))

    def _found(self, judged: Judged) -> Verification | None:
        """Of a submission that several handed in, none with its entry, each is told what was found beside his own."""
        found = self._of.get(judged.sha256)
        if found is None or _has_its_entry(found):
            return found
        own = (each for each in self._all if each.submission_sha256 == judged.sha256)
        return next((each for each in own if judged.source.startswith(each.source)), found)

    def _figures(self, claim: Figures, found: Verification, run: Run, trust: Trust) -> Figures:
        outside = found.refereed.outside if found.refereed and trust is Trust.T3 else None
        clock = speedup_outside(outside, run, self._rules) if outside else None
        case = Case(self._submission(found, run), self._rules, {}, "", "", speedup_outside=clock)
        own: dict[str, Any] = {name: getattr(claim, name) for name in STAYS}
        claimed = Claimed(value=claim.value, interval=claim.interval)
        told: dict[str, Any] = {"trust": trust, "claimed": claimed, "machine_class": self._classes.get(found.id)}
        return replace(Figures.of(case, is_valid=True), **own, **told)

    def _submission(self, found: Verification, run: Run) -> Submission:
        """The re-run, submitted in the claim's place."""
        if found.declaration is None:
            raise ValueError(f"{found.id} was given a level without a declaration")
        return Submission.model_validate(packaged(found.declaration, run, self._rules))


def _weight(verification: Verification) -> tuple[bool, bool, float]:
    """Of one submission the latest counts that came to an end; one with another entry only where there is no other.

    Otherwise whoever hands in a copy of somebody's submission beside an entry of his own would refute it.
    """
    is_an_answer = verification.outcome in ("ok", "failed", "DNF")
    return _has_its_entry(verification), is_an_answer, verification.verified_at.timestamp()


def _has_its_entry(verification: Verification) -> bool:
    return not any(each.name == "same_entry" and each.is_error for each in verification.findings)
