"""The exploit corpus, tried: what trust T1, T2 and T3 say of each entry that cheats, and of the honest ones.

    python benchmarks/cheats.py try [NAME...]      # those that were not tried yet: a minute each
    python benchmarks/cheats.py honest [ROUNDS]    # twelve honest entries, claimed once and refereed so often
    python benchmarks/cheats.py report             # the table of docs/trust.md, and what honest entries were asked
    python benchmarks/cheats.py write              # verdicts.json of the package, which `tito olympics cheats` shows

Each result is one line of `cheats.jsonl`; Ctrl-C loses one, and the next call goes on. The task is digits_cnn. Its
private data are distorted copies of training digits here: other digits are not to be had.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.checks.refereed import REFEREED
from tinytorch.competition.checks.verified import How, Verification
from tinytorch.competition.ranking.judged import judge
from tinytorch.competition.record.run import Run, SourceRecord
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.outside import speedup_outside
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.competition.scoring.scores import compute_scores
from tinytorch.core.archive import archive_of
from tinytorch.datasets.digits import load_digits
from tinytorch.datasets.distorted import distorted
from tinytorch.errors import EntryError
from tinytorch.files import sha256
from tinytorch.harness.cheats.catalogue import LEVELS, TWINS, VERDICTS, Verdict, cheats, entry
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.referee.private import private_files
from tinytorch.harness.referee.redraw import Redraws
from tinytorch.harness.referee.referee import Referee
from tinytorch.harness.referee.verify import Candidate, Place, box_tested, hides_labels, verified
from tinytorch.harness.run import run_competition
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.task import Task

RECORD = Path(__file__).with_name("cheats.jsonl")
TASK = "digits_cnn"
BUILD_LIMIT_S, MEMORY_BYTES = 120.0, 2 * 2**30
RULES = load_rules()
BEATS = {"latency_sprint": "speedup", "memory_challenge": "compression_ratio", "accuracy_contest": "accuracy"}


@cache
def task() -> Task:
    """That of the corpus."""
    return find_task(TASK)


@cache
def place() -> Place:
    """A box of tier A, and a referee with private data."""
    train, _ = load_digits()
    generator = np.random.default_rng(20261130)
    pictures = distorted(train.inputs, generator)
    images = np.rint(pictures.reshape(-1, 8, 8) * 16).astype(np.uint8)
    file = Path(tempfile.mkdtemp()) / "private.npz"
    file.write_bytes(archive_of({"images": images, "labels": train.labels.astype(np.uint8)}))
    private = private_files([file])
    how = How(level="T3", isolation="A", tier="fast", build_limit_s=BUILD_LIMIT_S, memory_limit_bytes=MEMORY_BYTES,
              rules_sha256=RULES.sha256, private=[private[TASK].sha256])  # fmt: skip
    referee = Referee(private, Redraws(b"the corpus"))
    return Place(how, box_tested("A"), hides_labels("A"), RULES, referee=referee)


def claimed(path: Path) -> tuple[Run | None, str]:
    """What `benchmark` shows of an entry in a plain process, or why it shows nothing."""
    challenge = Challenge(task(), Contender.entry(path), Settings.of(TIERS["fast"], None), BUILD_LIMIT_S)
    try:
        return run_competition(challenge), ""
    except EntryError as error:
        return None, error.message.split("\n")[0]


def tried(name: str, event: str, run: Run | None, refused: str) -> dict[str, Any]:
    """Of one entry what each level says; where it could not be measured, its claim is its honest twin's."""
    path = entry(name)
    if run is None:
        raise ValueError("an entry without a claim needs its twin's")
    source = SourceRecord(kind="entry", name=path.name, sha256=sha256(path.read_bytes()), helpers=[], data=[],
                          division="open", techniques=["none"])  # fmt: skip
    document = submission_from_run(run.model_copy(update={"source": source}), event=event, athlete_name=name,
                                   created_at=datetime.now(UTC))  # fmt: skip
    judged, submission = judge(name, json.dumps(document).encode(), RULES)
    candidate = Candidate(judged, submission, path)
    found = again = verified(candidate, place())
    if found.outcome == "DNF" and _was_the_referee(found):  # what it did before is not in the record
        again = verified(candidate, replace(place(), referee=None))
    line = {"name": name, "event": event, "refused": refused, "reason": found.reason, "outcome": found.outcome,
            "level": found.level, "took_s": found.took_s, "no_t3": found.no_t3,
            "T1": {"found": f"refused: {refused}" if refused else _errors_of(judged), "value": _value(run, event)},
            "T2": _second(again, event), "T3": _third(found, event),
            "warnings": [each.id for each in found.findings if each.passed is False and each.severity == "warning"],
            "errors": [each.id for each in found.findings if each.is_error]}  # fmt: skip
    with RECORD.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps({key: line[key] for key in ("name", "T1", "T2", "T3", "took_s", "no_t3")})[:400], flush=True)
    return line


def _was_the_referee(found: Verification) -> bool:
    return "asked by the referee" in found.reason or "on a redrawn baseline" in found.reason


def _errors_of(judged: Any) -> str:
    return " ".join(each.id for each in judged.findings if each.is_error)


