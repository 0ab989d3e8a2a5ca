"""The clock outside beside the one inside, and beside itself: `tito olympics verify --level t3` ranks by the first.

    python benchmarks/clock.py agree [TASK...]            # each strategy of each task, a session of both clocks
    python benchmarks/clock.py repeat TASK STRATEGY [N]   # so many sessions outside: spread and coverage
    python benchmarks/clock.py same [TASK] [N]            # a baseline against itself
    python benchmarks/clock.py cheat [TASK] [STRATEGY]    # the whole pool in one product, by its size
    python benchmarks/clock.py report                     # what was found so far

Each session is one line of `clock.jsonl`; Ctrl-C loses one, and the next call of `agree` goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from tinytorch.benchmarking.comparison import Comparison, compare_latency
from tinytorch.benchmarking.records.outside import OutsideTimes
from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.outside import speedup_outside, unranked
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.referee.channel import ENTRY, Channel
from tinytorch.harness.referee.outside import Match, on_one_core, time_outside
from tinytorch.harness.referee.referee import hired, match_of
from tinytorch.harness.run import Competed, competed
from tinytorch.workloads.registry import TASKS, find_task
from tinytorch.workloads.strategies import BASELINE

RECORD = Path(__file__).with_name("clock.jsonl")


@dataclass(frozen=True)
class Ready:
    """Both models built, and measured from inside once."""

    done: Competed
    match: Match
    hire: Any

    @property
    def inside(self) -> Comparison:
        """By the recipe of `benchmark`."""
        run = self.done.run
        first, second = run.baseline.metrics.latency, run.optimized.metrics.latency
        if first is None or second is None:
            raise ValueError("a run has times")
        return compare_latency(first, second)


@contextmanager
def ready(task: str, strategy: str) -> Iterator[Ready]:
    """In boxes, as a referee has them."""
    chosen = BASELINE if strategy == BASELINE.name else find_task(task).strategy(strategy)
    settings = Settings.of(TIERS["fast"], None)
    challenge = Challenge(find_task(task), Contender.reference(chosen), settings, isolation="A")
    with competed(challenge) as done:
        yield Ready(done, match_of(challenge.task, done.ready, done.session), hired(challenge, done.ready))


def session(kind: str, task: str, strategy: str, one: Ready) -> None:
    """One of the clock outside, written down."""
    times, rules = time_outside(one.match, one.hire), load_rules()
    found, (first, second) = speedup_outside(times, one.done.run, rules), times.latencies
    run = one.done.run
    told = {
        "kind": kind, "task": task, "strategy": strategy, "inside": one.inside.estimate,
        "outside": found.estimate, "own": _own(times), "shown": [found.ci_lower, found.ci_upper],
        "latency_us": [first.mean_ns / 1e3, second.mean_ns / 1e3],
        "latency_inside_us": [getattr(run, role).metrics.latency.mean_ns / 1e3 for role in ("baseline", "optimized")],
        "asking": times.asking_share, "unranked": unranked(times, rules.refereeing),
        "accuracy": times.optimized.accuracy, "answers": times.optimized.answers,
        "doubts": [doubt.code for doubt in run.protocol.doubts or []],
    }  # fmt: skip
    with RECORD.open("a") as file:
        file.write(json.dumps(told) + "\n")
    print({name: told[name] for name in ("task", "strategy", "inside", "outside", "own", "latency_us")}, flush=True)


def _own(times: OutsideTimes) -> list[float | None]:
    """The session's own interval, without what the rules add from session to session."""
    plain = compare_latency(*times.latencies)
    return [plain.ci_lower, plain.ci_upper]


def agree(tasks: Sequence[str]) -> None:
    """What is not there yet."""
    known = {(line["task"], line["strategy"]) for line in _lines("agree")}
    for task in tasks:
        for strategy in find_task(task).strategies:
            if (task, strategy.name) not in known:
                with ready(task, strategy.name) as one:
                    session("agree", task, strategy.name, one)


def repeat(kind: str, task: str, strategy: str, count: int) -> None:
    """Sessions one after the other, each in processes of its own."""
    with ready(task, strategy) as one:
        for _ in range(count):
            session(kind, task, strategy, one)


