"""What `submit` would refuse of a run, said before somebody packages it."""

from __future__ import annotations

from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.eligibility import changed_kinds, eligibility, limit_words, value_words
from tinytorch.competition.scoring.scores import compute_scores
from tito.terminal import screen


def warn_of_kinds(run: Run, rules: Rules) -> None:
    """Say it where the run's division does not allow what its layers have become."""
    if changed := changed_kinds(run, run.source.division or "open", rules):
        screen.say(refused_later(changed, "TO-E04"))


def warn_of_event(run: Run, event: str, rules: Rules) -> None:
    """Say what the event asks for and the run has not."""
    found = next(each for each in eligibility(run, compute_scores(run, rules), rules) if each.event == event)
    if found.unseen:
        screen.say(refused_later(f"{event}: {found.unseen}", "TO-E02"))
    for each in found.constraints:
        if each.satisfied is False:
            missed = f"{event} asks for {each.metric} {limit_words(each)}, and it is {value_words(each)}"
            screen.say(refused_later(missed, "TO-E01"))


def refused_later(reason: str, check: str) -> str:
    """The words for something that a check of submissions will fail on."""
    return f"warning: {reason}: a submission would not be valid (validate --explain {check})"
