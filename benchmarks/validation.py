"""The figures of `tito olympics validate`: speed and memory, hostile files, fuzz, false alarms.

    python benchmarks/validation.py speed   [--run run.json]            500 files in a call against 50 against 1
    python benchmarks/validation.py hostile                             time and id of each refusal
    python benchmarks/validation.py fuzz    [--mutations 200000] [--seed 0]
    python benchmarks/validation.py alarms  [--runs 20] [--tier fast]   honest runs of every task

`speed` varies the samples of one recorded run (default tier, measured now unless given), so that its files are as large
as real ones and no two alike. `fuzz` changes bytes and JSON values of a valid file and leaves its digest: whatever is
still valid must mean what it meant.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from mutations import mutate_bytes, mutate_json

from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import ModelRecord
from tinytorch.benchmarking.records.samples import Times
from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.checks.validation import validate_bytes
from tinytorch.competition.ranking.judged import judge_files
from tinytorch.competition.record.document import SCHEMA_VERSION
from tinytorch.competition.record.reading import LARGEST_FILE_BYTES
from tinytorch.competition.record.run import Run, parse_run
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import run_competition
from tinytorch.workloads.registry import DEFAULT_TASK, TASKS, find_task
from tinytorch.workloads.strategies import DEFAULT_STRATEGY

Document = dict[str, Any]
COMMAND = [sys.executable, "-c", "from tito.app import main; main()", "olympics", "validate", "--json"]
UNCHANGED = "def optimize(model, train_data):\n    return model\n"


@dataclass(frozen=True)
class Cost:
    """What one process used."""

    seconds: float
    peak_bytes: int
    exit_code: int


def validated(files: list[str]) -> Cost:
    """The cost of one `tito olympics validate` of `files`: its memory is that of all its processes together."""
    started, peak = time.perf_counter(), 0
    with psutil.Popen([*COMMAND, *files], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, resident_bytes(process))
            time.sleep(0.02)
        return Cost(time.perf_counter() - started, peak, process.returncode)


def resident_bytes(process: psutil.Process) -> int:
    """Resident memory of a process and its children, without what they share; 0 once it has ended."""
    try:
        return sum(each.memory_full_info().uss for each in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def measured(tier: str, strategy: str = DEFAULT_STRATEGY) -> Run:
    """A real run of the default task."""
    task = find_task(DEFAULT_TASK)
    return run_competition(Challenge(task, Contender.reference(task.strategy(strategy)), Settings(TIERS[tier])))


def varied(run: Run, seed: int) -> Document:
    """A submission of the run with other noise: each placement's blocks in another order, a few nanoseconds moved."""
    generator = np.random.default_rng(seed)

    def moved(times: Times) -> Times:
        noisy: Times = np.maximum(1, times + generator.integers(-9, 10, times.shape))
        return noisy

    changed = run.model_copy(update={role: with_times(getattr(run, role), moved) for role in ("baseline", "optimized")})
    return submission_from_run(changed, event="all_around", athlete_name=f"Athlete {seed}")


def with_times(model: ModelRecord, change: Callable[[Times], Times]) -> ModelRecord:
    """The model with other latency samples."""
    latency = model.metrics.latency
    if latency is None or latency.times_ns is None:
        raise ValueError("a run has its samples")
    times, calls, copies = change(latency.times_ns), latency.calls_per_sample or 1, latency.copies_per_unit or 1
    fresh = Latency.from_samples(times, calls, copies, latency.session)
    return model.model_copy(update={"metrics": model.metrics.model_copy(update={"latency": fresh})})


def speed(options: argparse.Namespace) -> None:
    """Time after start-up and peak memory for 1, 50 and 500 files."""
    run = parse_run(options.run, Path(options.run).read_bytes()) if options.run else measured("default")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number in range(500):
            files.append(str(Path(folder) / f"{number:03}.json"))
            Path(files[-1]).write_text(json.dumps(varied(run, number), indent=2), encoding="utf-8")
        size = Path(files[0]).stat().st_size
        costs = {count: validated(files[:count]) for count in (1, 50, 500)}
    samples = run.baseline.metrics.latency.times_ns.size  # type: ignore[union-attr]
    print(f"one file: {size:,} bytes, 2 x {samples:,} latency samples")
    for count, cost in costs.items():
        after = cost.seconds - costs[1].seconds
        print(f"{count:>4} files: {cost.seconds:6.2f} s ({after:6.2f} s after start-up), "
              f"peak {cost.peak_bytes / 1e6:.1f} MB, exit {cost.exit_code}")  # fmt: skip


