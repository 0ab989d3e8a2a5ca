"""A first entry: written once, for every event and task, and it works as it stands."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tinytorch.benchmarking.schedule import TIERS
from tinytorch.competition.names import OlympicEvent
from tinytorch.workloads.registry import TASKS, find_task
from tinytorch.workloads.strategies import Step, applied
from tito.olympics.entry_text import IDEAS, entry_text


def test_it_is_written_with_the_next_commands(beginner: Path, tito) -> None:
    done = tito("init")

    assert (done.code, Path("entry.py").is_file()) == (0, True)
    assert "next: tito olympics benchmark --entry entry.py" in done.err
    assert "next: tito olympics submit --event all_around" in done.err


def test_what_is_there_stays(beginner: Path, tito) -> None:
    Path("entry.py").write_text("mine")
    done = tito("init")

    assert (done.code, Path("entry.py").read_text()) == (2, "mine")
    assert "entry.py is there already" in done.err


def test_event_and_task_are_in_every_command(beginner: Path, tito) -> None:
    done = tito("init", "my folder", "--event", "latency_sprint", "--task", "tinygpt", "--json").json

    assert done["next"] == [
        "tito olympics benchmark --entry 'my folder/entry.py' --event latency_sprint --task tinygpt",
        "tito olympics submit --event latency_sprint --task tinygpt",
    ]
    assert Path(done["file"]).is_file()


@pytest.mark.parametrize(("option", "value"), [("--event", "latency_spirnt"), ("--task", "digits_mpl")])
def test_a_slip_of_the_pen_writes_nothing(beginner: Path, tito, option: str, value: str) -> None:
    done = tito("init", option, value)

    assert (done.code, "did you mean" in done.err) == (2, True)
    assert list(beginner.iterdir()) == []


def test_it_works_as_it_stands(beginner: Path, tito, tiny_tier, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does to a model what the strategy does, from the same arguments."""
    monkeypatch.setitem(TIERS, "fast", tiny_tier)
    tito("init", "--event", "latency_sprint", "--task", "digits_mlp")
    measure = ("benchmark", "--entry", "entry.py", "--task", "digits_mlp", "--tier", "fast", "--json", "-o", "run.json")
    done = tito(*measure)

    assert done.code == 0, done.err
    assert tito("submit", "--run", "run.json", "--event", "latency_sprint").code == 0


@pytest.mark.parametrize("event", OlympicEvent)
@pytest.mark.parametrize("name", TASKS)
def test_it_calls_what_the_strategy_calls(name: str, event: OlympicEvent) -> None:
    task = find_task(name)
    strategy = task.strategy(event.value)
    names: dict[str, object] = {}
    exec(compile(text := entry_text(task, strategy), "entry.py", "exec"), names)
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    given = {word.arg: word.value for call in calls for word in call.keywords}
    named = ("train_data", "transforms")
    options = {name: ast.literal_eval(value) for name, value in given.items() if name not in named}

    assert names["TECHNIQUES"] == strategy.techniques
    assert ("transforms" in given) == any(step.arguments.get("transforms") for step in strategy.steps)
    assert options == _options(strategy.steps)
    assert [step.technique for step in strategy.steps if step.technique not in IDEAS] == []
    assert max(map(len, text.splitlines())) <= 120


def _options(steps: tuple[Step, ...]) -> dict[str, object]:
    """All arguments of a strategy's steps."""
    mine = [step.arguments["options"] for step in steps if step.function.endswith(f":{applied.__name__}")]
    return {name: value for options in mine for name, value in options.items()}