def cheat(task: str, strategy: str) -> None:
    """What an input takes when a whole pool is computed in one product and looked up, by the pool's size."""
    with ready(task, strategy) as one, contextlib.ExitStack() as stack:
        group = one.match.group(one.hire, stack)
        for channel in group:
            channel.serve()
        stack.enter_context(on_one_core(group))
        count, model = one.match.counts[1], group[ENTRY]
        honest = _least_us(one.match, model, count, 16 * count) / count
        built = _batch_us(one)
        for times in (1, 4, 16):
            whole = built(times * count) / count
            print(f"{task} {strategy}: {count} inputs of a pool {times} times as large: honest {honest:.2f} us each, "
                  f"the whole pool {whole:.2f} us each, without the look-ups", flush=True)  # fmt: skip


def _least_us(match: Match, channel: Channel, count: int, size: int) -> float:
    inputs = match.make(size, np.random.default_rng()).inputs
    return min(channel.chained(inputs, count, 0, state) for state in range(40)) / 1e3


def _batch_us(one: Ready) -> Any:
    """How long the entry takes for a batch of so many, least of many, in this process."""
    import time

    from tinytorch.core.model import as_call
    from tinytorch.core.tensor import Tensor, no_grad
    from tinytorch.workloads.models import load_model

    call = as_call(load_model(str(one.done.ready.frozen.path("optimized.pickle"))))

    def timed(count: int) -> float:
        batch, took = Tensor(one.match.make(count, np.random.default_rng()).inputs), []
        with no_grad():
            for _ in range(40):
                began = time.perf_counter_ns()
                call(batch)
                took.append(time.perf_counter_ns() - began)
        return min(took) / 1e3

    return timed


def report() -> None:
    """Agreement of the clocks, spread and coverage, with the counts that were reached."""
    for line in _lines("agree"):
        apart = line["outside"] / line["inside"] - 1
        note = f"  ({line['unranked']})" if line["unranked"] else ""
        print(f"{line['task']:12} {line['strategy']:17} {line['latency_us'][1]:9.2f} us  "
              f"inside {line['inside']:8.3f}x  outside {line['outside']:8.3f}x  {apart:+7.1%}{note}")  # fmt: skip
    for kind in ("repeat", "same"):
        groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for line in _lines(kind):
            groups.setdefault((line["task"], line["strategy"]), []).append(line)
        for (task, strategy), lines in groups.items():
            _spread(kind, task, strategy, lines)


def _spread(kind: str, task: str, strategy: str, lines: Sequence[dict[str, Any]]) -> None:
    logs = [math.log(line["outside"]) for line in lines]
    centre = 1.0 if kind == "same" else math.exp(fmean(logs))
    held = {name: sum(line[name][0] <= centre <= line[name][1] for line in lines) for name in ("own", "shown")}
    spread = f"{stdev(logs):.2%}" if len(logs) > 1 else "-"
    print(f"{kind} {task} {strategy}: {len(lines)} sessions, mean {math.exp(fmean(logs)):.4f}x, real sd {spread}, "
          f"own interval holds {centre:.3f} in {held['own']}, the shown one in {held['shown']}")  # fmt: skip


def _lines(kind: str) -> list[dict[str, Any]]:
    lines = map(json.loads, RECORD.read_text().splitlines()) if RECORD.exists() else []
    return [line for line in lines if line["kind"] == kind]


def main() -> None:
    """Run one of the experiments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["agree", "repeat", "same", "cheat", "report"])
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    names, count = (
        [each for each in asked.names if not each.isdigit()],
        [int(each) for each in asked.names if each.isdigit()],
    )
    match asked.what:
        case "agree":
            agree(names or [*TASKS])
        case "repeat":
            repeat("repeat", names[0], names[1], count[0] if count else 12)
        case "same":
            repeat("same", names[0] if names else "fashion_mlp", BASELINE.name, count[0] if count else 12)
        case "cheat":
            cheat(*(names or ["digits_mlp", "all_around"]))
        case "report":
            report()


if __name__ == "__main__":
    main()
