"""The command tree as data: every group and command with its summary and the address of its function. Light."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Command(NamedTuple):
    """What a command does, in a line, and where its function is: `module:function`.

    `words` are what may stand first behind it, and make it another one: `verify sign`.
    """

    summary: str
    address: str
    words: Mapping[str, Command] = {}


class Group(NamedTuple):
    """Commands that belong together, `tito GROUP COMMAND`."""

    summary: str
    commands: Mapping[str, Command]


_MILESTONES = "tito.course.milestones.commands"
_OLYMPICS = {
    "tasks": "List the tasks, and what is known of their baselines here.",
    "techniques": "List what can be done to a model, and what that did.",
    "init": "Write a first entry to change, and say how to go on.",
    "explain": "Say what a word means, or what a check looks at.",
    "rules": "Show what each event asks for, and every limit.",
    "profile": "Show where a model's time goes, and what would help.",
    "sweep": "Try values of an entry's arguments, and time the best.",
    "benchmark": "Measure a model against the baseline and record the run.",
    "score": "Score a run for every event: eligible or not, and why.",
    "submit": "Package a run as a valid submission.json.",
    "validate": "Check submissions, each check by its name.",
    "leaderboard": "Rank submissions by what is shown.",
    "verify": "Build and measure entries again, in a box.",
    "cheats": "Show entries that cheat, and who notices.",
    "report": "Write the ranking of submissions as one page.",
    "grade": "Give everybody in a class the points for what they handed in.",
    "private": "Make data of a referee's own, which nobody has seen.",
    "compare": "Compare two runs, where task, recipe and machine allow it.",
    "doctor": "Look whether this machine is quiet now, and repeats.",
    "status": "Show the five stages, the last run, and the next command.",
    "schema": "Print the JSON Schema of what the tools write.",
    "logo": "Show the logo.",
}

_WORDS = {
    "verify": {
        "sign": Command("Sign a folder of verifications with a key of OpenSSH.", "tito.olympics.signing:sign"),
        "check": Command("Check who signed a folder of verifications.", "tito.olympics.signing:check"),
    }
}

GROUPS = {
    "olympics": Group(
        "The Torch Olympics: measure, score, submit, check.",
        {
            name: Command(summary, f"tito.olympics.{name}:{name}", _WORDS.get(name, {}))
            for name, summary in _OLYMPICS.items()
        },
    ),
    "module": Group(
        "The twenty modules of the course: start, test, complete.",
        {
            "list": Command("List the modules, with their numbers in both editions.", "tito.course.modules:listing"),
            "status": Command("Show what is started and complete, and the next command.", "tito.course.modules:status"),
            "start": Command("Write a module's starter file into your folder.", "tito.course.modules:start"),
            "test": Command("Run a module's tests on your file, or on ours.", "tito.course.modules:check"),
            "complete": Command("Run a module's tests, and record that they passed.", "tito.course.modules:complete"),
            "reset": Command("Put your file aside and write the starter file again.", "tito.course.modules:reset"),
        },
    ),
    "milestone": Group(
        "Six programs from the history of the field, on our own framework.",
        {
            "list": Command("List the milestones.", f"{_MILESTONES}:listing"),
            "info": Command("Tell what a milestone is about and where it is.", f"{_MILESTONES}:info"),
            "run": Command("Run a milestone and record the figure that it reached.", f"{_MILESTONES}:run"),
            "status": Command("Show what was reached, and the next command.", f"{_MILESTONES}:status"),
        },
    ),
    "system": Group(
        "This machine and this installation.",
        {
            "info": Command("Describe them.", "tito.system:info"),
            "health": Command("Check them; each doubt comes with its mend.", "tito.system:health"),
        },
    ),
}  # fmt: skip
OTHER_NAMES = {"milestones": "milestone"}  # understood, and not shown: an edition of the course has them
TEST = Command(
    "Run the tests of modules: yours, or ours.", "tito.course.testing.command:module_tests"
)  # the one without a group


def every_command() -> dict[tuple[str, ...], Command]:
    """Each command by the words that call it."""
    found: dict[tuple[str, ...], Command] = {("test",): TEST}
    for name, group in GROUPS.items():
        for each, command in group.commands.items():
            found[name, each] = command
            found |= {(name, each, word): further for word, further in command.words.items()}
    return found
