"""What a busy machine does to speedups: sessions of known pairs and looks at baselines, calm and beside neighbours.

    python benchmarks/neighbours.py run [ROUNDS]    # goes on where it stopped; Ctrl-C loses one session at most
    python benchmarks/neighbours.py looks [ROUNDS]  # the baselines of the tasks, for the floors of the rules
    python benchmarks/neighbours.py cost            # how much longer a visit takes with the yardstick, in turns
    python benchmarks/neighbours.py report          # the tables of docs/measurement.md

A round has each pair in each condition once, in shuffled order: as the machine is, beside a process that streams
memory, and beside one that computes. A session takes half a minute, a round three minutes. Every session is one line of
`neighbours.jsonl`, with what the shipped rule needs; the rule itself is the one that runs here.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import math
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import combinations
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from contenders import network
from threadpoolctl import threadpool_limits

from tinytorch.benchmarking import Benchmark, integrity, measure
from tinytorch.benchmarking.comparison import Disturbance
from tinytorch.benchmarking.placements import Placements, Subjects
from tinytorch.benchmarking.schedule import TIERS, Schedule, make_schedule, turns
from tinytorch.benchmarking.statistics import Interval, mean_estimate, welch_p_values, widened_interval
from tinytorch.competition.record.run import Measurement, TaskRecord
from tinytorch.competition.rules.events import Floor, load_rules
from tinytorch.competition.scoring.disturbance import Best, QuietTimes, quiet_times
from tinytorch.harness.looks import looker
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import apply
from tinytorch.workloads.task import baseline_of

RECORD = Path(__file__).with_name("neighbours.jsonl")
PROGRAMS = {
    "as it is": "",
    "streams": "array = np.ones(16_000_000, np.float32)\nwhile os.getppid() == parent:\n    array += 1",
    "computes": "a = np.ones((96, 96), np.float32)\nwhile os.getppid() == parent:\n    np.dot(a, a)",
}
VISITS = 100  # of each kind, for the cost
LOOKED_AT = ("fashion_mlp", "fashion_cnn", "digits_mlp", "digits_cnn")
CALMEST = 6  # sessions whose mean is taken for the truth: those with the least times of the baseline
RULES = load_rules()
SPREAD = RULES.significance.session_spread
NO_FLOOR = Floor.model_construct(no_reference=0.0, young_reference=0.0)

Models = tuple[Any, Any, tuple[Any, Any]]  # baseline, optimized, data
Line = dict[str, Any]


def large() -> Models:
    """12.9 MB against 0.9 MB."""
    inputs = np.random.default_rng(1).random((100, 64), dtype=np.float32)
    return network((64, *[1024] * 4, 10), 1), network((64, *[256] * 4, 10), 1), (inputs, np.zeros(100, int))


def default() -> Models:
    """The default task and its reference strategy."""
    task = find_task("fashion_mlp")
    train, test = task.load_data()
    baseline = baseline_of(task)
    optimized = apply(task.strategy("all_around").steps, baseline_of(task), train)
    return baseline, optimized, (test.inputs, test.labels)


PAIRS: dict[str, Callable[[], Models]] = {"12.9 MB against 0.9 MB": large, "fashion_mlp, all_around": default}


@contextlib.contextmanager
def beside(condition: str) -> Iterator[None]:
    """A neighbour, which a benchmark that is killed does not leave behind."""
    if not PROGRAMS[condition]:
        yield
        return
    program = f"import os\nimport numpy as np\nparent = os.getppid()\n{PROGRAMS[condition]}"
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        time.sleep(0.7)
        try:
            yield
        finally:
            process.kill()


def measured(pair: str, models: Models) -> Line | None:
    """One session of a pair, at the default tier; None where its blocks were so few that they tell nothing."""
    baseline, optimized, data = models
    found = Benchmark([baseline], [data], ["latency"], tier="default").compare(baseline, optimized)
    first = found.baseline
    run = Measurement(
        id=None, task=TaskRecord(name=pair, dataset_sha256="0" * 64, test_samples=1), source=None,
        system_info=first.system_info, protocol=first.protocol, baseline=first.model_record,
        optimized=found.optimized.model_record,
    )  # fmt: skip
    quiet = quiet_times(run)
    if quiet is None or found.speedup is None:
        return None
    return {"logs": found.speedup.log_ratios, "basis": found.speedup.basis, "quiet": quiet.model_dump(mode="json")}


def put(line: Line) -> None:
    """One more line of the record."""
    with RECORD.open("a") as file:
        file.write(json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), **line}) + "\n")


def lines(kind: str) -> list[Line]:
    """What was recorded so far."""
    every = [json.loads(line) for line in RECORD.read_text().splitlines()] if RECORD.exists() else []
    return [line for line in every if line["kind"] == kind]


def run(rounds: int) -> None:
    """What is missing of the rounds."""
    made = {name: make() for name, make in PAIRS.items()}
    done = [(line["pair"], line["condition"]) for line in lines("session")]
    for number in range(rounds):
        turns = [(pair, condition) for pair in PAIRS for condition in PROGRAMS]
        for pair, condition in random.sample(turns, len(turns)):
            if done.count((pair, condition)) <= number:
                with beside(condition):
                    line = measured(pair, made[pair])
                put({"kind": "session" if line else "failed", "pair": pair, "condition": condition, **(line or {})})
                done.append((pair, condition))


def looks(rounds: int) -> None:
    """Looks at the baselines of the tasks."""
    for _ in range(rounds):
        turns = [(task, condition) for task in LOOKED_AT for condition in PROGRAMS]
        for task, condition in random.sample(turns, len(turns)):
            with looker(find_task(task)) as each, beside(condition):
                quiet = each.look().quiet
            put({"kind": "look", "pair": task, "condition": condition, "quiet": quiet.model_dump(mode="json")})


def cost() -> None:
    """Visits with and without the yardstick in turns, in this process: the share that it takes of a visit."""
    every = turns

    def without(plan: Schedule, generator: random.Random) -> Iterator[tuple[int, tuple[int, ...]]]:
        for placement, order in every(plan, generator):
            yield placement, tuple(model for model in order if model < plan.models)

    small = network((64, 16, 10), 1)
    for name, (baseline, optimized, data) in {
        **{name: make() for name, make in PAIRS.items()},
        "two networks of 10 us": (small, small, (np.zeros((100, 64), np.float32), np.zeros(100, int))),
    }.items():
        builders = (partial(copy.deepcopy, baseline), partial(copy.deepcopy, optimized))
        here = Placements(Subjects(builders, data[0], as_tensor=False), 2, 1, integrity.snapshot())
        plan = make_schedule(TIERS["default"], here.probe(), (1, 1))
        spent_ns: dict[str, list[int]] = {"with": [], "without": []}
        with threadpool_limits(1, user_api="blas"):
            for visit in range(2 * VISITS):
                is_with = visit % 4 in (0, 3)  # neither kind is always the first of a pair
                setattr(measure, "turns", every if is_with else without)  # noqa: B010 - it is no public name
                start = time.perf_counter_ns()
                here.visit(plan, visit // 2)
                spent_ns["with" if is_with else "without"].append(time.perf_counter_ns() - start)
        setattr(measure, "turns", every)  # noqa: B010
        more = np.median([one / two - 1 for one, two in zip(spent_ns["with"], spent_ns["without"], strict=True)])
        print(f"{name}: a visit takes {more:+.1%} with the yardstick, the median of {VISITS} pairs of visits")


def best(others: Sequence[QuietTimes]) -> Best:
    """The least of other sessions."""
    return Best(min(each.baseline[0] for each in others), min(each.yardstick[0] for each in others))


def moved(quiet: QuietTimes, least: Best) -> Disturbance:
    """By the shipped rule, where these are times of hours enough: without a floor."""
    if RULES.disturbance is None:
        raise RuntimeError("the shipped rules have a disturbance")
    return quiet.moved(RULES.disturbance.model_copy(update={"floors": {}, "other_tasks": NO_FLOOR}), least)


def intervals(line: Line, least: Best) -> dict[str, Interval]:
    """By each rule: ln of the speedup."""
    estimate, machine = mean_estimate(line["logs"]), moved(QuietTimes(**line["quiet"]), least)
    wide = {
        "the session alone": widened_interval(estimate, 0.0),
        "+ session_spread": widened_interval(estimate, SPREAD),
        "+ disturbance": widened_interval(estimate, SPREAD, down=machine.down, up=machine.up),
    }
    return {rule: interval for rule, interval in wide.items() if interval is not None}


def report() -> None:
    """Tables as Markdown."""
    for pair in PAIRS:
        found = [line for line in lines("session") if line["pair"] == pair and line["basis"] == "quiet"]
        others = sum(line["pair"] == pair for line in (*lines("session"), *lines("failed"))) - len(found)
        if len(found) > CALMEST:
            report_pair(pair, found)
            print(f"\nleft out: {others} sessions by typical times, or with too few blocks")
    print("\n| baseline | looks | condition | excess of the baseline: median, most | of the yardstick | down: most |")
    print("|---|---|---|---|---|---|")
    for task in LOOKED_AT:
        report_looks(task, [line for line in lines("look") if line["pair"] == task])


def report_pair(pair: str, found: list[Line]) -> None:
    """Cover of the calm mean by condition, and how often two sessions of the one pair are told apart."""
    quiet = [QuietTimes(**line["quiet"]) for line in found]
    order = sorted(range(len(found)), key=lambda number: quiet[number].baseline[0])
    truth = fmean(fmean(found[number]["logs"]) for number in order[:CALMEST])
    by_rule = [intervals(line, _others(quiet, number)) for number, line in enumerate(found)]
    print(f"\n{pair}: {len(found)} sessions, {found[0]['at']} to {found[-1]['at']}, calm {math.exp(truth):.4g}x\n")
    print(f"| beside | sessions | bias | real sd | {' | '.join(by_rule[0])} |\n{'|---' * (4 + len(by_rule[0]))}|")
    for condition in PROGRAMS:
        chosen = [number for number, line in enumerate(found) if line["condition"] == condition]
        errors = [fmean(found[number]["logs"]) - truth for number in chosen]
        cells = [_cover([by_rule[number][rule] for number in chosen], truth) for rule in by_rule[0]]
        print(f"| {condition} | {len(chosen)} | {fmean(errors):+.1%} | {stdev(errors):.1%} | {' | '.join(cells)} |")
    report_apart(found, quiet)


def _others(quiet: Sequence[QuietTimes], number: int) -> Best:
    return best([each for other, each in enumerate(quiet) if other != number])


def _cover(found: Sequence[Interval], truth: float) -> str:
    held = sum(each.lower <= truth <= each.upper for each in found)
    return f"{held} of {len(found)} ({fmean(each.upper - each.lower for each in found):.1%})"


def report_apart(found: list[Line], quiet: Sequence[QuietTimes]) -> None:
    """Pairs of sessions, which are all of one model, by Welch's test with the spread of both."""
    estimates = [mean_estimate(line["logs"]) for line in found]
    machines = [moved(each, _others(quiet, number)) for number, each in enumerate(quiet)]
    apart = {"without": 0, "with": 0}
    for one, two in combinations(range(len(found)), 2):
        if estimates[one].mean < estimates[two].mean:
            one, two = two, one
        lead = estimates[one].mean - estimates[two].mean
        errors = [((estimates[each].standard_error or 0) ** 2, estimates[each].units - 1) for each in (one, two)]
        left = max(0.0, lead - machines[one].down - machines[two].up)
        for word, each in (("without", lead), ("with", left)):
            apart[word] += bool(welch_p_values(each, errors, 2 * SPREAD**2) < 0.05)
    total = math.comb(len(found), 2)
    print(f"\ntold apart, of pairs of sessions: {apart['without'] / total:.1%} without the disturbance, "
          f"{apart['with'] / total:.1%} with it")  # fmt: skip


def report_looks(task: str, found: list[Line]) -> None:
    """How far a baseline and the yardstick lay above the least of all looks at this task."""
    if not found:
        return
    quiet = [QuietTimes(**line["quiet"]) for line in found]
    pairs = [each.excesses(best(quiet))[0] for each in quiet]
    for condition in PROGRAMS:
        chosen = [pair for pair, line in zip(pairs, found, strict=True) if line["condition"] == condition]
        x, y = ([pair[one] for pair in chosen] for one in (0, 1))
        down = max(max(0.0, one - two) for one, two in chosen)
        print(f"| {task} | {len(chosen)} | {condition} | {np.median(x):.1%}, {max(x):.1%} | "
              f"{np.median(y):.1%}, {max(y):.1%} | {down:.1%} |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("run", "looks", "cost", "report"))
    parser.add_argument("rounds", nargs="?", type=int, default=12)
    options = parser.parse_args()
    if options.command in ("run", "looks"):
        {"run": run, "looks": looks}[options.command](options.rounds)
    else:
        {"cost": cost, "report": report}[options.command]()


if __name__ == "__main__":
    main()
