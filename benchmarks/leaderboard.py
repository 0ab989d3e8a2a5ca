"""The figures of `tito olympics leaderboard` and `report`, on synthetic submissions that are made from measured runs.

    python benchmarks/leaderboard.py make   FOLDER [--count 10000]        five measured strategies, varied; continues
    python benchmarks/leaderboard.py rank   FOLDER [--count 5000 10000]   the first call, the second, their peak memory
    python benchmarks/leaderboard.py sets   FOLDER [--count 1000 10000]   the order and the sets of ranks alone
    python benchmarks/leaderboard.py report FOLDER [--count 300]          time, and the size of the page
    python benchmarks/leaderboard.py grade  FOLDER [--count 300]          time of grades, from nothing and again
    python benchmarks/leaderboard.py example FOLDER                       the class that `leaderboard --example` shows

Nothing that is ranked here was measured: each file is one of the five runs with seeded noise (every sample, the speed
of each process, the speed, size and answers of the model), and says so by its athlete's name. Files are as large as
real ones of the default tier. Results are appended to FOLDER/results.txt.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZIP_LZMA, ZipFile, ZipInfo

import psutil
from validation import measured, resident_bytes

from tinytorch.benchmarking.bits import pack_bits
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Accuracy, Memory, ModelRecord
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.ranking.figures import POWERS
from tinytorch.competition.ranking.judged import Judged, judge_file
from tinytorch.competition.ranking.order import ranked
from tinytorch.competition.record.people import Athlete
from tinytorch.competition.record.run import Run, RunFile, parse_run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.packaging import submission_from_run

PROGRAM = [sys.executable, "-c", "from tito.start import main; main()", "olympics"]


def make(options: argparse.Namespace) -> None:
    """The runs, then the submissions; what is there already is left."""
    folder = Path(options.folder)
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    (folder / "class").mkdir(exist_ok=True)
    for event in OlympicEvent:
        path = folder / "runs" / f"{event.value}.json"
        if not path.exists():
            path.write_text(RunFile.text(measured("default", event.value)), encoding="utf-8")
    wanted = [number for number in range(options.count) if not _file(folder, number).exists()]
    with ProcessPoolExecutor(2) as pool:
        for done, _ in enumerate(pool.map(partial(_make_one, folder), wanted, chunksize=20), 1):
            if done % 500 == 0:
                print(f"{done:,} of {len(wanted):,} made", flush=True)


def _file(folder: Path, number: int) -> Path:
    return folder / "class" / f"{number:05}.json"


def _make_one(folder: Path, number: int) -> None:
    """One synthetic submission: of every seventh athlete a second one."""
    generator = random.Random(number)
    event = list(OlympicEvent)[number % len(OlympicEvent)]
    run = parse_run(event.value, (folder / "runs" / f"{event.value}.json").read_bytes())
    models = {"baseline": _noisy(run.baseline, generator, 1.0), "optimized": _varied(run.optimized, generator)}
    changed = run.model_copy(update=models)
    athlete = f"Synthetic {number - number % 7 if number % 7 == 5 else number}"
    document = submission_from_run(changed, event=event, athlete_name=athlete, techniques=["seeded noise"])
    path = _file(folder, number).with_suffix(".part")
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    path.rename(_file(folder, number))


def _varied(model: ModelRecord, generator: random.Random) -> ModelRecord:
    """A model of another speed, size and accuracy, measured with noise."""
    model = _noisy(model, generator, generator.lognormvariate(0.0, 0.2))
    memory, accuracy = model.metrics.memory, model.metrics.accuracy
    if memory is None or memory.kept_bytes is None or accuracy is None:
        raise ValueError("a run has its memory and accuracy")
    kept = round(memory.kept_bytes * generator.uniform(0.8, 1.2))
    right = [each != (generator.random() < 0.005) for each in accuracy.right() or ()]
    changes: dict[str, Any] = {"memory": Memory.from_bytes(kept, kept + 500, memory.peak_working_bytes, memory.unseen),
               "accuracy": Accuracy.from_correctness(right)}  # fmt: skip
    return model.model_copy(update={"metrics": model.metrics.model_copy(update=changes)})


def _noisy(model: ModelRecord, generator: random.Random, factor: float) -> ModelRecord:
    """The same model with other samples: a factor for all, one for each process, a little for each sample."""
    latency = model.metrics.latency
    if latency is None or latency.times_ns is None:
        raise ValueError("a run has its samples")
    copies = latency.copies_per_unit or 1
    processes = [factor * generator.lognormvariate(0.0, 0.01) for _ in range(latency.unit_count)]
    samples = [
        [[max(1, round(time_ns * processes[number // copies] * generator.uniform(0.995, 1.005))) for time_ns in block]
         for block in blocks] for number, blocks in enumerate(latency.times_ns.tolist())
    ]  # fmt: skip
    fresh = Latency.from_samples(samples, latency.calls_per_sample or 1, copies, latency.session)
    return model.model_copy(update={"metrics": model.metrics.model_copy(update={"latency": fresh})})


PEOPLE = ("Ada", "Bela", "Chidi", "Dilek", "Emre", "Femi", "Grace", "Hana", "Ivo", "Jun")
ABSENT = ("Kwame", "Lea")
EXAMPLE = Path(__file__).parents[1] / "tito" / "olympics" / "example.zip"
CLASS = """# An example. Nothing in this folder was handed in by anybody: see README.txt.
title = "Example class: ten synthetic submissions"
task = "fashion_mlp"
events = ["latency_sprint", "all_around"]
roster = "roster.csv"
points = { "1x" = 0, "40x" = 100 }

