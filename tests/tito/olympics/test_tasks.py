"""Tasks on the command line: listed, profiled; one that is added works everywhere and is never mixed with others."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tinytorch.benchmarking.schedule import TIERS, Tier
from tinytorch.workloads import techniques
from tinytorch.workloads.registry import TASKS, find_task
from tinytorch.workloads.techniques import TECHNIQUES, measured
from tito.olympics.entry_text import call_names
from tito.views import profile as render_profile

SHORT = Tier("fast", 40_000_000, processes=6)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast tier with hardly any time."""
    monkeypatch.setitem(TIERS, "fast", SHORT)


def test_a_task_that_is_one_record_and_one_builder_goes_the_whole_way(small_task, quick, athlete: Path, tito) -> None:
    other = json.loads((athlete / "run.json").read_text())["run"]["id"]
    measured = tito("benchmark", "--task", "small_task", "--tier", "fast")
    assert measured.code == 0, measured.err
    assert "small_task: the strategy all_around beside the baseline" in measured.out

    scored, last = (tito("score", *options, "--json").json for options in (["--task", "small_task"], []))
    assert scored["run"] == last["run"] != other
    assert tito("score", "--task", "fashion_mlp", "--json").json["run"] == other

    packed = tito("submit", "--event", "extreme_push", "--task", "small_task", "--athlete", "Ada", "--json")
    assert packed.json["event"] == "extreme_push", packed.err
    document = json.loads(Path("submission.json").read_text())
    assert (document["run"]["task"]["name"], document["run"]["task"]["test_samples"]) == ("small_task", 160)
    assert tito("validate", "submission.json").code == 0

    status = tito("status", "--task", "small_task", "--json").json
    assert [run["id"] for run in status["runs"]] == [scored["run"]]
    assert [each["run"] for each in status["submissions"]] == [scored["run"]]
    status = tito("status", "--task", "fashion_mlp", "--json").json
    assert ([run["id"] for run in status["runs"]], status["submissions"]) == ([other], [])

    listed = {task["name"]: task for task in tito("tasks", "--json").json["tasks"]}
    assert listed["small_task"]["baseline"]["accuracy"] >= 0.95
    assert tito("profile", "--task", "small_task", "--json").json["model"]["generates_without_cache"]


def test_submit_measures_a_task_that_has_no_run(small_task, quick, athlete: Path, tito, monkeypatch) -> None:
    monkeypatch.setitem(TIERS, "default", replace(SHORT, name="default"))
    done = tito("submit", "--event", "all_around", "--task", "small_task", "--athlete", "Ada")

    assert "no run of small_task is recorded yet" in done.err
    assert json.loads(Path("submission.json").read_text())["run"]["task"]["name"] == "small_task"


def test_a_failed_attempt_at_one_task_does_not_hold_back_a_run_of_another(small_task, athlete: Path, tito) -> None:
    Path("bad.py").write_text("def optimize(model, train_data):\n    return None\n")
    assert tito("benchmark", "--task", "small_task", "--entry", "bad.py").code == 4

    assert tito("submit", "--event", "all_around", "--athlete", "Ada").code == 2
    assert tito("submit", "--event", "all_around", "--athlete", "Ada", "--task", "fashion_mlp").code == 0


def test_tasks_are_listed_with_strategies(beginner: Path, tito) -> None:
    shown = tito("tasks").out.splitlines()
    for name in TASKS:
        lines = [line for line in shown if line.startswith(f"{name} ")]
        techniques = find_task(name).strategy("memory_challenge").techniques
        assert find_task(name).title in lines[0]
        assert any("memory_challenge" in line and all(each in line for each in techniques) for line in lines)


def test_a_trained_baseline_is_listed_with_what_it_is_like_and_others_as_not_trained(
    athlete: Path, tito, small_task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["small_task"], "TASK", replace(small_task, name="never"))
    lines = tito("tasks").out.splitlines()
    trained, other = (next(line for line in lines if line.startswith(f"{name} ")) for name in ("fashion_mlp", "never"))

    assert "88.5 %" in trained
    assert "2.40 MB" in trained
    assert trained.count(" us") == 1
    assert "not trained yet" in other


