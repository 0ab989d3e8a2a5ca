"""What `tito olympics verify` holds and costs: starts of boxes, hostile entries, and honest ones measured again.

    python benchmarks/referee.py start [ROUNDS]    # a worker in a box beside a plain one, in turns
    python benchmarks/referee.py hostile           # ten hostile entries among twenty honest ones: what is left behind
    python benchmarks/referee.py honest [ROUNDS] [TASK...]   # strategies, claimed once and measured again so often
    python benchmarks/referee.py report            # what `honest` has found so far

`honest` takes hours: each result is one line of `referee.jsonl`, Ctrl-C loses one, and the next call goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Memory
from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.record.run import Run, RunFile, SourceRecord, parse_run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.agreement import agreements
from tinytorch.competition.scoring.busy import machine_word
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.errors import TinyTorchError
from tinytorch.files import sha256
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import run_competition
from tinytorch.processes.box import BOXES, Box
from tinytorch.processes.worker import Worker
from tinytorch.workloads.registry import TASKS, find_task

RECORD, CLAIMS = Path(__file__).with_name("referee.jsonl"), Path(__file__).with_name("referee_claims")
FASTER, SMALLER = 1.25, 0.8  # what a claim is multiplied by
HONEST = """from tinytorch.perf.compression import prune_neurons
TECHNIQUES = ["structured pruning"]
NUMBER = {number}
def optimize(model, train_data):
    return prune_neurons(model, keep=64, train_data=train_data)
