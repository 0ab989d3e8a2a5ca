"""Every screen with figures that were injected, as text. `python -m tests.tito.golden` writes the files anew.

Look at what changed before you commit it: these texts are what people see.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from unittest import mock

from rich.console import RenderableType

from tests.competition.conftest import known_run, make_run
from tests.competition.conftest import mutated as changed
from tests.harness.test_doctor import diagnosed
from tests.tito.views.test_verification import SPEED, declared, verification
from tinytorch.benchmarking.light import LightSpeed
from tinytorch.benchmarking.records.session import Doubt
from tinytorch.benchmarking.records.work import Limits
from tinytorch.benchmarking.statistics import Interval
from tinytorch.competition.record.run import Run, RunFile
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.advice import advice
from tinytorch.competition.scoring.eligibility import eligibility
from tinytorch.competition.scoring.expectation import standing
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.competition.scoring.scores import compared, compute_scores
from tinytorch.harness.cards import BaselineCard, StrategyCard, TaskCard
from tinytorch.harness.profile import Profiled
from tinytorch.perf.profiling import LayerProfile, ModelProfile, find_bottleneck
from tinytorch.processes.selftest import Probe, SelfTest
from tito.app import run as tito
from tito.commands import GROUPS
from tito.olympics.attempts import story
from tito.terminal import bars, screen
from tito.views import doctor, drawn, profile, quick, runs, scores, sweep
from tito.views import verification as verified
from tito.views.sweep import Sweep
from tito.views.verdict import verdict_lines
from tito.workspace.history import Blocks, RunLine, SubmissionLine, unparse
from tito.workspace.sweeps import Setting

FOLDER = Path(__file__).with_name("golden")
WIDTHS = (60, 80, 120)
RULES = load_rules()
REPOSITORY = "https://example.org/ada/entry"
LIMITS = Limits(memory_bandwidth_bytes_per_s=20e9, near_bandwidth_bytes_per_s=40e9, flops_per_s=100e9)
DOUBT = Doubt(code="busy", evidence="other programs used 0.90 of 2 cores", advice="close other programs")
EXCESSES = (0.02, 0.12, 0.04, 0.09, 0.11, 0.03)  # of the baseline, look by look


def text_of(renderables: Sequence[RenderableType], width: int) -> str:
    """What a terminal of that width shows, without colours."""
    with _terminal(width) as stream:
        for each in renderables:
            screen.show(each)
        return _said(stream)


def said_by(arguments: Sequence[str], width: int, folder: Path) -> str:
    """What a command writes to both streams, in a folder."""
    with _terminal(width) as stream, contextlib.chdir(folder):
        tito([*([] if arguments[0] in GROUPS else ["olympics"]), *arguments])
        return _said(stream)


@contextlib.contextmanager
def _terminal(width: int) -> Iterator[io.TextIOWrapper]:
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    with (
        mock.patch.dict(os.environ, {"COLUMNS": str(width)}),
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        yield stream


def _said(stream: io.TextIOWrapper) -> str:
    text = stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip() + "\n"


def busy_run() -> Run:
    """A run with a doubt, on a machine that was disturbed."""
    run = known_run(baseline=1.06)
    return run.model_copy(update={"protocol": run.protocol.model_copy(update={"doubts": [DOUBT]})})


def slow_run() -> Run:
    """Smaller, slower, and less accurate."""
    return make_run(correct=300, typical_ns=2_000_000)


def score_screen(run: Run) -> list[RenderableType]:
    """What `score` shows."""
    tested = compared(run)
    found = compute_scores(run)
    events = eligibility(run, found)
    standings = {event.event: standing(run, event.event, RULES) for event in events}
    advices = {event.event: advice(event, found, run.optimized.metrics.accuracy, RULES) for event in events}
    references = {"latency_sprint": 13.5, "all_around": 2.5}
    lines = [line(number, score) for number, score in ((1, 1.9), (2, 2.2))]
    return [
        verdict_lines(run, tested), "", scores.scores_table(found.model_dump(), tested), "",
        scores.events_table(events, standings, advices, references),
        *story([*lines, replace(line(3, 2.0), id=run.id)], run),
    ]  # fmt: skip


def line(number: int, score: float) -> RunLine:
    """An earlier run."""
    blocks = Blocks(lower=4.0, upper=6.0, counts=[0, 1, 4, 9, 12, 7, 3, 0])
    values = {"speedup": 2 * score, "compression_ratio": 4.0, "accuracy_delta": -0.01, "all_around": score}
    return RunLine(
        id=f"2026030{number}T120000Z-0a1b2c3d", created_at=f"2026-03-0{number}T12:00:00Z", task="digits_mlp",
        source="entry.py", scores=values, blocks=blocks, machine="quiet" if number == 1 else "not known",
    )  # fmt: skip


def profiled() -> Profiled:
    """A model of three layers."""
    layers = [
        LayerProfile("", "Sequential", 0, 1, 0, 0, 0, 0, 0, 9_000.0),
        LayerProfile("layers.0", "Linear", 1, 1, 301_440, 1_205_760, 602_112, 1_210_432, 1_536, 71_000.0),
        LayerProfile("layers.1", "ReLU", 1, 1, 0, 0, 384, 3_072, 1_536, 6_000.0),
        LayerProfile("layers.2", "Linear", 1, 1, 3_850, 15_400, 7_680, 16_976, 40, 9_500.0),
    ]
    model = ModelProfile(layers, 96_000.0, 500, generates_without_cache=False)
    light = LightSpeed(61_000.0, 95_000.0, "memory", 0.642, Interval(0.63, 0.655))
    return Profiled("fashion_mlp", "baseline", model, LIMITS, find_bottleneck(model, LIMITS), light)


def cards() -> list[TaskCard]:
    """Two tasks, one of them not trained."""
    strategies = [
        StrategyCard("latency_sprint", ["Structured Pruning", "Operator Fusion"], "points of accuracy"),
        StrategyCard("int8", ["INT8 Quantization"], "time, in plain numpy"),
    ]
    baseline = BaselineCard(0.885, 600_970, 2_403_880, 98_000)
    return [
        TaskCard("fashion_mlp", "Clothes with a multilayer perceptron", 26_000, 4_000, 0.885, strategies, baseline),
        TaskCard("tinygpt", "64 digits backwards with a GPT", 2_000, 200, None, strategies[:1], None),
    ]  # fmt: skip


def self_test(tier: Literal["A", "C"]) -> SelfTest:
    """Two acts: a box forbids one of them, a plain process none."""
    return SelfTest(tier, (Probe("ptrace", tier == "C", "traced"), Probe("write a file of ours", True, "written")))


def swept() -> Sweep:
    """Three settings: timed, timed and slower, and one that could not be built."""
    fast, slow = known_run(), known_run(typical_ns=400_000)
    settings = [
        Setting({"keep": 64, "bits": 8}, quick=quick.quick_document(fast, {}), run=fast),
        Setting({"keep": 128, "bits": 8}, quick=quick.quick_document(slow, {}), run=slow),
        Setting({"keep": 999, "bits": 8}, error="entry.py, in optimize: ValueError: keep must be at most 384"),
    ]
    return Sweep("digits_mlp", "entry.py", settings, RULES, again="tito olympics benchmark --entry entry.py")


VERIFIED = [
    verification(declaration=declared(), level="T2", agreements=[SPEED]),
    verification(source="class/bob", outcome="DNF", reason="entry.py, in optimize: did not finish: 300 s"),
]
VIEWS: dict[str, Callable[[int], list[RenderableType]]] = {
    "benchmark": lambda width: [runs.result(known_run(), "latency_sprint")],
    "benchmark-busy": lambda width: [runs.result(busy_run(), "all_around")],
    "benchmark-worse": lambda width: [runs.result(slow_run(), "extreme_push")],
    "benchmark-plot": lambda width: [drawn.forest(known_run(), RULES, width), "", drawn.block_plot(known_run())],
    "benchmark-quick": lambda width: [quick.quick_table(quick.quick_document(make_run(), {"keep": 64}))],
    "so-far": lambda width: [bars.so_far_words(_so_far())],
    "score": lambda width: score_screen(known_run()),
    "profile": lambda width: [profile.profile_table(profiled())],
    "tasks": lambda width: [profile.tasks_table(cards())],
    "doctor": lambda width: [doctor.doctor_table("fashion_mlp", diagnosed(*EXCESSES), 3, RULES)],
    "verify": lambda width: [verified.table_of(VERIFIED, RULES)],
    "verify-self-test": lambda width: [verified.self_test_table(self_test("A"), self_test("C"))],
    "sweep": lambda width: [sweep.sweep_view(swept(), width)],
}  # fmt: skip


def _so_far() -> Any:
    from tinytorch.benchmarking.provisional import SoFar

    return SoFar(3, 10, 16.2, Interval(14.1, 18.0))


COMMANDS: dict[str, Sequence[str]] = {
    "help": ["--help"],
    "rules": ["rules"],
    "explain": ["explain"],
    "explain-word": ["explain", "quiet"],
    "explain-check": ["explain", "TO-E01"],
    "techniques": ["techniques"],
    "techniques-name": ["techniques", "low rank, INT8, compiled"],
    "leaderboard": ["leaderboard", "--example"],
    "grade": ["grade", "--example"],
    "validate": ["validate", "good.json"],
    "validate-invalid": ["validate", "bad.json"],
    "validate-several": ["validate", "good.json", "bad.json"],
    "compare": ["compare", "first.json", "second.json"],
    "status": ["status"],
    "cheats": ["cheats"],
    "logo": ["logo"],
    "module-list": ["module", "list"],
    "milestone-list": ["milestone", "list"],
    "slip": ["bencmark"],
    "error": ["benchmark", "--entry", "entyr.py"],
}


@contextlib.contextmanager
def prepared() -> Iterator[Path]:
    """A folder with what the commands read."""
    with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ, {"TITO_CACHE": f"{name}/cache"}):
        folder = Path(name)
        good = submission_from_run(make_run(), event="all_around", athlete_name="Ada", github_repo=REPOSITORY)
        (folder / "good.json").write_text(json.dumps(good))
        (folder / "bad.json").write_text(json.dumps(changed(good, _spoiled)))
        first, second = known_run(), known_run(typical_ns=160_000)
        (folder / "first.json").write_text(RunFile.text(first))
        (folder / "second.json").write_text(RunFile.text(second.model_copy(update={"id": f"{first.id[:-1]}e"})))
        history = folder / ".tito" / "olympics" / "history.json"
        history.parent.mkdir(parents=True)
        handed = SubmissionLine(created_at="2026-03-02T12:01:00Z", id="0" * 16, event="all_around", run=line(1, 1.9).id,
                                file="-", trust="T1", sha256=None)  # fmt: skip
        history.write_bytes(unparse([line(1, 1.9), handed, line(2, 2.2)]))
        yield folder


def _spoiled(document: dict[str, Any]) -> None:
    document["declaration"]["event"] = "accuracy_contest"
    document["declaration"]["athlete"]["name"] = " "
    document["run"]["optimized"]["metrics"]["accuracy"]["mean"] = 0.99


def screens() -> Iterator[tuple[str, int, str]]:
    """Each screen by its name and width."""
    with prepared() as folder:
        for width in WIDTHS:
            for name, view in VIEWS.items():
                yield name, width, text_of(view(width), width)
            for name, arguments in COMMANDS.items():
                yield name, width, said_by(arguments, width, folder)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, width, text in screens():
        (FOLDER / f"{name}-{width}.txt").write_text(text, "utf-8")
    sys.stdout.write(f"written to {FOLDER}\n")
