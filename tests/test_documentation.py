"""What the README shows is true: its examples run, its tables are the code's."""

from __future__ import annotations

import csv
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import get_args

import numpy as np
import pytest

import tinytorch
from tests.tito.class_folder import handed_in
from tinytorch.benchmarking.comparison import compare_latency
from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.checks.validation import PAGES
from tinytorch.competition.checks.verified import Outcome
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.run import RunFile
from tinytorch.competition.rules.events import read_rules
from tinytorch.datasets.digits import load_digits
from tinytorch.datasets.distorted import distorted
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import run_competition
from tinytorch.workloads.registry import TASKS, find_task
from tito.app import run as tito
from tito.commands import every_command
from tito.course.course import MODULES, Module
from tito.exit_codes import ExitCode

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
MEASUREMENT = (ROOT / "docs" / "measurement.md").read_text()
FRAMEWORK = (ROOT / "docs" / "framework.md").read_text()
COMPRESSION = (ROOT / "docs" / "compression.md").read_text()
LORA = (ROOT / "docs" / "lora.md").read_text()
ACCELERATION = (ROOT / "docs" / "acceleration.md").read_text()
CAPSTONE = (ROOT / "docs" / "capstone.md").read_text()
RANKING = (ROOT / "docs" / "ranking.md").read_text()
JUDGING = (ROOT / "docs" / "judging.md").read_text()
CLASS = (ROOT / "docs" / "class.md").read_text()
TRUST = (ROOT / "docs" / "trust.md").read_text()
COURSE = (ROOT / "docs" / "course.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
TASKS_PAGE = (ROOT / "docs" / "tasks.md").read_text()
QUICKLY = """from tinytorch.benchmarking import schedule
schedule.TIERS["fast"] = schedule.Tier("fast", 40_000_000, processes=1)
"""


def example(name: str, text: str = README) -> str:
    found = re.search(rf"<!-- example: {re.escape(name)} -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found, name
    return found[1]


def test_the_readme_s_entry_qualifies(tmp_path: Path, tiny_tier, cache_directory: Path) -> None:
    path = tmp_path / "entry.py"
    path.write_text(example("entry.py"))
    run = run_competition(
        Challenge(find_task("fashion_mlp"), Contender.entry(path), Settings(tiny_tier), 60, cache_directory)
    )

    assert run.optimized.metrics.accuracy.mean >= 0.85
    assert run.source.division == "closed"
    assert run.baseline.layer_kinds == run.optimized.layer_kinds


def test_the_script_of_the_page_of_commands_runs(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    shown = 'print(scores["compression_ratio"], comparison.speedup.verdict)\n'
    script.write_text(QUICKLY + example("script", COMMANDS) + shown)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert float(done.stdout.split()[0]) > 10


def test_a_speedup_is_derived_again_as_the_documentation_shows(
    tmp_path: Path, four_processes, cache_directory: Path
) -> None:
    challenge = Challenge(
        find_task("digits_mlp"),
        Contender.reference(find_task("digits_mlp").strategy("accuracy_contest")),
        Settings(four_processes),
        cache_directory=cache_directory,
    )
    run = run_competition(challenge)
    (tmp_path / "run.json").write_text(RunFile.text(run))
    (tmp_path / "derive.py").write_text(example("derive.py", MEASUREMENT))
    done = subprocess.run([sys.executable, "derive.py"], capture_output=True, text=True, check=True, cwd=tmp_path)
    speedup = compare_latency(run.baseline.metrics.latency, run.optimized.metrics.latency)

    assert speedup.basis == "typical" or done.stdout.startswith(f"speedup {speedup.estimate:.6f}, ")


@pytest.mark.parametrize("event", OlympicEvent)
def test_every_event_is_in_the_readme(event: OlympicEvent) -> None:
    assert f"| `{event}` |" in README


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_on_the_page_of_commands(code: ExitCode) -> None:
    assert f"\n| {int(code)} |" in COMMANDS


def test_every_command_is_on_the_page_of_commands_and_has_help() -> None:
    for words, command in every_command().items():
        assert f"`tito {' '.join(words)}" in COMMANDS
        assert resolve_name(command.address).__doc__


def test_an_operation_of_one_s_own_works_as_the_documentation_shows(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example("function", FRAMEWORK), "function", "exec"), {"__name__": "example"})

    assert capsys.readouterr().out == "[ 3. 12.]\n"


def test_a_model_is_profiled_as_the_documentation_shows(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example("profile", TASKS_PAGE), "profile", "exec"), {"__name__": "example"})

    assert capsys.readouterr().out.splitlines() == [
        "model Sequential 0 0", "layers.0 Linear 4096 2080", "layers.1 ReLU 32 0", "layers.2 Linear 640 330", "4768",
    ]  # fmt: skip


def test_a_model_gets_smaller_as_the_documentation_shows(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example("compress", COMPRESSION), "compress", "exec"), {"__name__": "example"})

    assert capsys.readouterr().out.splitlines() == ["SparseWeight((784, 300), 23520 values)", "True", "True", "(1, 10)"]


