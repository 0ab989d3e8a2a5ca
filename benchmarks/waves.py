"""Whether measuring may stop when it is settled: processes in waves of 4, 6 and 8, looked at after each wave.

    python benchmarks/waves.py simulate                  # Student's t at three looks, with and without drift
    python benchmarks/waves.py run [--minutes 20]        # on this machine, goes on where it stopped
    python benchmarks/waves.py report                    # what it found, as Markdown

A look's level is Pocock's for three equal looks (Biometrika 64, 1977), at which their union keeps 5 % where errors are
normal. In each turn one session has its eight processes at once, and another the same eight in waves, each of which is
begun when the one before has ended: what is timed of a process is the same, when is not.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from contenders import PAIRS
from scipy.special import stdtrit

from tinytorch.benchmarking import Benchmark
from tinytorch.benchmarking.schedule import TIERS, Tier
from tinytorch.benchmarking.statistics import ALPHA, wilson_interval

RECORD = Path(__file__).with_name("waves.jsonl")
LOOKS, POCOCK = (4, 6, 8), 0.0219
BUDGET_OF_PROCESS_NS = TIERS["default"].budget_ns // TIERS["default"].processes
MODELS = ("5 us class", "1 ms class")
DIFFERENCES = ("none", "3 %")
DRIFTS = (0.0, 0.5, 1.0)  # of a wave, in standard deviations of a process
EFFECTS = (0.0, 1.0, 2.0, 4.0)
WORLDS = 100_000


def interval(ratios: Sequence[float], alpha: float) -> tuple[float, float]:
    """Student's t interval of the mean."""
    count, mean = len(ratios), fmean(ratios)
    half = -float(stdtrit(count - 1, alpha / 2)) * float(np.std(ratios, ddof=1)) / math.sqrt(count)
    return mean - half, mean + half


def stopped(ratios: Sequence[float]) -> tuple[int, tuple[float, float]]:
    """At how many processes the looks end, and the interval that is shown then."""
    for count in LOOKS:
        shown = interval(ratios[:count], POCOCK)
        if not shown[0] <= 0 <= shown[1]:
            break
    return count, shown


def simulate() -> None:
    """Log ratios of processes: an effect, what a wave has in common, and what each process has of its own."""
    generator, parts = np.random.default_rng(1), np.diff([0, *LOOKS])
    print("| drift of a wave | effect | all at once: not 0 | in waves: not 0 | covers the truth | processes |")
    print("|---|---|---|---|---|---|")
    for drift in DRIFTS:
        for effect in EFFECTS:
            shared = np.repeat(generator.normal(0, drift, (WORLDS, len(LOOKS))), parts, axis=1)
            ratios = effect + shared + generator.normal(0, 1, (WORLDS, LOOKS[-1]))
            means = np.stack([ratios[:, :count].mean(1) for count in LOOKS])
            errors = np.stack([ratios[:, :count].std(1, ddof=1) / math.sqrt(count) for count in LOOKS])
            halves = errors * np.array([[-stdtrit(count - 1, POCOCK / 2)] for count in LOOKS])
            found = np.abs(means) > halves
            look = np.where(found.any(0), found.argmax(0), len(LOOKS) - 1)
            covered = np.abs(np.take_along_axis(means - effect, look[None], 0)) <= np.take_along_axis(
                halves, look[None], 0
            )
            whole = np.abs(means[-1]) > errors[-1] * -stdtrit(LOOKS[-1] - 1, ALPHA / 2)
            print(f"| {drift:g} | {effect:g} | {whole.mean():.1%} | {found.any(0).mean():.1%} | {covered.mean():.1%} "
                  f"| {np.array(LOOKS)[look].mean():.2f} |")  # fmt: skip


