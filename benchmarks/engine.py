"""Inference: compiled plans against onnxruntime, eager PyTorch and our own framework, side by side.

    python -m venv PEER && PEER/bin/pip install torch onnx onnxruntime numpy threadpoolctl
    python benchmarks/engine.py --peers PEER/bin/python --results engine.jsonl
    python benchmarks/engine.py --results engine.jsonl --table

One process for each engine (`engines.py`), one thread each, one sample at a time. A session starts all engines of a
network anew and asks each once a round, in random order; a line of JSON is appended for each round. What is in the file
is not measured again, so that it can be stopped and continued.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PEERS = ("onnxruntime", "onnxruntime-int8", "torch")
OURS = ("eager", "numpy", "numba")
ENGINES = {
    "64-32-10": (*PEERS, *OURS),
    "64-1024x3-10": (*PEERS, *OURS, "numba-int8"),
    "digits_cnn": (*PEERS, *OURS, "numba-int8"),
    "gpt": ("onnxruntime", "onnxruntime-int8", "torch", "eager", "cached", "numpy", "numba", "numba-int8"),
}
DISAGREEMENT = {"onnxruntime-int8": 0.2, "numba-int8": 0.2}  # of the largest output; floats 1e-3

Line = dict[str, Any]


class Engine:
    """A process that times one inference whenever it is told to."""

    def __init__(self, python: str, name: str, network: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [python, ROOT / "benchmarks" / "engines.py", name, network],
            env=os.environ | THREADS | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        first = self._answer()
        self.version: str = first["version"]
        self.outputs: list[float] = first["outputs"]

    def time_ns(self) -> float:
        """One more time."""
        print(file=self._process.stdin, flush=True)
        found: float = self._answer()["ns"]
        return found

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self) -> Line:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            sys.exit(f"the engine {self.name} ended with exit code {self._process.wait()}")
        answer: Line = json.loads(line)
        return answer


def main() -> None:
    """Measure what is not in the file yet, and show what is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="a file of lines of JSON, appended to")
    parser.add_argument("--peers", default=sys.executable, help="interpreter that has onnxruntime and torch")
    parser.add_argument("--networks", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--table", action="store_true", help="show the file as a table of Markdown")
    options = parser.parse_args()
    if not options.table:
        for session in range(options.sessions):
            for network in options.networks:
                done = {(line["network"], line["session"], line["round"]) for line in known(options.results)}
                missing = [number for number in range(options.rounds) if (network, session, number) not in done]
                if missing:
                    measure(network, session, missing, options)
    print("\n".join(table(known(options.results))))


def measure(network: str, session: int, rounds: list[int], options: argparse.Namespace) -> None:
    """One session of one network."""
    engines = {
        name: Engine(options.peers if name in PEERS else sys.executable, name, network) for name in ENGINES[network]
    }
    check_outputs({name: engine.outputs for name, engine in engines.items()}, network)
    for number in rounds:
        order = random.sample(list(engines), len(engines))
        times = {name: engines[name].time_ns() for name in order}
        versions = {name: engine.version for name, engine in engines.items()}
        line = {"network": network, "session": session, "round": number, "ns": times, "versions": versions}
        with options.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    for engine in engines.values():
        engine.close()
    print(network, "session", session, "done", file=sys.stderr, flush=True)


def check_outputs(outputs: dict[str, list[float]], network: str) -> None:
    """End with a message where an engine computes something else than our eager framework."""
    wanted = outputs["eager"]
    largest = max(map(abs, wanted))
    for name, found in outputs.items():
        if network == "gpt":
            is_same = name in DISAGREEMENT or found == wanted  # tokens; other weights may choose others
        else:
            worst = max(abs(a - b) for a, b in zip(found, wanted, strict=True))
            is_same = worst <= DISAGREEMENT.get(name, 1e-3) * largest
        if not is_same:
            sys.exit(f"{network}: {name} gives {found[:4]}, the framework {wanted[:4]}")


def table(lines: list[Line]) -> Iterator[str]:
    """Times as ratios to onnxruntime's of the same round: median, and range of the sessions' medians."""
    yield "| network | engine | time / onnxruntime's: median (sessions) | microseconds, least | rounds |"
    yield "|---|---|---|---|---|"
    for network in dict.fromkeys(line["network"] for line in lines):
        own = [line for line in lines if line["network"] == network]
        for engine in ENGINES[network]:
            sessions: dict[int, list[float]] = {}
            for line in own:
                sessions.setdefault(line["session"], []).append(line["ns"][engine] / line["ns"]["onnxruntime"])
            medians = [statistics.median(ratios) for ratios in sessions.values()]
            median = statistics.median(ratio for ratios in sessions.values() for ratio in ratios)
            least = min(line["ns"][engine] for line in own) / 1e3
            yield (
                f"| {network} | {engine} ({own[0]['versions'][engine]}) "
                f"| {median:.2f} ({min(medians):.2f} to {max(medians):.2f}) | {least:.4g} | {len(own)} |"
            )


def known(results: Path) -> list[Line]:
    """What the file holds."""
    return [json.loads(line) for line in results.read_text("utf-8").splitlines()] if results.exists() else []


if __name__ == "__main__":
    main()
