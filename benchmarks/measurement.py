"""How trustworthy the measuring is: false alarms, coverage, spread and power, quiet and beside a busy process.

    python benchmarks/measurement.py run [--minutes 60] [--peer-python torch=PATH ...]   # goes on where it stopped
    python benchmarks/measurement.py report                                             # the tables, as Markdown

Every comparison is one line of `measurements.jsonl`, in turns over all conditions, so that each sees the same drift of
the machine. Peers are measured by `measurement_peers.py` under an interpreter of their own environment.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from contenders import PAIRS

from tinytorch.benchmarking import Benchmark
from tinytorch.benchmarking.statistics import wilson_interval
from tinytorch.lock import Lock

HERE = Path(__file__).parent
RECORD = HERE / "measurements.jsonl"
PEERS = ("naive", "pyperf", "torch", "pytest-benchmark")
OURS = "torch olympics"


@dataclass(frozen=True)
class Condition:
    """What is compared how; `difference` is "none" (A/A) or "3 %"."""

    tool: str
    tier: str
    model: str
    difference: str
    load: str


@dataclass(frozen=True)
class Found:
    """One comparison: its reported ratio (time of the second / time of the first) with its interval."""

    condition: Condition
    seed: int
    at: str
    ratio: float
    lower: float
    upper: float
    seconds: float
    doubts: list[str]


def targets() -> dict[Condition, int]:
    """How many comparisons each condition gets."""
    wanted: dict[Condition, int] = {}
    for load in ("quiet", "busy"):
        for model in ("1 ms class", "5 us class"):
            wanted[Condition(OURS, "fast", model, "none", load)] = 200
            wanted[Condition(OURS, "default", model, "none", load)] = 100
            wanted[Condition(OURS, "default", model, "3 %", load)] = 60
            wanted[Condition(OURS, "rigorous", model, "3 %", load)] = 3
            for peer in PEERS:
                wanted[Condition(peer, "about 8 s", model, "none", load)] = 30
                wanted[Condition(peer, "about 8 s", model, "3 %", load)] = 20
    wanted[Condition(OURS, "default", "64-256-256-10", "none", "quiet")] = 40
    return wanted


@contextlib.contextmanager
def beside(load: str) -> Iterator[None]:
    """The load of a condition: nothing, or one process that computes without end."""
    if load == "quiet":
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def compare(condition: Condition, seed: int, interpreters: dict[str, str]) -> Found:
    """One comparison under its condition."""
    start = time.monotonic()
    with beside(condition.load):
        found = ours(condition, seed) if condition.tool == OURS else peer(condition, interpreters[condition.tool])
    ratio, lower, upper, doubts = found
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return Found(condition, seed, at, ratio, lower, upper, round(time.monotonic() - start, 1), doubts)


def ours(condition: Condition, seed: int) -> tuple[float, float, float, list[str]]:
    """Our own comparison, as a user would make it."""
    pair = PAIRS[condition.model]
    first, second = pair.same() if condition.difference == "none" else pair.slower()
    data = (np.random.default_rng(1).random((100, 64), dtype=np.float32), np.zeros(100, int))
    comparison = Benchmark([first], [data], ["latency"], tier=condition.tier, seed=seed).compare(first, second)
    speedup = comparison.speedup
    if speedup is None or speedup.ci_lower is None or speedup.ci_upper is None:
        raise RuntimeError("the comparison has no interval")
    doubts = [doubt.code for doubt in comparison.baseline.protocol.doubts or []]
    return 1 / speedup.estimate, 1 / speedup.ci_upper, 1 / speedup.ci_lower, doubts


def peer(condition: Condition, interpreter: str) -> tuple[float, float, float, list[str]]:
    """A peer's comparison, in its own environment."""
    command = [interpreter, str(HERE / "measurement_peers.py"), condition.tool, condition.model, condition.difference]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    ratio, lower, upper = json.loads(done.stdout.splitlines()[-1])
    return ratio, lower, upper, []