"""
HOSTILE = {
    "os._exit": "import os\n    os._exit(3)",
    "endless loop": "while True: pass",
    "fork bomb": "import os\n    while True: os.fork()",
    "memory bomb": "held = [bytearray(b'x') * 2**28 for _ in range(1000)]",
    "survivor": "import os, time\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n"
                "            import ctypes; ctypes.CDLL(None).prctl(15, b'{mark}', 0, 0, 0); time.sleep(600)\n"
                "        os._exit(0)",
    "network": "import socket\n    socket.create_connection(('127.0.0.1', {port}), 3).send(b'{mark}')",
    "reads labels": "from tinytorch.datasets.digits import load_digits\n    load_digits()[0]\n"
                    "    raise SystemExit('the shipped data were read')",
    "writes outside": "from pathlib import Path\n    wrote = 0\n    for folder in {outside!r}:\n        try:\n"
                      "            Path(folder, '{mark}').write_text('x'); wrote += 1\n        except OSError: pass",
    "fills the disk": "n = 0\n    while True:\n        open(f'/tmp/{mark}{{n}}', 'wb').write(bytes(2**26)); n += 1",
    "prints 1 GB": "for _ in range(1024): print('x' * 2**20)",
}  # fmt: skip


def start(rounds: int) -> None:
    """Median and least milliseconds from nothing to the first answer, in turns."""
    kinds: dict[str, Box | None] = {"plain": None, **{f"box {tier}": Box(tier) for tier in BOXES}}
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, box in kinds.items():
            began = time.perf_counter()
            with Worker("builtins:dict", box=box) as worker:
                worker.ask("copy", 30.0)
                taken[name].append(1e3 * (time.perf_counter() - began))
    for name, times in taken.items():
        more = "" if name == "plain" else f", median of differences {_difference(times, taken['plain']):+.1f} ms"
        print(f"{name:6} {rounds} starts: median {median(times):.1f} ms, least {min(times):.1f} ms{more}")


def _difference(these: Sequence[float], those: Sequence[float]) -> float:
    return median(one - two for one, two in zip(these, those, strict=True))


def hostile() -> None:
    """Thirty folders through the command itself; what it left is looked for afterwards."""
    mark = f"m{secrets.token_hex(5)}"
    with tempfile.TemporaryDirectory() as folder, _listening() as (port, heard):
        outside = [folder, "/tmp", "/var/tmp", "/dev/shm", str(Path.home()), sys.prefix]
        names = write_class(Path(folder), mark, port, outside)
        began = time.monotonic()
        command = [sys.executable, "-m", "tito", "olympics", "verify", f"{folder}/class", "-o", f"{folder}/verified",
                   "--tier", "fast", "--time-limit", "20", "--json"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        took_s = time.monotonic() - began
        found = {Path(each["source"]).name: each for each in json.loads(done.stdout)["verifications"]}
        for name in names:
            each = found[name]
            print(f"{name:16} {each['outcome']:12} {each['reason'].splitlines()[0][:110] if each['reason'] else ''}")
        print(Counter(each["outcome"] for each in found.values()), f"{took_s:.0f} s, exit code {done.returncode}")
        left = [str(path) for place in outside for path in Path(place).glob(f"{mark}*")]
        print(f"files left outside: {left or 'none'}; connections heard: {len(heard)}; survivors: {_survivors(mark)}")


def write_class(
    folder: Path, mark: str, port: int, outside: list[str], honest: int = 20, hostile: int = len(HOSTILE)
) -> list[str]:  # fmt: skip
    """Each with a valid submission, which one honest run was made into."""
    bodies = {f"honest {number:03}": HONEST.format(number=number) for number in range(honest)}
    for number, (name, body) in enumerate(islice(cycle(HOSTILE.items()), hostile)):
        act, again = body.format(mark=mark, port=port, outside=outside), number // len(HOSTILE)
        text = f"NUMBER = {again}\ndef optimize(model, train_data):\n    {act}\n    return model\n"
        bodies[f"{name} {again}" if again else name] = text
    own = folder / "entry.py"
    own.write_text(HONEST.format(number=-1))
    run = run_competition(Challenge(find_task("digits_mlp"), Contender.entry(own), Settings(TIERS["fast"])))
    own.unlink()
    for name, body in bodies.items():
        place = folder / "class" / name
        place.mkdir(parents=True)
        (place / "entry.py").write_text(body)
        source = SourceRecord(kind="entry", name="entry.py", sha256=sha256(body.encode()), helpers=[], data=[],
                              division="closed", techniques=["structured pruning"])  # fmt: skip
        claimed = run.model_copy(update={"source": source})
        document = submission_from_run(claimed, event="latency_sprint", athlete_name=name, created_at=datetime.now(UTC))
        (place / "submission.json").write_text(json.dumps(document))
    return list(bodies)


@contextmanager
def _listening() -> Iterator[tuple[int, list[bytes]]]:
    """A port, and what came in on it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    heard.append(listener.accept()[0].recv(100))

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], heard


def _survivors(mark: str) -> int:
    return sum(process.info["name"] == mark for process in psutil.process_iter(["name"]))


def honest(rounds: int, tasks: Sequence[str]) -> None:
    """Claims in plain processes, as `benchmark` makes them; re-runs in boxes, as `verify` does."""
    done = Counter((line["task"], line["strategy"]) for line in _lines())
    for number in range(rounds):
        for task in tasks:
            for strategy in find_task(task).strategies:
                if done[task, strategy.name] <= number:
                    _write_line(task, strategy.name)


def _write_line(task: str, strategy: str) -> None:
    claimed, here = _claimed(task, strategy), _measured(task, strategy, "A")
    rules = load_rules()
    told: dict[str, Any] = {
        name: {each.figure: each.judgement for each in agreements(claim, here, rules)}
        for name, claim in (("honest", claimed), ("faster", _faster(claimed)), ("smaller", _smaller(claimed)))
    }
    speeds = [each for each in agreements(claimed, here, rules) if each.figure == "speedup"]
    is_busy = bool(here.protocol.doubts) or machine_word(here) == "disturbed"
    line = {"task": task, "strategy": strategy, "claimed": speeds[0].claimed, "here": speeds[0].here,
            "is_busy": is_busy, **told}  # fmt: skip
    with RECORD.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(line, flush=True)