def test_an_adapter_learns_as_the_documentation_shows(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example("lora", LORA), "lora", "exec"), {"__name__": "example"})

    assert capsys.readouterr().out.splitlines() == ["True", "1320 of 9610"]


@pytest.mark.parametrize(("name", "output"), [("compile", ["True", "(8, 10)"]), ("generation", ["True"])])
def test_a_model_gets_faster_as_the_documentation_shows(
    name: str, output: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(example(name, ACCELERATION), name, "exec"), {"__name__": "example"})

    assert capsys.readouterr().out.splitlines() == output


def test_every_file_of_the_page_on_acceleration_is_there() -> None:
    files = re.findall(r"`(\w+\.py)`", ACCELERATION)

    assert len(files) >= 8
    assert all((ROOT / "tinytorch" / "perf" / "acceleration" / file).is_file() for file in files)


def test_every_call_of_the_page_on_compression_is_there() -> None:
    from tinytorch.perf import compression, quantization

    called = re.findall(r"^\| `(\w+)\(", COMPRESSION, re.MULTILINE)

    assert len(called) >= 10
    assert {*called} <= {*compression.__all__, *quantization.__all__}


def test_the_documentation_s_entry_for_a_generating_model_runs(
    small_task, tmp_path: Path, tiny_tier, cache_directory: Path
) -> None:
    path = tmp_path / "generate.py"
    path.write_text(example("generate.py", TASKS_PAGE))
    run = run_competition(Challenge(small_task, Contender.entry(path), Settings(tiny_tier), 60, cache_directory))

    assert run.optimized.metrics.accuracy.mean >= 0.95
    assert run.baseline.layer_kinds == run.optimized.layer_kinds


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_in_the_documentation(name: str) -> None:
    assert f"| `{name}` |" in TASKS_PAGE


def test_every_name_of_the_framework_is_where_the_documentation_says() -> None:
    rows = re.findall(r"^\| `(\w+)`[^|]*\| (.*) \|$", FRAMEWORK, re.MULTILINE)
    named = [(module, name) for module, names in rows for name in re.findall(r"`(\w+)`", names)]

    assert len(named) > 50
    assert all(resolve_name(f"tinytorch.core.{module}:{name}") for module, name in named)
    assert {name for _, name in named} <= {*tinytorch.__all__}


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache_directory: Path, tiny_tier) -> Path:
    """A new folder, in which measuring takes no time and the baseline is trained already."""
    folder = tmp_path / "my capstone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TITO_CACHE", str(cache_directory))
    monkeypatch.setattr("tinytorch.workloads.cache.users_folder", lambda: cache_directory)
    for name in ("fast", "default"):
        monkeypatch.setitem(TIERS, name, tiny_tier)
    return folder


@pytest.mark.parametrize(
    ("page", "words"), [(CAPSTONE, {"events", "submission"}), (COURSE, {"02"})], ids=["capstone", "course"]
)
def test_a_page_s_commands_work_one_after_the_other(
    page: str, words: set[str], newcomer: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"<!-- commands -->\n```bash\n(.*?)```", page, re.DOTALL)
    commands = [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]

    assert [(command, 0) for command in commands] == [(command, tito(command)) for command in commands]
    assert words <= {line.split()[0] for line in capfd.readouterr().out.splitlines() if line.strip()}


def test_the_readme_s_way_to_a_submission_works_and_is_the_capstone_s(newcomer: Path) -> None:
    """Each line as it stands, git included."""
    way, capstone = (shell_lines(page, "tito olympics init") for page in (README, CAPSTONE))
    for line in way:
        for command in line.split(" && "):
            words = shlex.split(command, comments=True)
            if words[0] == "tito":
                assert tito(words[1:]) == 0, line
            elif words[0] == "cd":
                os.chdir(words[1])
            else:
                subprocess.run([*words[:1], *IDENTITY[words[0]], *words[1:]], check=True, capture_output=True)

    assert [line for line in capstone if line in way] == [line for line in way if "score" not in line]