def read(record: Path) -> list[Found]:
    """Every comparison so far."""
    lines = record.read_text().splitlines() if record.exists() else []
    documents = (json.loads(line) for line in lines)
    return [Found(**{**document, "condition": Condition(**document["condition"])}) for document in documents]


def run(record: Path, minutes: float, interpreters: dict[str, str], lock: Path | None) -> None:
    """Go through the conditions in turns, those furthest behind first, until all is done or the time is up."""
    end = time.monotonic() + 60 * minutes
    wanted = {one: count for one, count in targets().items() if one.tool == OURS or one.tool in interpreters}
    done = dict.fromkeys(wanted, 0)
    for found in read(record):
        if found.condition in done:
            done[found.condition] += 1
    while time.monotonic() < end:
        condition = min(wanted, key=lambda one: done[one] / wanted[one])
        if done[condition] >= wanted[condition]:
            break
        with Lock(Path(lock), math.inf) if lock else contextlib.nullcontext():
            found = compare(condition, 1000 * done[condition], interpreters)
        done[condition] += 1
        with record.open("a") as file:
            file.write(json.dumps(asdict(found)) + "\n")


def report(record: Path) -> None:
    """The tables of docs/measurement.md."""
    everything = read(record)
    grouped: dict[Condition, list[Found]] = {}
    for found in everything:
        grouped.setdefault(found.condition, []).append(found)
    truths = {one: truth(grouped, one) for one in grouped if one.difference != "none"}
    print(f"{len(everything)} comparisons, {everything[0].at} to {everything[-1].at}\n")
    print("| tool | tier | model | load | n | false alarms | 95 % interval | sd of the ratio | seconds each |")
    print("|---|---|---|---|---|---|---|---|---|")
    for condition in (one for one in targets() if one.difference == "none" and one in grouped):
        print(same_row(condition, grouped[condition]))
    print("\n| tool | tier | model | load | true size | n | found | wrong way | interval covers the truth |")
    print("|---|---|---|---|---|---|---|---|---|")
    for condition in (one for one in targets() if one.difference != "none" and one in grouped):
        print(slower_row(condition, grouped[condition], truths[condition]))


def truth(grouped: dict[Condition, list[Found]], condition: Condition) -> float:
    """The size of a real difference: the mean of the long runs of the same model and load (NaN before there is one)."""
    long = Condition(OURS, "rigorous", condition.model, condition.difference, condition.load)
    return fmean(found.ratio for found in grouped[long]) if long in grouped else float("nan")


def same_row(condition: Condition, found: list[Found]) -> str:
    """One condition of A/A: an alarm is an interval without 1 in it."""
    alarms = sum(not one.lower <= 1 <= one.upper for one in found)
    bounds = wilson_interval(alarms, len(found))
    spread = f"{stdev(one.ratio for one in found):.2%}" if len(found) > 1 else ""
    seconds = fmean(one.seconds for one in found)
    cells = (
        condition.tool, condition.tier, condition.model, condition.load, len(found), f"{alarms / len(found):.1%}",
        f"{bounds.lower:.1%} to {bounds.upper:.1%}", spread, f"{seconds:.1f}",
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def slower_row(condition: Condition, found: list[Found], size: float) -> str:
    """One condition with a true difference: found with the right sign, called the wrong way, covered."""
    count = len(found)
    right, wrong = sum(one.lower > 1 for one in found), sum(one.upper < 1 for one in found)
    covered = sum(one.lower <= size <= one.upper for one in found)
    cells = (
        condition.tool, condition.tier, condition.model, condition.load, f"{size - 1:+.2%}", count,
        f"{right / count:.0%}", f"{wrong / count:.0%}", f"{covered / count:.0%}",
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("run", "report"))
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--peer-python", action="append", default=[], metavar="PEER=PATH", help="an interpreter")
    parser.add_argument("--lock", type=Path, help="a file to lock during each comparison, so that other work can wait")
    options = parser.parse_args()
    if options.command == "report":
        report(options.record)
    else:
        interpreters = dict(pair.split("=", 1) for pair in options.peer_python)
        run(options.record, options.minutes, interpreters, options.lock)


if __name__ == "__main__":
    main()