def _claimed(task: str, strategy: str) -> Run:
    """Measured once, and kept."""
    path = CLAIMS / f"{task}-{strategy}.json"
    if not path.exists():
        CLAIMS.mkdir(exist_ok=True)
        path.write_text(RunFile.text(_measured(task, strategy, None)))
    return parse_run(str(path), path.read_bytes())


def _measured(task: str, strategy: str, tier: Any) -> Run:
    contender = Contender.reference(find_task(task).strategy(strategy))
    cache = os.environ.get("TITO_CACHE")
    challenge = Challenge(find_task(task), contender, Settings(TIERS["fast"]), isolation=tier, build_seed=1,
                          cache_directory=Path(cache) if cache else None)  # fmt: skip
    return run_competition(challenge)


def _faster(run: Run) -> Run:
    """The claim with its times divided."""
    metrics = run.optimized.metrics
    latency = metrics.latency
    if latency is None or latency.times_ns is None:
        raise ValueError("a run has times")
    times = np.maximum(1, np.rint(latency.times_ns / FASTER)).astype(np.int64)
    made = Latency.from_samples(times, latency.calls_per_sample or 1, latency.copies_per_unit or 1, latency.session)
    return _with(run, latency=made)


def _smaller(run: Run) -> Run:
    memory = run.optimized.metrics.memory
    if memory is None or memory.kept_bytes is None:
        raise ValueError("a run has a size")
    sizes = [None if size is None else round(size * SMALLER) for size in (memory.kept_bytes, memory.artifact_bytes)]
    return _with(run, memory=Memory.from_bytes(sizes[0] or 0, sizes[1], memory.peak_working_bytes, [],
                                               memory.code_bytes))  # fmt: skip


def _with(run: Run, **metrics: Any) -> Run:
    optimized = run.optimized
    changed = optimized.model_copy(update={"metrics": optimized.metrics.model_copy(update=metrics)})
    return run.model_copy(update={"optimized": changed})


def report() -> None:
    """How many agree, and how many false claims are found, with the count that was reached."""
    lines = list(_lines())
    print(f"{len(lines)} re-runs of {len({(line['task'], line['strategy']) for line in lines})} strategies")
    for figure in ("speedup", "memory", "accuracy"):
        agree = sum(line["honest"][figure] == "compatible" for line in lines)
        print(f"honest claims compatible in {figure}: {agree} of {len(lines)}")
    refuted = sum(line["honest"]["speedup"] != "compatible" and not line.get("is_busy", False) for line in lines)
    print(f"not compatible in speed though nothing said that the machine was busy: {refuted}")
    faster = sum(line["faster"]["speedup"] != "compatible" for line in lines)
    smaller = sum(line["smaller"]["memory"] != "compatible" for line in lines)
    print(f"found of claims x {FASTER} in speed: {faster}; of claims x {SMALLER} in memory: {smaller}")
    for line in lines:
        if line["honest"]["speedup"] != "compatible" or line["faster"]["speedup"] == "compatible":
            print(f"  {line['task']} {line['strategy']}: claimed {line['claimed']:.2f}x, here {line['here']:.2f}x, "
                  f"honest {line['honest']['speedup']}, faster {line['faster']['speedup']}")  # fmt: skip


def _lines() -> Iterator[dict[str, Any]]:
    if RECORD.exists():
        yield from map(json.loads, RECORD.read_text().splitlines())


def main() -> None:
    """Run one of the experiments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["start", "hostile", "honest", "report"])
    parser.add_argument("rounds", nargs="?", type=int, default=0)
    parser.add_argument("tasks", nargs="*", default=[*TASKS])
    asked = parser.parse_args()
    try:
        match asked.what:
            case "start":
                start(asked.rounds or 30)
            case "hostile":
                hostile()
            case "honest":
                honest(asked.rounds or 5, asked.tasks)
            case "report":
                report()
    except TinyTorchError as error:
        raise SystemExit(f"{error.message}; {error.mend}") from error


if __name__ == "__main__":
    main()
