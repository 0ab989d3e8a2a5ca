"""Help: short to ask for, complete, and named by every wrong call."""

from __future__ import annotations

import pytest

from tinytorch.competition.names import DIVISIONS, Expectation, OlympicEvent
from tinytorch.workloads.registry import TASKS, find_task
from tito.app import run
from tito.commands import GROUPS, every_command


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"], *([name] for name in GROUPS)])
def test_a_group_alone_shows_what_there_is(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    code = run(arguments)
    shown = capfd.readouterr()

    assert (code, shown.err) == (0, "")
    assert "Commands:" in shown.out


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", every_command())
def test_every_command_has_help(command: tuple[str, ...], option: str, capfd: pytest.CaptureFixture[str]) -> None:
    code = run([*command, option])
    shown = capfd.readouterr()

    assert (code, shown.err) == (0, "")
    assert shown.out.startswith(f"Usage: tito {' '.join(command)}")


@pytest.mark.parametrize("command", every_command())
def test_no_type_of_the_program_stands_in_a_help(command: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    run([*command, "--help"])
    shown = capfd.readouterr().out.partition("Options:")[2]

    assert [word for word in ("<bool>", "<str>", "<int", "<float", "<path>", "list[") if word in shown] == []


VALUES = {
    "--event": ("benchmark", OlympicEvent), "--task": ("benchmark", TASKS), "--strategy": ("benchmark", OlympicEvent),
    "--expect": ("benchmark", Expectation), "--division": ("submit", DIVISIONS), "--repo": ("submit", ["https://"]),
}  # fmt: skip


@pytest.mark.parametrize("option", VALUES)
def test_help_lists_what_an_option_takes(tito, option: str) -> None:
    command, values = VALUES[option]
    shown = " ".join(tito(command, "--help").out.partition(option)[2].split())

    assert [value for value in values if value not in shown] == []


WRONG = {
    "unknown option": (["olympics", "score", "--nope"], "tito olympics score --help"),
    "missing value": (["olympics", "benchmark", "--entry"], "tito olympics benchmark --help"),
    "bad value": (["olympics", "benchmark", "--tier", "quick"], "tito olympics benchmark --help"),
    "too many words": (["olympics", "status", "now"], "tito olympics status --help"),
    "unknown command": (["olympics", "xyz"], "tito olympics --help lists all"),
    "a slip": (["olympics", "bencmark"], "did you mean 'benchmark'?"),
    "a group with a slip": (["olympic"], "did you mean 'olympics'?"),
    "a command of a group": (["benchmark"], "write tito olympics benchmark"),
}


@pytest.mark.parametrize(("arguments", "mend"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_call_names_the_help_of_what_was_called(
    arguments: list[str], mend: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code = run(arguments)
    error, hint = capfd.readouterr().err.splitlines()

    assert code == 2
    assert len(error) > len("error: ")
    assert hint == f"mend:  {mend}"


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_called_by_its_name(name: str) -> None:
    assert find_task(name).name == name