def _second(found: Verification, event: str) -> dict[str, Any]:
    """What the re-run alone shows."""
    own = {check.name for check in REFEREED}
    errors = " ".join(each.id for each in found.findings if each.is_error and each.name not in own)
    if found.outcome == "DNF":
        return {"found": "DNF", "value": None}
    return {"found": errors, "value": _value(found.run, event) if found.run else None}


def _third(found: Verification, event: str) -> dict[str, Any]:
    """What the referee shows; without the level nothing is shown as refereed."""
    if found.outcome == "DNF":
        return {"found": "DNF", "value": None}
    errors = " ".join(each.id for each in found.findings if each.is_error)
    if errors or found.level != "T3":
        return {"found": errors or f"no T3: {found.no_t3 or found.reason or found.outcome}", "value": None}
    return {"found": "", "value": _value(found.run, event, found) if found.run else None}


def _value(run: Run, event: str, found: Verification | None = None) -> float | None:
    """What the event ranks by; a refereed speedup is that of the clock outside."""
    ranked = BEATS[event]
    accuracy, times = run.optimized.metrics.accuracy, found.refereed.outside if found and found.refereed else None
    if ranked == "accuracy":
        return accuracy.mean if accuracy else None
    if ranked == "speedup" and times is not None:
        return speedup_outside(times, run, RULES).estimate
    value: float | None = getattr(compute_scores(run, RULES), ranked)
    return value


def try_all(names: Sequence[str]) -> None:
    """Twins first: their figures are what the others are compared with, and their claims what is forged."""
    done = {line["name"] for line in _lines()}
    twins = {}
    for name in TWINS:
        run, refused = claimed(entry(name))
        if run is None:
            raise SystemExit(f"the honest {name} is refused: {refused}")
        twins[name] = run
        for event in BEATS:
            if f"{name} {event}" not in {f"{line['name']} {line['event']}" for line in _lines()}:
                event_fits = event == "accuracy_contest" or name != "weak"
                if event_fits:
                    tried(name, event, run, "")
    for cheat in cheats().values():
        if cheat.name in done or (names and cheat.name not in names):
            continue
        run, refused = claimed(cheat.path)
        tried(cheat.name, cheat.event.value, run or twins[cheat.twin], refused)


def verdicts() -> dict[str, dict[str, Verdict]]:
    """Of each cheat that was tried, by the level."""
    lines = {(line["name"], line["event"]): line for line in _lines()}
    found = {}
    for cheat in cheats().values():
        line, twin = lines.get((cheat.name, cheat.event.value)), lines.get((cheat.twin, cheat.event.value))
        if line and twin:
            found[cheat.name] = {level: _verdict(line[level], twin[level]) for level in LEVELS}
    return found


def _verdict(line: dict[str, Any], twin: dict[str, Any]) -> Verdict:
    if line["found"]:
        return Verdict(line["found"][:120])
    return Verdict("", round(line["value"] / twin["value"], 3))


def report() -> None:
    """The table, the misses, and what honest entries were asked."""
    known = verdicts()
    print("| level | caught | harmless | missed |\n|---|---|---|---|")
    for level in LEVELS:
        count = Counter(each[level].ending for each in known.values())
        print(f"| {level} | {count['caught']} | {count['harmless']} | {count['missed']} |")
    for cheat in cheats().values():
        if cheat.name in known:
            print(
                f"{cheat.number:2} {cheat.name:28}",
                *(f"{level} {_words(known[cheat.name][level])};" for level in LEVELS),
            )
    _report_honest()


def _report_honest() -> None:
    honest = [line for line in _lines() if line["name"] in TWINS or line["name"].startswith("honest ")]
    errors = [line for line in honest if line["errors"] or line["outcome"] == "DNF"]
    warnings = Counter(each for line in honest for each in line["warnings"])
    given = sum(line["level"] == "T3" for line in honest)
    print(f"honest: {len(honest)} refereed, {given} T3, {len(errors)} with an error "
          f"{[(line['name'], line['reason']) for line in errors]}, warnings {dict(warnings)}, "
          f"{Counter(line['no_t3'][:40] for line in honest if line['no_t3'])}")  # fmt: skip
    took = sorted(line["took_s"] for line in honest)
    if took:
        print(f"one takes {took[len(took) // 2]:.0f} s (median), {took[-1]:.0f} s at most")


def _words(verdict: Verdict) -> str:
    return verdict.found or (f"{verdict.ending} ({verdict.gain:.2f}x)" if verdict.gain is not None else verdict.ending)


def write() -> None:
    """For the package."""
    told: dict[str, Any] = {
        name: {level: {"found": each.found} if each.found else {"gain": each.gain} for level, each in found.items()}
        for name, found in verdicts().items()
    }
    VERDICTS.write_text(json.dumps(told, indent=1) + "\n")


def _lines() -> Iterator[dict[str, Any]]:
    if RECORD.exists():
        yield from map(json.loads, RECORD.read_text().splitlines())


def main() -> None:
    """Run one of the experiments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["try", "report", "write"])
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    match asked.what:
        case "try":
            try_all(asked.names)
        case "report":
            report()
        case "write":
            write()


if __name__ == "__main__":
    main()
