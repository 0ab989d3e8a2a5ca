"""The Torch Olympics, all five stages: events, baseline, optimized model, scores, submission.

It measures the reference strategy of the All-Around, records the run like `tito olympics benchmark`, and writes a
submission beside your progress, checked by every rule. To do it with an entry of your own: `tito olympics init`.
"""

from __future__ import annotations

from tinytorch.competition.checks.validation import validate_submission
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.competition.scoring.scores import compute_scores
from tinytorch.errors import RunError
from tinytorch.workloads.registry import DEFAULT_TASK
from tito.olympics import measuring
from tito.terminal import screen
from tito.workspace.folder import Folder, workspace_root
from tito.workspace.workspace import Workspace

EVENT = OlympicEvent.ALL_AROUND


def run() -> float:
    """Compete; the All-Around score. RunError when the submission would not be valid."""
    who = measuring.contender(DEFAULT_TASK, EVENT.value, None, None)
    measured = measuring.measure(Workspace(), measuring.challenge(who, DEFAULT_TASK))
    document = submission_from_run(measured, event=EVENT, athlete_name="milestone 06")
    verdict = validate_submission(document)
    if not verdict["valid"]:
        raise RunError(f"the submission is not valid: {verdict['issues'][0]}", mend="tito olympics validate shows it")
    folder = Folder(workspace_root(None) / "course")
    folder.make(folder.root)
    folder.write(folder.root / "submission.json", screen.as_json(document).encode() + b"\n")
    screen.say(f"{len(verdict['checks'])} checks passed: {folder.root / 'submission.json'}")
    score = compute_scores(measured).all_around
    if score is None:
        raise RunError("the All-Around score needs latency, memory and accuracy")
    return score
