"""`tito olympics benchmark`: measure a model against the baseline and record the run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tito.olympics.options import Event, Json, Seed, Workspace

if TYPE_CHECKING:
    from tinytorch.competition.run import Run
    from tito.workspace import Workspace as WorkspaceFiles

CACHE_VARIABLE = "TITO_CACHE"  # where trained baselines are kept, instead of the user's cache directory


def benchmark(
    task: Annotated[str | None, typer.Option("--task", help="What is to be solved (default: digits_mlp).")] = None,
    event: Event = None,
    entry: Annotated[Path | None, typer.Option("--entry", help="A Python file with optimize(model, data).")] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", help="A reference strategy instead.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="About 3 s of measuring instead of 8.")] = False,
    rigorous: Annotated[bool, typer.Option("--rigorous", help="About 40 s of measuring.")] = False,
    time_limit: Annotated[float, typer.Option("--time-limit", min=1, help="Seconds for optimize.")] = 300.0,
    seed: Seed = 0,
    json_: Json = False,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Write the run to a file; - is stdout.")] = None,
    workspace: Workspace = None,
) -> None:
    """Measure a model against the baseline: latency, memory and accuracy, with their uncertainty.

    With neither --entry nor --strategy the event's reference strategy is measured (default: all_around).
    """
    from tito import screen
    from tito import workspace as files

    if output not in (None, "-"):
        files.check_writable(Path(str(output)))
    place = files.Workspace(workspace)
    run = measure(place, task, event, entry, strategy, fast, rigorous, time_limit, seed)
    document = run.model_dump_json()
    digest = screen.put(document, output) if json_ or output else None
    if json_ and digest:
        screen.put(_receipt(run, str(output), digest), None)
    if not json_ and output != "-":
        from tito import render

        screen.show(render.benchmark_table(run))
        screen.say("next: tito olympics submit --event " + (event or "all_around"))


def measure(
    place: WorkspaceFiles,
    task: str | None = None,
    event: str | None = None,
    entry: Path | None = None,
    strategy: str | None = None,
    fast: bool = False,
    rigorous: bool = False,
    time_limit: float = 300.0,
    seed: int = 0,
) -> Run:
    """Check the call, measure under the workspace's lock, and record the run."""
    from tinytorch.benchmarking.schedule import TIERS
    from tinytorch.benchmarking.session import Settings
    from tinytorch.competition.events import parse_event
    from tinytorch.errors import UsageError
    from tinytorch.harness.contender import Challenge, Contender
    from tinytorch.harness.run import run_competition
    from tinytorch.workloads.registry import DEFAULT_TASK, find_task
    from tinytorch.workloads.strategies import DEFAULT_STRATEGY
    from tito import screen

    if entry and strategy:
        raise UsageError("--entry and --strategy exclude each other", mend="give one of them")
    if fast and rigorous:
        raise UsageError("--fast and --rigorous exclude each other", mend="give one of them")
    chosen = find_task(task or DEFAULT_TASK)
    wanted = parse_event(event).value if event else DEFAULT_STRATEGY
    contender = Contender.entry(entry) if entry else Contender.strategy(strategy or wanted)
    tier = TIERS["fast" if fast else "rigorous" if rigorous else "default"]
    cache = os.environ.get(CACHE_VARIABLE)
    challenge = Challenge(chosen, contender, Settings(tier, seed), time_limit, Path(cache) if cache else None)
    with place.measuring(), screen.progress() as progress:
        run = run_competition(challenge, progress, lambda text: screen.say(f"warning: {text}"))
        place.record_run(run, summary(run))
    return run


def summary(run: Run) -> dict[str, object]:
    """What the history says of a run, so that `status` need not open it."""
    from tinytorch.competition.scores import compute_scores

    scores = compute_scores(run.baseline.metrics, run.optimized.metrics)
    return {"task": run.task.name, "source": run.source.name, "scores": scores.model_dump()}


def _receipt(run: Run, output: str, digest: str) -> str:
    import json

    return json.dumps({"run": run.id, "file": output, "sha256": digest}, indent=2)