def hostile_contents() -> dict[str, tuple[str, bytes]]:
    """Name -> the id that must refuse it, and the content."""
    most = LARGEST_FILE_BYTES
    version = f'{{"schema_version": "{SCHEMA_VERSION}", '.encode()
    keys = ",".join(f'"{number}":1' for number in range(700_000)).encode()
    samples = b'"run": {"baseline": {"metrics": {"latency": {"samples_ns": %s}}}}}'
    return {
        "8 MiB and a byte": ("size", b" " * (most + 1)),
        "8 MiB of zeros": ("json", bytes(most)),
        "8 MiB of bytes that are no UTF-8": ("encoding", b"\xff" * most),
        "8 MiB of [": ("nesting", b"[" * most),
        "8 MiB of nested objects": ("nesting", b'{"a":' * (most // 5)),
        "8 MiB of empty lists": ("values", b"[" + b"[]," * (most // 3 - 1) + b"1]"),
        "8 MiB of empty objects": ("values", b"[" + b"{}," * (most // 3 - 1) + b"1]"),
        "8 MiB of ones": ("values", b"[" + b"1," * (most // 2 - 2) + b"1]"),
        "700,000 keys": ("values", b"{" + keys + b"}"),
        "one key 400,000 times": ("duplicate_keys", b"{" + b'"a":1,' * 400_000 + b'"a":1}'),
        "a number of 8 MiB": ("numbers", b"9" * most),
        "a fraction of 8 MiB": ("schema", b"0." + b"1" * (most - 2)),
        "2,000 numbers of 4,000 digits": ("numbers", b"[" + (b"9" * 4000 + b",") * 2000 + b"1]"),
        "1e999999999": ("numbers", b"1e999999999"),
        "a text of 8 MiB": ("values", b'"' + b"a" * (most - 2) + b'"'),
        "a text of escapes": ("schema", b'"' + rb"\u202e" * (most // 6 - 1) + b'"'),
        "half a character": ("values", b'"' + rb"\ud800" * 10_000 + b'"'),
        "499,000 techniques": ("schema", version + b'"declaration": {"techniques": [' + b"1," * 499_000 + b"1]}}"),
        "499,000 constraints": ("schema", version + b'"derived": {"constraints": [' + b"1," * 499_000 + b"1]}}"),
        "499,000 placements": ("schema", version + samples % (b"[" + b"0," * 499_000 + b"0]")),
        "499,000 wrong placements": ("schema", version + samples % (b"[" + b'"1 x",' * 499_000 + b'"1"]')),
        "1,000,000 samples": ("schema", version + samples % (b'["' + b"12 " * 1_000_000 + b'1"]')),
        "1,000,000 empty samples": ("schema", version + samples % (b'["' + b" " * 1_000_000 + b'"]')),
        "999 unknown keys": ("schema", version + b",".join(b'"k%d":1' % number for number in range(999)) + b"}"),
        "tomorrow's version": ("schema_version", b'{"schema_version": "99.0"}'),
    }


def hostile_paths(folder: Path) -> dict[str, tuple[str, Path]]:
    """Name -> the id that must refuse it, and the path."""
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("/dev/zero")
    (folder / "escape").symlink_to("/etc/hostname")
    (folder / "loop").symlink_to("loop")
    with (folder / "sparse").open("wb") as file:
        file.truncate(10**12)
    names = {
        "a FIFO": "pipe",
        "a link to /dev/zero": "link",
        "a link that escapes": "escape",
        "a link to itself": "loop",
    }
    paths = {name: ("file", folder / path) for name, path in names.items()}
    return {**paths, "/dev/zero": ("file", Path("/dev/zero")), "a terabyte": ("size", folder / "sparse")}


def hostile(options: argparse.Namespace) -> None:
    """Each hostile file, refused by the right id, and how long that took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        attacks = hostile_paths(folder)
        for number, (title, (check, content)) in enumerate(hostile_contents().items()):
            attacks[title] = (check, folder / f"{number}.json")
            attacks[title][1].write_bytes(content)
        slowest, wrong = 0.0, 0
        for title, (check, path) in attacks.items():
            started = time.perf_counter()
            (report,) = judge_files([str(path)])
            seconds = time.perf_counter() - started
            refused = report.findings[-1]
            right = refused.name == check and refused.is_error
            slowest, wrong = max(slowest, seconds), wrong + (not right)
            print(f"{seconds:6.3f} s  {title:<34} {refused.name}{'' if right else f'  EXPECTED {check}'}")
    print(f"{len(attacks)} hostile files, {wrong} refused by the wrong id; slowest {slowest:.3f} s")


def fuzz(options: argparse.Namespace) -> None:
    """Mutations under a stale digest: never an exception, never another meaning that is valid."""
    content = json.dumps(varied(small(measured("fast")), 0)).encode()
    original = json.loads(content)
    if not validate_bytes(content)["valid"]:
        raise RuntimeError("the file to mutate is not valid itself")
    print(f"{len(content):,} bytes, {options.mutations:,} mutations, seed {options.seed}", flush=True)
    refused: Counter[str] = Counter()
    accepted = other_meaning = 0
    for number in range(options.mutations):
        generator = random.Random(f"{options.seed}/{number}")
        changed = (mutate_json if number % 2 else mutate_bytes)(content, generator)
        result = validate_bytes(changed)  # an exception ends the benchmark, with the number of its mutation
        if result["valid"]:
            accepted += 1
            other_meaning += not same(json.loads(changed), original)
        else:
            errors = (check for check in result["checks"] if check["passed"] is False and check["severity"] == "error")
            refused[next(errors)["name"]] += 1
    print(f"no exception; {accepted:,} accepted, {other_meaning} of them with another meaning; first refusal:")
    print(", ".join(f"{check} {count:,}" for check, count in refused.most_common()))


def same(first: Any, second: Any) -> bool:
    """Whether two documents are the same value by value and type by type."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def small(run: Run) -> Run:
    """The run with six placements of two blocks, so that mutations hit more than samples."""
    shape = {"processes": 3, "copies": 2, "visits": 1, "block_pairs": 2}
    models = {role: with_times(getattr(run, role), lambda times: times[:6, :2]) for role in ("baseline", "optimized")}
    return run.model_copy(update={**models, "protocol": run.protocol.model_copy(update=shape)})


def alarms(options: argparse.Namespace) -> None:
    """Honest runs: each task's strategies in turn, and its baseline handed in unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        entry = Path(folder) / "unchanged.py"
        entry.write_text(UNCHANGED, encoding="utf-8")
        for name in options.tasks or TASKS:
            turn = [*map(Contender.reference, find_task(name).strategies), Contender.entry(entry)]
            runs = [honest(name, turn[number % len(turn)], options.tier, number) for number in range(options.runs)]
            report_alarms(name, runs)


def honest(task: str, contender: Contender, tier: str, seed: int) -> list[dict[str, Any]]:
    """The checks of one honest submission."""
    run = run_competition(Challenge(find_task(task), contender, Settings(TIERS[tier], seed)))
    document = submission_from_run(
        run, event="all_around", athlete_name="Ada", github_repo="https://example.org/ada", techniques=["honest work"]
    )
    checks: list[dict[str, Any]] = validate_bytes(json.dumps(document).encode())["checks"]
    for check in checks:
        if check["passed"] is False:
            print(
                f"  {task}, {contender.name}, seed {seed}: {check['severity']} {check['name']}: {check['message']}",
                flush=True,
            )
    return checks


def report_alarms(task: str, runs: list[list[dict[str, Any]]]) -> None:
    """Errors and warnings of honest runs, and how many checks could have given a warning."""
    made = [check for checks in runs for check in checks if check["passed"] is not None]
    errors = sum(check["passed"] is False and check["severity"] == "error" for check in made)
    warnings = [check["passed"] is False for check in made if check["severity"] == "warning"]
    unknown = Counter(check["name"] for checks in runs for check in checks if check["passed"] is None)
    share = sum(warnings) / len(warnings) if warnings else 0.0
    print(f"{task}: {len(runs)} runs, {errors} errors, {sum(warnings)} warnings of {len(warnings)} ({share:.1%}); "
          f"could not check: {dict(unknown)}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    for part in (speed, hostile, fuzz, alarms):
        parts.add_parser(part.__name__, help=part.__doc__).set_defaults(part=part)
    parts.choices["speed"].add_argument("--run", help="a run recorded by tito olympics benchmark")
    parts.choices["fuzz"].add_argument("--mutations", type=int, default=200_000)
    parts.choices["fuzz"].add_argument("--seed", type=int, default=0)
    parts.choices["alarms"].add_argument("--runs", type=int, default=20)
    parts.choices["alarms"].add_argument("--tier", default="fast", choices=TIERS)
    parts.choices["alarms"].add_argument("--tasks", nargs="*", choices=TASKS)
    options = parser.parse_args()
    options.part(options)


if __name__ == "__main__":
    main()