[event_points.all_around]
"1" = 0
"6" = 100
"""
README = """These ten submissions are synthetic. Each is one of two measured runs of reference strategies with
seeded noise: every sample, the speed of each process, and the speed, size and answers of the model.
"""


def example(options: argparse.Namespace) -> None:
    """Ten synthetic submissions to two events, with a roster and a class.toml, as one archive."""
    folder = Path(options.folder)
    folder.mkdir(exist_ok=True)
    files = {"class.toml": CLASS, "README.txt": README, "roster.csv": _roster()}
    for number, name in enumerate(PEOPLE):
        event = (OlympicEvent.LATENCY_SPRINT, OlympicEvent.ALL_AROUND)[number % 2]
        path = folder / f"example-{event.value}.json"
        if not path.exists():
            path.write_text(RunFile.text(measured("fast", event.value)), encoding="utf-8")
        run = parse_run(event.value, path.read_bytes())
        changed = _changed(run, random.Random(number))
        document = submission_from_run(
            changed, event=event, athlete_name=f"Synthetic {name}", athlete_id=f"{1001 + number}",
            techniques=["seeded noise"], created_at=datetime(2026, 11, 1, 12, number, tzinfo=UTC),
        )  # fmt: skip
        files[f"{name.lower()}.json"] = json.dumps(document, indent=2)
    with ZipFile(EXAMPLE, "w", ZIP_LZMA) as archive:
        for name, text in files.items():
            archive.writestr(ZipInfo(name, (2026, 11, 1, 12, 0, 0)), text, ZIP_LZMA)
    print(f"{EXAMPLE.name}: {EXAMPLE.stat().st_size / 1e3:.0f} kB")


def _roster() -> str:
    people = enumerate((*PEOPLE, *ABSENT), 1001)
    return "id,name\n" + "".join(f"{number},Synthetic {name}\n" for number, name in people)


def _changed(run: Run, generator: random.Random) -> Run:
    """The run with noise, of a machine whose name says that there is none, and that was measured before anything."""
    protocol = run.protocol.model_copy(update={
        "started_at": datetime(2026, 11, 1, 11, tzinfo=UTC), "ended_at": datetime(2026, 11, 1, 11, 10, tzinfo=UTC),
        "doubts": [],
    })  # fmt: skip
    machine = run.system_info.model_copy(update={"cpu_model": "a synthetic machine"})
    models = {"baseline": _noisy(run.baseline, generator, 1.0), "optimized": _varied(run.optimized, generator)}
    return run.model_copy(update={"protocol": protocol, "system_info": machine, **models})


def called(folder: Path, cache: Path, *arguments: str) -> tuple[float, int, int]:
    """Seconds, peak bytes of all processes together, and exit code of one call."""
    started, peak, environment = time.perf_counter(), 0, {**os.environ, "TITO_CACHE": str(cache)}
    command = [*PROGRAM, *arguments]
    with psutil.Popen(command, stdout=subprocess.DEVNULL, cwd=folder, env=environment) as process:
        while process.poll() is None:
            peak = max(peak, resident_bytes(process))
            time.sleep(0.5)  # looking at memory takes milliseconds of a core that is needed
        return time.perf_counter() - started, peak, process.returncode


def chosen(folder: Path, count: int) -> Path:
    """A folder with the first so many submissions, as links to the same content."""
    part = folder / f"class-{count}"
    part.mkdir(exist_ok=True)
    for number in range(count):
        link = part / _file(folder, number).name
        if not link.exists():
            link.hardlink_to(_file(folder, number))
    return part


def rank(options: argparse.Namespace) -> None:
    """Each count from nothing, then with the index, for people and as JSON."""
    folder = Path(options.folder).absolute()
    first: dict[int, float] = {}
    for count in options.count:
        part, cache = chosen(folder, count), folder / f"cache-{count}"
        shutil.rmtree(cache, ignore_errors=True)
        calls = {"first": [], "index": [], "index, json": ["--json"]}
        for name, further in calls.items():
            seconds, peak, code = called(folder, cache, "leaderboard", str(part), *further)
            first[count] = first.get(count, seconds)
            tell(folder, f"leaderboard of {count:,}, {name}: {seconds:.1f} s, peak {peak / 1e6:.0f} MB, exit {code}")
    if len(options.count) > 1:
        low, high = options.count[0], options.count[-1]
        tell(folder, f"first call, {high:,} against {low:,}: {first[high] / first[low]:.2f} times as long")


def sets(options: argparse.Namespace) -> None:
    """Order and sets of so many entries to one event, which are the first file of each with other numbers."""
    folder, rules = Path(options.folder).absolute(), load_rules()
    for event, number in (("latency_sprint", 0), ("accuracy_contest", 2), ("all_around", 3)):
        first = judge_file(str(_file(folder, number)), rules=rules)
        for count in options.count:
            files = [_drawn(first, random.Random(each), each) for each in range(count)]
            started = time.perf_counter()
            ranked(files, rules)
            tell(folder, f"sets of {count:,}, {event}: {time.perf_counter() - started:.2f} s")


def _drawn(judged: Judged, generator: random.Random, number: int) -> Judged:
    """The file with another speedup and other answers."""
    figures = judged.entered
    shift, task = generator.gauss(0.0, 0.3), figures.task
    logs = [each + shift + generator.gauss(0.0, 0.01) for each in figures.log_ratios or ()]
    right = bytes.fromhex(pack_bits([generator.random() < 0.85 for _ in range(task.test_samples if task else 0)]))
    factor = math.exp(shift * POWERS.get(figures.ranked_by, 0.0))
    low, high = figures.interval or (figures.ranked_value, figures.ranked_value)
    changed = replace(
        figures, log_ratios=logs, bitmaps=(right, right), value=figures.ranked_value * factor,
        interval=(low * factor, high * factor), athlete=Athlete(name=f"Synthetic {number}"),
    )  # fmt: skip
    return replace(judged, figures=changed)


def report(options: argparse.Namespace) -> None:
    """A page of so many submissions, with the index and without."""
    folder = Path(options.folder).absolute()
    for count in options.count:
        part, cache, page = chosen(folder, count), folder / f"cache-report-{count}", folder / f"{count}.html"
        shutil.rmtree(cache, ignore_errors=True)
        for name in ("first", "index"):
            seconds, peak, code = called(folder, cache, "report", str(part), "-o", str(page), "--force")
            size = page.stat().st_size / 1e6
            tell(folder, f"report of {count:,}, {name}: {seconds:.1f} s, {size:.2f} MB, peak {peak / 1e6:.0f} MB, "
                 f"exit {code}")  # fmt: skip


def grade(options: argparse.Namespace) -> None:
    """Grades of so many submissions: from nothing, and with the index."""
    folder = Path(options.folder).absolute()
    asked = folder / "grade.toml"
    asked.write_text(CLASS.replace('roster = "roster.csv"\n', ""))
    for count in options.count:
        part, cache, table = chosen(folder, count), folder / f"cache-grade-{count}", folder / f"{count}.csv"
        shutil.rmtree(cache, ignore_errors=True)
        for name in ("first", "index"):
            call = ("grade", str(part), "--class", str(asked), "-o", str(table), "--force")
            seconds, peak, code = called(folder, cache, *call)
            tell(folder, f"grade of {count:,}, {name}: {seconds:.1f} s, peak {peak / 1e6:.0f} MB, exit {code}")


def tell(folder: Path, line: str) -> None:
    """Say it, and keep it."""
    print(line, flush=True)
    with (folder / "results.txt").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for part, counts in (
        (make, 10_000),
        (rank, [5_000, 10_000]),
        (sets, [1_000, 10_000]),
        (report, [300]),
        (grade, [300]),
        (example, 10),
    ):
        command = commands.add_parser(part.__name__, help=part.__doc__)
        command.add_argument("folder")
        command.add_argument(
            "--count", type=int, default=counts, nargs="+" if part in (rank, sets, report, grade) else None
        )
        command.set_defaults(part=part)
    options = parser.parse_args()
    options.part(options)


if __name__ == "__main__":
    main()
