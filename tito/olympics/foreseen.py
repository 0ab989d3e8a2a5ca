"""What `submit` would refuse of a run, said before somebody packages it."""

from __future__ import annotations

from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.eligibility import changed_kinds
from tito.terminal import screen


def warn_of_kinds(run: Run, rules: Rules) -> None:
    """Say it where the run's division does not allow what its layers have become."""
    if changed := changed_kinds(run, run.source.division or "open", rules):
        screen.say(refused_later(changed, "TO-E04"))


def refused_later(reason: str, check: str) -> str:
    """The words for something that a check of submissions will fail on."""
    return f"warning: {reason}: a submission would not be valid (validate --explain {check})"
