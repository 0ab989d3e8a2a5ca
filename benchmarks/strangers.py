"""What strangers leave: hostile entries and files, and processes that are killed at any moment.

    python benchmarks/strangers.py entries            each entry and file: how it ended, its time and its peak of memory
    python benchmarks/strangers.py kills [--times 60] kill -9 over all commands that write, a third of them amid a file

Times are those beyond an entry that raises at once, memory that of all processes together. `kills` runs each command
again afterwards: every file must be whole, and nothing may be left. What `validate` does is in `validation.py`.
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
from collections.abc import Callable
from pathlib import Path

import psutil
from validation import resident_bytes

PROGRAM = "from tito.start import main; main()"
PAUSING = """
import os, time
kept = os.fsync
def pause(handle):
    print("writing", flush=True)
    time.sleep(30)
    kept(handle)
os.fsync = pause
"""
LIMITS = ["--tier", "fast", "--time-limit", "5", "--memory-limit", "1000"]
UNCHANGED = "def optimize(model, train_data):\n    return model\n"
SOURCES = Path(__file__).with_suffix(".txt").read_text("utf-8").split("### ")[1:]
ENTRIES = {  # the first is what the others are compared with
    **{title: text + UNCHANGED for title, _, text in (source.partition("\n") for source in SOURCES)},
    "300,000 signs": f"x = {'-' * 300_000}1\n{UNCHANGED}",
    "a sum of 100,000": f"x = 1{' + 1' * 100_000}\n{UNCHANGED}",
}
FILES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    f"{name}: {kind}": (make, command)
    for name, command in {
        "helper.py": ["benchmark", "--entry", "imports.py", *LIMITS],
        "rules.toml": ["rules", "--rules", "rules.toml"],
        ".tito/olympics/history.json": ["submit", "--event", "all_around"],
        ".tito/olympics/runs/20260101T000000Z-00000000.json": ["score", "20260101T000000Z-00000000"],
        "submission.json": ["validate"],
    }.items()
    for kind, make in {
        "a FIFO": os.mkfifo,
        "/dev/zero": lambda path: path.symlink_to("/dev/zero"),
        "100 GB": lambda path: _sparse(path),
    }.items()
}
WRITING = {  # command -> the file that it writes
    ("olympics", "submit", "--event", "all_around", "--athlete", "Ada", "--run", "run.json"): "submission.json",
    ("olympics", "validate", "given.json", "--format", "json", "-o", "checked.json"): "checked.json",
    ("olympics", "leaderboard", "given.json", "--format", "json", "-o", "ranked.json"): "ranked.json",
    ("olympics", "schema", "-o", "schema.json"): "schema.json",
    ("olympics", "benchmark", "--tier", "fast", "--json", "-o", "run.json"): "run.json",
    ("module", "start", "tensor"): "",
}


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10**11)


def ran(folder: Path, arguments: list[str]) -> tuple[float, int, int, str]:
    """Seconds, peak of memory in bytes, exit code and the first line of what one command says."""
    started, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        command = [sys.executable, "-c", PROGRAM, *arguments]
        with psutil.Popen(command, cwd=folder, stdout=said, stderr=said, stdin=subprocess.DEVNULL) as process:
            while process.poll() is None:
                peak = max(peak, resident_bytes(process))
                time.sleep(0.02)
        seconds = time.perf_counter() - started
        said.seek(0)
        errors = [line for line in said.read(100_000).splitlines() if "error" in line]
    return seconds, peak, process.returncode, errors[0] if errors else ""


def entries(options: argparse.Namespace) -> None:
    """Each hostile entry and file, and what it costs beyond one that fails at once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ran(folder, ["olympics", "benchmark", "--tier", "fast"])  # trains the baseline
        (folder / "imports.py").write_text(f"import helper\n{UNCHANGED}", encoding="utf-8")
        usual_s = 0.0
        for title, text in ENTRIES.items():
            (folder / "entry.py").write_text(text, encoding="utf-8")
            found = ran(folder, ["olympics", "benchmark", "--entry", "entry.py", *LIMITS])
            usual_s = found[0] if title == "raises" else usual_s
            report(title, found[0] - usual_s, *found[1:])
        for title, (make, command) in FILES.items():
            path = folder / title.partition(": ")[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            make(path)
            report(title, *ran(folder, ["olympics", *command]))
            path.unlink()
    survivors = [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", "4242"]]
    print(f"{len(ENTRIES)} entries, {len(FILES)} files; {len(survivors)} processes left")


def report(title: str, seconds: float, peak_bytes: int, code: int, words: str) -> None:
    """A line."""
    doubt = "  A FAULT IN TITO" if "a fault in tito" in words or code not in (0, 1, 2, 4) else ""
    print(f"{seconds:6.2f} s {peak_bytes / 1e6:6.0f} MB  exit {code}  {title}: {words[:90]}{doubt}", flush=True)


def kills(options: argparse.Namespace) -> None:
    """Kill commands that write, at random and amid a file; then look at every file, and for leavings of a next run."""
    generator, faults, amid = random.Random(0), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scratch").mkdir()
        os.environ |= {"TMPDIR": str(folder / "scratch"), "TITO_CACHE": str(folder / "cache")}
        ran(folder, [*next(each for each in WRITING if "benchmark" in each)])
        ran(folder, [*next(each for each in WRITING if "submit" in each)])
        (folder / "submission.json").rename(folder / "given.json")
        for number in range(options.times):
            command = [*WRITING][number % len(WRITING)]
            within = number % 3 == 0
            longest_s = 12.0 if "benchmark" in command else 2.0
            killed(folder, command, None if within else generator.uniform(0.1, longest_s))
            amid += within
            broken = [path for path in folder.rglob("*.json") if not is_whole(path)]
            ran(folder, [*command])
            left = [*folder.rglob(".writing-*"), *(folder / "scratch").iterdir()]
            faults += bool(broken or left)
            where = "amid a file" if within else "at random"
            print(f"{number:3} {where:<12}{' '.join(command[:3])}: broken {broken}, left {left}", flush=True)
    print(f"{options.times} killed, {amid} of them amid a file; {faults} left something")


def killed(folder: Path, command: tuple[str, ...], after_s: float | None) -> None:
    """Start a command, and kill it after so long, or amid the first file that it writes."""
    program = PROGRAM if after_s else PAUSING + PROGRAM
    with subprocess.Popen(
        [sys.executable, "-c", program, *command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        if after_s:
            time.sleep(after_s)
        else:
            while (line := process.stdout.readline()) and b"writing" not in line:  # type: ignore[union-attr]
                pass
        process.kill()


def is_whole(path: Path) -> bool:
    """Whether a file is one JSON document."""
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    for part in (entries, kills):
        parts.add_parser(part.__name__, help=part.__doc__).set_defaults(part=part)
    parts.choices["kills"].add_argument("--times", type=int, default=60)
    options = parser.parse_args()
    options.part(options)


if __name__ == "__main__":
    main()
