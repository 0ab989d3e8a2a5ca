"""`tito olympics benchmark`: measure a model against the baseline and record the run."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.events import parse_event
from tinytorch.competition.run import Run
from tinytorch.competition.scores import compute_scores
from tinytorch.errors import UsageError
from tinytorch.harness.contender import BUILD_LIMIT_S, Challenge, Contender
from tinytorch.harness.run import Observer, run_competition
from tinytorch.workloads.registry import DEFAULT_TASK, find_task
from tinytorch.workloads.strategies import DEFAULT_STRATEGY
from tito import bars, render, screen, workspace
from tito.olympics.options import Event, Json, Seed, WorkspaceFolder


class TierName(StrEnum):
    """How much measuring a run may cost."""

    FAST = "fast"
    DEFAULT = "default"
    RIGOROUS = "rigorous"


CACHE_VARIABLE = "TITO_CACHE"  # where trained baselines are kept, instead of the user's cache directory


def benchmark(
    task: Annotated[str, typer.Option("--task", help="What is to be solved.")] = DEFAULT_TASK,
    event: Event = None,
    entry: Annotated[Path | None, typer.Option("--entry", help="A Python file with optimize(model, data).")] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", help="A reference strategy instead.")] = None,
    tier: Annotated[
        TierName, typer.Option("--tier", help="About 4 s, 8 s, or 3 minutes (6 sessions) of measuring.")
    ] = TierName.DEFAULT,
    time_limit: Annotated[float, typer.Option("--time-limit", min=1, help="Seconds for optimize.")] = BUILD_LIMIT_S,
    seed: Seed = 0,
    json_: Json = False,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Write the run to a file; - is stdout.")] = None,
    folder: WorkspaceFolder = None,
) -> None:
    """Measure a model against the baseline: latency, memory and accuracy, with their uncertainty.

    With neither --entry nor --strategy the event's reference strategy is measured (default: all_around).
    """
    if output not in (None, "-"):
        workspace.check_writable(Path(str(output)))
    settings = Settings(TIERS[tier], seed)
    challenge = Challenge(find_task(task), _contender(event, entry, strategy), settings, time_limit, _cache())
    run = measure(workspace.Workspace(folder), challenge)
    _show(run, json_, output, event)


def reference(event: str) -> Challenge:
    """The challenge of an event's reference strategy at the default task."""
    settings = Settings(TIERS["default"])
    return Challenge(find_task(DEFAULT_TASK), Contender.strategy(event), settings, cache_directory=_cache())


def measure(place: workspace.Workspace, challenge: Challenge) -> Run:
    """Measure under the workspace's lock, and record the run with what its processes printed, or that it failed."""
    printed: list[str] = []

    def keep(where: str, text: str) -> None:
        printed.extend([f"--- {where} ---", text.rstrip()] if text.strip() else [])

    with place.measuring(), bars.progress() as progress, place.noting_failure(challenge.contender.name):
        run = run_competition(challenge, Observer(progress, screen.say, keep))
        log = place.record_run(run, summary(run), "\n".join(printed))
    if log:
        screen.say(f"what was printed meanwhile: {log}")
    return run


def summary(run: Run) -> dict[str, object]:
    """What the history says of a run, so that `status` need not open it."""
    scores = compute_scores(run.baseline.metrics, run.optimized.metrics)
    return {"task": run.task.name, "source": run.source.name, "scores": scores.model_dump()}


def _contender(event: str | None, entry: Path | None, strategy: str | None) -> Contender:
    """Who is meant: an entry, a named strategy, or the event's own."""
    if entry and strategy:
        raise UsageError("--entry and --strategy exclude each other", mend="give one of them")
    wanted = parse_event(event).value if event else DEFAULT_STRATEGY
    return Contender.entry(entry) if entry else Contender.strategy(strategy or wanted)


def _cache() -> Path | None:
    folder = os.environ.get(CACHE_VARIABLE)
    return Path(folder) if folder else None


def _show(run: Run, json_: bool, output: str | None, event: str | None) -> None:
    """The run as a document where one was asked for, else as a table."""
    digest = screen.put(run.model_dump_json(), output) if json_ or output else None
    if json_ and digest:
        screen.put_json({"run": run.id, "file": str(output), "sha256": digest})
    if not json_ and output != "-":
        screen.show(render.benchmark_table(run))
        screen.say("next: tito olympics submit --event " + (event or DEFAULT_STRATEGY))
