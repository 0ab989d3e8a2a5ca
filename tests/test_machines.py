"""A class on many machines, which are local processes here: shards, the examples, and whoever is killed."""

from __future__ import annotations

import contextlib
import os
import random
import shlex
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.test_documentation import block
from tests.tito.olympics.test_verify import handed_in
from tinytorch.competition.checks.verified import parse_verification

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "machines.md").read_text()
NAMES = ("ada", "bob", "eve", "fay", "gus", "hal", "ian")


QUIETLY = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A class, and in `bin` a tito that measures toys, an ssh that stays here, an sbatch that runs a whole array."""
    programs = {
        "tito": f'exec {shlex.quote(sys.executable)} {shlex.quote(str(ROOT / "tests" / "toy_tito.py"))} "$@"',
        "ssh": 'exec bash -c "${@: -1}"',
        "sbatch": 'for id in 0 1 2; do SLURM_ARRAY_TASK_ID=$id SLURM_ARRAY_TASK_COUNT=3 bash "$@" & done; wait',
    }
    (tmp_path / "bin").mkdir()
    for name, body in programs.items():
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)
    for name in NAMES:
        handed_in(tmp_path / "class" / name, name)
    return tmp_path


def run(lab: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], cwd=lab, env=environment(lab), capture_output=True, text=True, check=False
    )


def environment(lab: Path) -> dict[str, str]:
    path = f"{lab / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "TITO_CACHE": str(lab / "cache")}


def outcomes(lab: Path) -> Counter[str]:
    found = (parse_verification(str(path), path.read_bytes()) for path in (lab / "verified").glob("*.json"))
    return Counter(each.outcome for each in found)


def overlapping(lab: Path) -> int:
    """How many measurings were going on while another was."""
    spans = sorted(tuple(map(int, line.split())) for line in (lab / "spans").read_text().splitlines())
    return sum(second[0] < first[1] for first, second in pairwise(spans))


def test_the_example_for_ssh_does_a_class(lab: Path) -> None:
    done = run(lab, f"bash {ROOT / 'examples' / 'ssh' / 'verify.sh'} class verified lab1 lab2 lab3")

    assert (done.returncode, outcomes(lab)) == (0, {"ok": len(NAMES)}), done.stdout + done.stderr
    assert (overlapping(lab), "all there" in done.stdout) == (0, True)


def test_the_example_for_slurm_does_a_class(lab: Path) -> None:
    done = run(
        lab, f"sbatch {ROOT / 'examples' / 'slurm' / 'verify.sbatch'} class verified && tito olympics verify --merge"
    )

    assert (done.returncode, outcomes(lab), overlapping(lab)) == (0, {"ok": len(NAMES)}, 0), done.stdout + done.stderr


def test_whoever_is_killed_loses_one_entry_at_most(lab: Path) -> None:
    """Two calls for one class, killed at random moments and made again, until all is there."""
    generator = random.Random(1)
    command = ["tito", "olympics", "verify", "class"]
    for _ in range(3):
        calls = [subprocess.Popen([*command, "--shard", f"{number}/2"], cwd=lab, env=environment(lab), **QUIETLY)
                 for number in (1, 2)]  # fmt: skip
        with contextlib.suppress(subprocess.TimeoutExpired):
            calls[0].wait(generator.uniform(1.0, 3.0))
        for call in calls:
            call.kill()
            call.wait()
    for number in (1, 2):
        assert run(lab, f"tito olympics verify class --shard {number}/2").returncode == 0
    done = run(lab, "tito olympics verify --merge")

    assert (done.returncode, outcomes(lab)) == (0, {"ok": len(NAMES)}), done.stdout + done.stderr
    assert len((lab / "spans").read_text().splitlines()) <= len(NAMES) + 6


def test_shards_are_walked_as_the_page_shows(lab: Path) -> None:
    done = run(lab, f"set -e\n{block('shards', PAGE)}")

    assert (done.returncode, outcomes(lab)) == (0, {"ok": len(NAMES)}), done.stdout + done.stderr


@pytest.mark.ssh
def test_records_are_signed_as_the_page_shows(lab: Path) -> None:
    (lab / ".ssh").mkdir()
    (lab / "points.toml").write_text('points = { "1x" = 0, "2x" = 40 }\n')
    key = "ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519; export HOME=$PWD"
    make = f"{key}; tito olympics verify class -o verified/"
    done = run(lab, f"set -e\n{make}\n{block('signed', PAGE)}")

    assert done.returncode == 0, done.stdout + done.stderr
    assert " ".join(done.stdout.split()).count("7 records, signed by ada@uni.example (SHA256:") == 2
    graded = run(lab, "tito olympics grade class --verified verified --signers allowed_signers --class points.toml")

    assert "signed by ada@uni.example" in graded.stderr, graded.stderr