def test_listing_trains_nothing(beginner: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TITO_CACHE", str(beginner / "cache"))
    cards = tito("tasks", "--json").json["tasks"]

    assert [card["name"] for card in cards if card["baseline"] is None] == ["digits_mlp", "digits_cnn", "tinygpt"]
    assert not (beginner / "cache").exists()


def test_a_profile_has_a_line_for_each_layer_and_says_what_would_help(athlete: Path, tito) -> None:
    done = tito("profile")

    assert sum(" Linear  " in line for line in done.out.splitlines()) == 4
    assert "Linear takes" in done.out
    limited = ("memory-bound, with", "compute-bound, with", "calls take the time")  # the last on a busy machine
    assert any(words in " ".join(done.out.split()) for words in limited)
    assert "this machine, measured now" in done.out
    assert "try: " in done.out


def test_a_profile_s_layers_add_up_to_the_whole(athlete: Path, tito) -> None:
    model = tito("profile", "--json").json["model"]

    assert len(model["layers"]) == 8
    assert sum(layer["parameters"] for layer in model["layers"]) == 600_970
    assert sum(layer["flops"] for layer in model["layers"]) == 2 * 599_808 + 3 * 384


def test_an_entry_is_profiled_as_a_stranger(athlete: Path, tito) -> None:
    name = "\\x1b[31m[bold]layer"
    Path("entry.py").write_text(
        "from tinytorch.core.layers import Sequential\n"
        f"def optimize(model, train_data):\n    own = Sequential()\n    vars(own)['{name}'] = model\n"
        f"    own.forward = model.forward\n    return own\n"
    )
    done = tito("profile", "--entry", "entry.py")

    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert "[bold]layer" in done.out


FAILING = {
    "in optimize": ("def optimize(model, train_data):\n    return 1 / 0\n", "line 2, in optimize"),
    "while it runs": (
        "from tinytorch.core.layers import Sequential\nclass Bad(Sequential):\n    def forward(self, x):\n"
        "        return 1 / 0\ndef optimize(model, train_data):\n    return Bad()\n",
        "line 4, in forward",
    ),
    "no model": ("def optimize(model, train_data):\n    return 3\n", "'int', which is not a model"),
}


@pytest.mark.parametrize(("source", "words"), FAILING.values(), ids=FAILING.keys())
def test_an_entry_that_cannot_be_profiled_is_told_with_its_line(source: str, words: str, athlete: Path, tito) -> None:
    Path("entry.py").write_text(source)
    done = tito("profile", "--entry", "entry.py")

    assert (done.code, done.out) == (4, "")
    assert words in done.err


def test_a_profile_records_nothing(athlete: Path, tito) -> None:
    before = tito("status").out
    tito("profile", "--strategy", "int8")

    assert tito("status").out == before


@pytest.mark.parametrize("bound", ["memory", "compute"])
def test_the_sentence_compares_with_the_balance_of_the_machine(bound: str) -> None:
    from tinytorch.perf.profiling import Bottleneck

    intensity, shown = (0.5, "0.500") if bound == "memory" else (8.0, "8.00")
    found = Bottleneck("Linear", 0.9, "layers.2", 0.4, bound, intensity, 2.0, 0.75, "less of it")

    assert render_profile.sentence(found) == (
        f"Linear takes 90 % of the time (the slowest, layers.2, 40 %): {bound}-bound, with {shown} FLOPs for "
        f"each byte that it moves, {'below' if bound == 'memory' else 'above'} this machine's balance of 2.00; it "
        f"reaches 75 % of what {'memory' if bound == 'memory' else 'arithmetic'} allows.\ntry: less of it"
    )


def test_where_neither_limit_is_near_the_sentence_says_calls() -> None:
    from tinytorch.perf.profiling import Bottleneck

    found = Bottleneck("Linear", 0.9, "", 0.4, "calls", 0.5, 2.0, 0.12, "fewer calls")
    assert render_profile.sentence(found) == (
        "Linear takes 90 % of the time, with 0.500 FLOPs for each byte that it moves; calls take the time: memory and "
        "arithmetic alone would need 12 % of it.\ntry: fewer calls"
    )


def test_layers_of_a_plan_are_in_the_plan(athlete: Path, tito) -> None:
    done = tito("profile", "--strategy", "planned")

    assert sum("in the plan" in line for line in done.out.splitlines()) == 8  # the Sequential, and seven layers
    assert "CompiledModel takes 100 % of the time" in " ".join(done.out.split())


def test_techniques_are_listed_with_what_was_measured_of_them(beginner: Path, tito) -> None:
    lines = tito("techniques").out.splitlines()

    for technique in TECHNIQUES:
        (line,) = [line for line in lines if line.startswith(f"{technique.name} ")]
        assert all(call in line for call in call_names(technique.steps))
        assert "x speed" in line
    assert measured()["date"] in lines[-1]


def test_a_technique_that_was_not_measured_has_no_figures(beginner: Path, tito, monkeypatch) -> None:
    monkeypatch.setattr(techniques, "MEASURED_FILE", beginner / "none.json")
    shown, document = tito("techniques").out, tito("techniques", "--json").json

    assert "not measured yet" in shown
    assert (document["date"], {row["measured"] for row in document["techniques"]}) == (None, {None})
