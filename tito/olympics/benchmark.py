"""`tito olympics benchmark`: measure a model against the baseline and record the run."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tinytorch.competition.names import Expectation, parse_event
from tinytorch.errors import UsageError
from tinytorch.harness.contender import BUILD_LIMIT_S
from tinytorch.workloads.registry import DEFAULT_TASK
from tinytorch.workloads.strategies import DEFAULT_STRATEGY
from tito.exit_codes import ExitCode
from tito.options import (
    USUAL_WAIT,
    Assigned,
    Entry,
    Event,
    Force,
    Json,
    MemoryLimit,
    Output,
    RulesFile,
    Seed,
    Strategy,
    Task,
    TimeLimit,
    WorkspaceFolder,
    options_of,
    task_option,
)
from tito.terminal import screen
from tito.workspace.documents import Destination
from tito.workspace.workspace import Workspace

if TYPE_CHECKING:
    from tinytorch.competition.record.run import Run
    from tinytorch.competition.rules.events import Rules


TIER_TIMES = "From Enter to the result about 25 s, 35 s, or 3 minutes, and what optimize takes longer than ours."


class TierName(StrEnum):
    """How much measuring a run may cost."""

    FAST = "fast"
    DEFAULT = "default"
    RIGOROUS = "rigorous"


def benchmark(
    task: Task = DEFAULT_TASK,
    event: Event = None,
    entry: Entry = None,
    strategy: Strategy = None,
    tier: Annotated[TierName, typer.Option("--tier", help=TIER_TIMES)] = TierName.DEFAULT,
    time_limit: TimeLimit = BUILD_LIMIT_S,
    memory_limit: MemoryLimit = None,
    seed: Seed = None,
    expect: Annotated[
        Expectation | None,
        typer.Option(
            "--expect",
            help="Exit 1 for the opposite, 5 for neither: of the score that --event ranks by, or of counted work.",
        ),
    ] = None,
    wait_quiet: Annotated[
        float | None,
        typer.Option(
            "--wait-quiet",
            min=0,
            max=600,
            metavar="[MINUTES]",
            help=f"First wait until the baseline shows a quiet machine (at most {USUAL_WAIT} minutes).",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Accuracy, memory and counted work alone, in seconds; this is no run.")
    ] = False,
    set_: Assigned = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw how the block pairs' ratios are spread.")] = False,
    rules: RulesFile = None,
    json_: Json = False,
    output: Output = None,
    force: Force = False,
    folder: WorkspaceFolder = None,
) -> None:
    """Measure a model against the baseline: latency, memory and accuracy, with their uncertainty.

    With neither --entry nor --strategy the event's reference strategy is measured (default: all_around).
    """
    from tinytorch.competition.rules.events import read_rules

    judged_by = read_rules(rules)
    chosen = parse_event(event, judged_by.events) if event else None
    if quick or set_:
        _refuse_beside_quick(
            quick,
            {
                f"--expect {expect}": expect and expect is not Expectation.NO_MORE_WORK,
                "--plot": plot,
                "--output": output,
                "--wait-quiet": wait_quiet,
            },
        )
        from tito.olympics.quick import look

        look(task, chosen, entry, strategy, set_ or [], seed, time_limit, memory_limit, expect, json_, folder)
        return
    target = Destination(output, "run", force)
    target.replaced()
    from tito.olympics import measuring

    who = measuring.contender(task, chosen, entry, strategy)
    asked = measuring.challenge(who, task, tier, seed, time_limit, memory_limit)
    if wait_quiet is not None:
        measuring.wait_for_quiet(asked, wait_quiet)
    run = measuring.measure(Workspace(folder), asked)
    with screen.done_before(f"run {run.id} is recorded"):
        _show(run, json_, target, chosen, plot, judged_by, options_of(rules))
        if expect:
            raise typer.Exit(_expected(run, chosen or DEFAULT_STRATEGY, expect, judged_by))


def _refuse_beside_quick(quick: bool, beside: dict[str, object]) -> None:
    """UsageError for what a look without times cannot do."""
    if not quick:
        mend = "write the values as the defaults of optimize, and measure that; or look at them with --quick"
        raise UsageError("--set goes with --quick: a run is of an entry as it is written", mend=mend)
    asked = [option for option, value in beside.items() if value]
    if asked:
        raise UsageError(f"--quick takes no time, and so no {', '.join(asked)}", mend="leave one of them out")


def _expected(run: Run, event: str, expect: Expectation, rules: Rules) -> ExitCode:
    """Say whether the run shows what was expected, and the exit code for it."""
    from tinytorch.competition.scoring.expectation import answer
    from tito.olympics.expecting import told

    return told(expect, *answer(run, event, expect, rules))


def _show(
    run: Run, json_: bool, target: Destination, event: str | None, plot: bool, rules: Rules, options: str
) -> None:
    """The run as a document where one was asked for, else as a table."""
    from tinytorch.competition.record.run import RunFile

    is_asked = target.name is not None
    digest = target.write(RunFile.text(run)) if json_ or is_asked else None
    if json_ and digest:
        screen.put_json({"run": run.id, "file": target.name, "sha256": digest})
    if not json_ and not (is_asked and target.is_stdout):
        from tito.olympics.foreseen import warn_of_event, warn_of_kinds
        from tito.views import drawn as draw
        from tito.views import runs as render

        screen.show(render.result(run, event or DEFAULT_STRATEGY, rules))
        if plot:
            screen.show(draw.forest(run, rules, screen.columns()))
            screen.show(draw.block_plot(run))
        warn_of_kinds(run, rules)
        if event:
            warn_of_event(run, event, rules)
        submit = f"tito olympics submit --event {event or DEFAULT_STRATEGY}{options}"
        if run.source.kind == "strategy":
            screen.say(f"next: tito olympics init{task_option(run.task.name)} (an entry of your own)")
            screen.say(f"or:   {submit}")
        else:
            screen.say(f"next: {submit}")