def log_ratios(model: str, difference: str, processes: int, seed: int) -> list[float]:
    """Of one session with so many processes, each of which has the time that one of the default tier has."""
    first, second = PAIRS[model].same() if difference == "none" else PAIRS[model].slower()
    data = (np.random.default_rng(1).random((100, 64), dtype=np.float32), np.zeros(100, int))
    tier = Tier("waves", BUDGET_OF_PROCESS_NS * processes, processes)
    speedup = Benchmark([first], [data], ["latency"], tier=tier, seed=seed).compare(first, second).speedup
    if speedup is None or speedup.log_ratios is None:
        raise RuntimeError("the comparison has no units")
    return speedup.log_ratios


def run(minutes: float) -> None:
    """In turns over all conditions: a session at once and one in waves, whichever comes first by the turn."""
    end, number = time.monotonic() + 60 * minutes, len(read())
    while time.monotonic() < end:
        model, difference = MODELS[number % 2], DIFFERENCES[number // 2 % 2]
        found: dict[str, object] = {"model": model, "difference": difference}
        for kind in sorted(("at once", "waves"), reverse=number // 4 % 2 == 1):
            parts = [LOOKS[-1]] if kind == "at once" else np.diff([0, *LOOKS]).tolist()
            seeds = [10_000 * number + 100 * part for part in range(len(parts))]
            sessions = (log_ratios(model, difference, *each) for each in zip(parts, seeds, strict=True))
            found[kind] = [ratio for session in sessions for ratio in session]
        with RECORD.open("a") as file:
            file.write(json.dumps(found) + "\n")
        number += 1


def read() -> list[dict[str, Any]]:
    """Every turn so far."""
    return [json.loads(line) for line in RECORD.read_text().splitlines()] if RECORD.exists() else []


def report() -> None:
    """False alarms, coverage of the size that all sessions at once have together, and processes."""
    turns = read()
    print(f"{len(turns)} turns\n")
    print("| model | true size | n | at once: not 0 | covers | in waves: not 0 | covers | processes | wave's share |")
    print("|---|---|---|---|---|---|---|---|---|")
    for model in MODELS:
        for difference in DIFFERENCES:
            chosen = [turn for turn in turns if (turn["model"], turn["difference"]) == (model, difference)]
            if not chosen:
                continue
            once, waves = ([turn[kind] for turn in chosen] for kind in ("at once", "waves"))
            truth = 0.0 if difference == "none" else fmean(map(fmean, once))
            ended = [stopped(ratios) for ratios in waves]
            cells = (
                model, f"{math.expm1(-truth):+.2%}", len(chosen), share([interval(each, ALPHA) for each in once], 0.0),
                share([interval(each, ALPHA) for each in once], truth, inside=True),
                share([shown for _, shown in ended], 0.0), share([shown for _, shown in ended], truth, inside=True),
                f"{fmean(count for count, _ in ended):.1f}", f"{wave_share(waves):.0%}",
            )  # fmt: skip
            print("| " + " | ".join(map(str, cells)) + " |")


def share(intervals: Sequence[tuple[float, float]], value: float, inside: bool = False) -> str:
    """How many have the value in them, or not, with what chance allows."""
    count = sum((lower <= value <= upper) == inside for lower, upper in intervals)
    bounds = wilson_interval(count, len(intervals))
    return f"{count / len(intervals):.1%} [{bounds.lower:.1%}, {bounds.upper:.1%}]"


def wave_share(waves: Sequence[Sequence[float]]) -> float:
    """How much of the variance of processes is what those of one wave have in common: 0 were they independent."""
    bounds = [0, *LOOKS]
    groups = [np.array(each[start:end]) for each in waves for start, end in itertools.pairwise(bounds)]
    inside = fmean(float(group.var(ddof=1)) for group in groups)
    overall = fmean(float(np.var(each, ddof=1)) for each in waves)
    return max(0.0, 1 - inside / overall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("simulate", "run", "report"))
    parser.add_argument("--minutes", type=float, default=20.0)
    options = parser.parse_args()
    {"simulate": simulate, "run": lambda: run(options.minutes), "report": report}[options.command]()


if __name__ == "__main__":
    main()