IDENTITY = {"git": ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"], "mkdir": []}


def shell_lines(page: str, within: str) -> list[str]:
    """The commands of the block that has these words, without what is said of them."""
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    found = next(block for block in blocks if within in block)
    return [line.partition("  #")[0].strip() for line in found.splitlines()]


@pytest.mark.box
def test_an_entry_is_bundled_and_verified_as_the_documentation_shows(
    newcomer: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (newcomer / "entry.py").write_text("def optimize(model, train_data):\n    return model\n")
    train, _ = load_digits()
    export = np.rint(16 * distorted(train.inputs, np.random.default_rng(5))).reshape(-1, 8, 8)
    np.savez(newcomer / "export.npz", images=export, labels=train.labels)
    text = "".join(block(name, TRUST) for name in ("bundle", "verify", "referee"))
    commands = [shlex.split(line, comments=True)[1:] for line in text.splitlines()]

    assert [(command, 0) for command in commands] == [(command, tito(command)) for command in commands]
    out = capfd.readouterr().out
    assert all(words in out for words in ("T2; claimed", "T3 refereed", "T3; claimed"))


def test_every_outcome_of_a_verification_is_on_its_page() -> None:
    assert {*get_args(Outcome)} == set(re.findall(r"^\| (\w+) \| [\w ]+ \| .* \| (?:no|by|with) ", TRUST, re.MULTILINE))


@pytest.mark.filterwarnings("ignore:.*measuring will take about")  # where the machine is busy
def test_the_capstone_s_stages_work_in_python(
    newcomer: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, four_processes
) -> None:
    monkeypatch.setitem(TIERS, "fast", four_processes)
    exec(compile(example("stages", CAPSTONE), "stages", "exec"), {"__name__": "example"})

    assert re.fullmatch(r"[\d.]+ ms \[[\d.]+, [\d.]+\]\n4\.5 True\n", capsys.readouterr().out)


PLACES = sorted(set(re.findall(r"((?:\w+/)*\w+\.py)(?:: ([\w.]+))?", ARCHITECTURE)))


@pytest.mark.parametrize(("file", "name"), PLACES)
def test_every_place_that_the_architecture_names_is_there(file: str, name: str) -> None:
    places = [path for path in ROOT.glob("*/**/*.py") if path.as_posix().endswith(f"/{file}")]

    assert places
    assert not name or any(re.search(rf"(def|class) {name.split('.')[-1]}\b", path.read_text()) for path in places)


def test_a_sample_passes_25_stations_at_most() -> None:
    stations = re.findall(r"^(?:\w[\w ]*)? +(\d+)  ", ARCHITECTURE, re.MULTILINE)

    assert stations == [str(number) for number in range(1, 26)]


def test_every_folder_is_in_the_architecture() -> None:
    for part in ("tito", "tinytorch/competition"):
        folders = [path.parent.name for path in (ROOT / part).glob("*/__init__.py")]

        assert [folder for folder in folders if f" {folder}/" not in ARCHITECTURE] == []


EXPERIMENTS = {  # what it prints, whatever the machine
    "composition": ([], r"int8 .* 3\.98x(.*\n)*75 % zeros, kept as floats .* 1\.00x(.*\n)*half .*, int8 .* 15\.\d\dx"),
    "significance": (["--worlds", "100000"], r"p = 0\.12: seen in \d{3,}(.*\n)*.*p = 0\.02: seen in \d{3,}"),
    "bottleneck": (["--epochs", "2"], r"int4 +\d+\.\d+x(.*\n)*step 1: \w+(?:, so| still)(.*\n)*$"),
    "serving": (
        ["--requests", "2000"],
        r"baseline: .*\n.*SLA.*\n.*12.9 MB, broken(.*\n)*smaller: .*\n.*SLA.*\n.* kB, kept",
    ),
}


@pytest.mark.filterwarnings("ignore:.*measuring will take about")  # where the machine is busy
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_shows_what_the_page_says(
    name: str, newcomer: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, shown = EXPERIMENTS[name]
    path = ROOT / "docs" / "experiments" / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(path), *arguments])
    runpy.run_path(str(path), run_name="__main__")

    assert re.search(shown, capsys.readouterr().out)
    assert f"python docs/experiments/{name}.py" in CAPSTONE


def test_every_experiment_is_run() -> None:
    assert {path.stem for path in (ROOT / "docs" / "experiments").glob("*.py")} == {*EXPERIMENTS}


@pytest.mark.parametrize("event", OlympicEvent)
def test_every_event_is_in_the_capstone(event: OlympicEvent) -> None:
    assert f"| `{event}` |" in CAPSTONE


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_module_is_on_the_page_of_the_course(module: Module) -> None:
    elsewhere = f" ({module.number_elsewhere:02})" if module.number_elsewhere else ""

    assert f"| {module.number:02}{elsewhere} | `{module.name}` | {module.title} | `{module.home}` |" in COURSE


def test_the_rules_of_a_class_that_are_shown_hold(tmp_path: Path) -> None:
    text = re.search(r"<!-- example: ours.toml -->\n```toml\n(.*?)```", JUDGING, re.DOTALL)[1]
    (tmp_path / "ours.toml").write_text(text)
    rules = read_rules(tmp_path / "ours.toml")

    assert (rules.version, rules.significance.session_spread) == ("cs249, autumn 2026", 0.02)


def test_the_entry_with_settings_that_is_shown_is_looked_at(newcomer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("settings.py").write_text(example("settings.py", (ROOT / "docs" / "sweep.md").read_text()))
    command = ["olympics", "benchmark", "--quick", "--task", "digits_cnn", "--entry", "settings.py"]

    assert tito([*command, "--set", "epochs=1", "--set", "keep=0.5"]) == 0
    assert "settings.py (epochs=1, keep=0.5), a quick look" in capsys.readouterr().out


def test_the_event_of_a_class_that_is_shown_holds(tmp_path: Path) -> None:
    text = re.search(r"<!-- example: green.toml -->\n```toml\n(.*?)```", JUDGING, re.DOTALL)[1]
    (tmp_path / "green.toml").write_text(text)
    event = read_rules(tmp_path / "green.toml").events["green_run"]

    assert (event.ranked_by, [each.metric for each in event.constraints]) == (
        "less_work", ["accuracy", "moved_bytes", "throughput"]
    )  # fmt: skip


def test_every_group_of_checks_is_on_the_page_about_judging() -> None:
    groups = {page.id[:4] for page in PAGES.values()}

    assert groups == set(re.findall(r"^\| `(TO-\w)` \|", JUDGING, re.MULTILINE))


def test_submissions_are_ranked_as_the_documentation_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, typical_ns in (("ada", 100_000), ("bob", 200_000)):
        handed_in(tmp_path, name, seed=typical_ns, typical_ns=typical_ns)
    monkeypatch.chdir(tmp_path)
    exec(compile(example("ranking", RANKING), "ranking", "exec"), {"__name__": "example"})

    assert capsys.readouterr().out.splitlines() == ["1  ada", "2  bob"]


def block(name: str, text: str) -> str:
    """Of a page: what stands under a name, whatever language it is in."""
    return re.search(rf"<!-- example: {re.escape(name)} -->\n```\w+\n(.*?)```", text, re.DOTALL)[1]


def test_a_class_is_walked_as_its_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Thirty submissions of a roster, with a team, a late file and two who hand in nothing."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "class"
    folder.mkdir()
    people = {f"{2001 + number}": f"Student {number}" for number in range(28)}
    for number, (id_, name) in enumerate(list(people.items())[:26]):
        handed_in(folder, name, number + 2, id_=id_, typical_ns=150_000 + 9_000 * number, file=f"{number}.json")
    for number, (id_, name) in enumerate(list(people.items())[:3]):
        kept_bytes = 2_000_000 + 300_000 * number
        handed_in(folder, name, number + 90, "memory_challenge", f"m{number}.json", id_=id_, kept_bytes=kept_bytes)
    handed_in(folder, ["Student 3", "Student 4"], 99, file="team.json", id_=["2004", "2005"], typical_ns=120_000)
    times = {path.name: f"2026-12-{16 if path.name == '25.json' else 14}T12:00:00Z" for path in folder.glob("*.json")}
    (folder / "class.toml").write_text(block("class.toml", CLASS).replace("fashion_mlp", "digits_mlp"))
    roster = [*(f"{id_},{name}" for id_, name in people.items()), *block("roster.csv", CLASS).splitlines()[1:]]
    (folder / "roster.csv").write_text("\n".join(["id,name", *roster]))
    (folder / "times.csv").write_text("\n".join(["file,time", *map(",".join, times.items())]))
    codes = [tito(shlex.split(line, comments=True)[1:]) for line in block("walk", CLASS).splitlines()]
    grades = {row["id"]: row for row in csv.DictReader(io.StringIO((tmp_path / "grades.csv").read_text("utf-8")))}

    assert (len(times), codes) == (30, [0] * 5)
    assert len(grades) == 30
    assert grades["2004"]["latency_sprint_points"] == grades["2005"]["latency_sprint_points"] > "80"
    assert grades["2001"]["memory_challenge_points"] == "100.0"
    assert "too late" in grades["2026"]["latency_sprint_reason"]
    assert grades["1002"]["name"] == "José Álvarez"
    assert "Student" not in (tmp_path / "board.html").read_text("utf-8")
    assert "in the class, without a rank (5)" in capsys.readouterr().out
