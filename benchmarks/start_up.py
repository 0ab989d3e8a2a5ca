"""How long light commands take, as whole processes beside a Typer application with one command.

    python benchmarks/start_up.py SUBMISSION [--rounds 20]

Each round runs both commands once, in turn; shown are the medians of the ratios within a round, in processor time and
in wall time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

BARE = '''
import typer

app = typer.Typer()


@app.command()
def hello(name: str = "you") -> None:
    """Say hello."""
    typer.echo(name)


app()
'''
TITO = (sys.executable, "-c", "from tito.start import main; main()")


def cost(command: Sequence[str]) -> tuple[float, float]:
    """Processor and wall seconds of a process."""
    before, begun = os.times(), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    wall, after = time.perf_counter() - begun, os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, wall


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("submission")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "bare.py")
        bare.write_text(BARE)
        pairs = {  # command: what it is compared with
            "tito --help": ((*TITO, "--help"), (sys.executable, str(bare), "--help")),
            "tito olympics status": ((*TITO, "olympics", "status"), (sys.executable, str(bare))),
            "tito olympics validate": (
                (*TITO, "olympics", "validate", options.submission), (sys.executable, str(bare)),
            ),
        }  # fmt: skip
        for name, (command, other) in pairs.items():
            rounds = [(cost(command), cost(other)) for _ in range(options.rounds)]
            processor, wall = (statistics.median(mine[i] / theirs[i] for mine, theirs in rounds) for i in (0, 1))
            print(f"{name:<24} {processor:.2f} of a bare Typer application in processor time, {wall:.2f} in wall time")


if __name__ == "__main__":
    main()
