"""What `tito olympics verify` does on several machines: two Dask workers here, killed at random, and a class at night.

    python benchmarks/machines.py chaos FOLDER [--count 30] [--hostile 3]    # a worker killed, then the referee
    python benchmarks/machines.py night FOLDER [--count 300] [--hostile 30]  # shards, unattended; goes on where it was

Each entry is toy-sized and really built and measured, in a box. The two workers are processes of this machine: what
keeps them apart is the lock that all measuring takes. `night` appends its figures to FOLDER/results.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from referee import write_class

from tinytorch.competition.checks.verified import parse_verification

TITO = [sys.executable, "-m", "tito", "olympics"]
PORT = 8797
ADDRESS = f"tcp://127.0.0.1:{PORT}"
LIMITS = ["--tier", "fast", "--time-limit", "20"]


def made(folder: Path, count: int, hostile: int) -> Path:
    """The class, made once."""
    place = folder / "class"
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_class(folder, "marked", 9, ["/tmp"], count - hostile, hostile)
    return place


def records(folder: Path) -> list[Any]:
    """Every record that is there."""
    return [parse_verification(str(path), path.read_bytes()) for path in sorted(folder.glob("*.json"))]


def overlapping(found: list[Any]) -> int:
    """How many pairs of measurings were going on at once."""
    spans = sorted((each.run.protocol.started_at, each.run.protocol.ended_at) for each in found if each.run)
    return sum(second[0] < first[1] for first, second in pairwise(spans))


@contextmanager
def cluster(count: int = 2) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler, and workers which are a machine each."""
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(PORT)]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", ADDRESS, "--nthreads", "1", "--resources",
              "machine=1", "--no-dashboard", "--local-directory"]  # fmt: skip
    processes = [_quietly([*dask, "--no-dashboard"])]
    time.sleep(3)
    processes += [_quietly([*worker, f"/tmp/dask-{number}"]) for number in range(count)]
    try:
        yield processes[1:]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _quietly(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def below(pid: int) -> list[int]:
    """The processes that one started itself."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def chaos(folder: Path, count: int, hostile: int) -> None:
    """A worker killed by signal 9 after some records, then the referee; the same command goes on."""
    place, into = made(folder, count, hostile), folder / "verified"
    began, generator = time.monotonic(), random.Random()
    command = [*TITO, "verify", str(place), "-o", str(into), *LIMITS, "--scheduler", ADDRESS, "--json"]
    with cluster() as workers:
        referee = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _until(into, len(records(into)) + 4, referee)
        victim = generator.choice(workers)
        for child in below(victim.pid):  # the nanny brings a new one
            os.kill(child, signal.SIGKILL)
        print(f"a worker killed after {len(records(into))} records, {time.monotonic() - began:.0f} s", flush=True)
        _until(into, len(records(into)) + 4, referee)
        referee.kill()
        referee.wait()
        print(f"the referee killed after {len(records(into))} records, {time.monotonic() - began:.0f} s", flush=True)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    found = json.loads(done.stdout)["verifications"]
    outcomes = Counter(each["outcome"] for each in found)
    print(f"{len(found)} of {count}: {dict(outcomes)}, exit code {done.returncode}, {time.monotonic() - began:.0f} s")
    print(f"overlapping measurings: {overlapping(records(into))}; records: {len(records(into))}")


def _until(folder: Path, count: int, referee: subprocess.Popen[bytes]) -> None:
    while len([*folder.glob("*.json")]) < count:
        if referee.poll() is not None:
            raise SystemExit(f"the referee ended with exit code {referee.returncode}")
        time.sleep(0.2)


def night(folder: Path, count: int, hostile: int) -> None:
    """Two shards at once on this machine, each in its turn; killed shards go on by the same call."""
    place, into = made(folder, count, hostile), folder / "verified"
    began, before = time.monotonic(), len(records(into))
    command = [*TITO, "verify", str(place), "-o", str(into), *LIMITS]
    shards = [subprocess.Popen([*command, "--shard", f"{number}/2"], stdout=subprocess.DEVNULL) for number in (1, 2)]
    codes = [shard.wait() for shard in shards]
    merged = subprocess.run(
        [*TITO, "verify", "--merge", "-o", str(into)], stdout=subprocess.PIPE, text=True, check=False
    )
    found = records(into)
    outcomes = Counter(each.outcome for each in found)
    said = (
        f"{datetime.now():%Y-%m-%d %H:%M} {len(found)} of {count} ({before} before): {dict(outcomes)}, "
        f"{time.monotonic() - began:.0f} s, "
        f"exit codes {codes}, overlapping measurings {overlapping(found)}, merged {merged.returncode}\n"
    )
    with (folder / "results.txt").open("a") as file:
        file.write(said)
    print(said, merged.stdout)


def main() -> None:
    """Run one of the experiments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["chaos", "night"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--hostile", type=int, default=0)
    asked = parser.parse_args()
    usual = {"chaos": (30, 3), "night": (300, 30)}[asked.what]
    count, hostile = asked.count or usual[0], asked.hostile or usual[1]
    (chaos if asked.what == "chaos" else night)(asked.folder.absolute(), count, hostile)


if __name__ == "__main__":
    main()
