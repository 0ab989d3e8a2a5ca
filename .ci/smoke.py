"""Every command once, and every record there and back: what must hold with the lowest versions that we declare.

    python .ci/smoke.py

One line for each command that did not end as it should; the exit code says how many.
"""

from __future__ import annotations

import contextlib
import random
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pydantic import TypeAdapter

from tinytorch.competition.formats.document import Document
from tinytorch.competition.formats.leaderboard import RankingsDocument
from tinytorch.competition.ranking.judged import Circumstances, Judged, judge
from tinytorch.competition.record.run import Run, RunFile, parse_run
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.rules.events import Rules, load_rules
from tito.commands import every_command

COMMANDS = """
olympics benchmark --tier fast -o run.json
olympics benchmark --tier fast --strategy planned -o planned.json
olympics score
olympics score --json
olympics submit --event all_around --athlete Ada
olympics submit --event latency_sprint --athlete Bob -o bob.json --json
olympics validate submission.json
olympics validate . --json -o validation.json
olympics validate . --format junit
olympics validate . --format github
olympics validate . --format gradescope
olympics validate . --format markdown
olympics validate --explain all
olympics leaderboard submission.json bob.json
olympics leaderboard submission.json bob.json --json -o ranking.json
olympics leaderboard submission.json --format csv
olympics leaderboard submission.json --format markdown
olympics leaderboard --example --names top:3
olympics grade --example -o grades.csv
olympics cheats
olympics cheats looks_who_calls
olympics verify --self-test
olympics verify submission.json --tier fast -o verified --shard 1/1
olympics verify --merge -o verified
olympics verify sign verified --key key
olympics verify check verified --signers signers
olympics leaderboard submission.json --verified verified
olympics report submission.json bob.json
olympics private make words --from text.txt -o private.npz
olympics compare run.json planned.json
olympics doctor --forget
olympics benchmark --tier fast --strategy int8 --wait-quiet 0
olympics status
olympics tasks
olympics techniques
olympics techniques low rank
olympics explain
olympics explain quiet
olympics explain TO-E01
olympics init
olympics sweep told.py --set bits=8,4 --task digits_mlp -o sweep.html
olympics rules
olympics profile
olympics schema
olympics logo
module list
module status
module start tensor
module reset tensor
module test tensor --reference
module complete tensor
milestone list
milestone info 2
milestone run 2
milestone status
test tensor
system info
system health
"""
TOLD = """
def optimize(model, train_data, bits=8):
    from tinytorch.perf.quantization import quantize_model
    return quantize_model(model, bits=bits)
"""
FINDINGS = {  # exit code 1 is an answer, too: of files that are no submissions, of a busy machine, of a starter file
    "olympics validate .", "system health", "module complete", "module test", "test tensor",
}  # fmt: skip


def main() -> int:
    """How many commands and records failed."""
    letters = random.Random(0)
    words = ("".join(letters.choices("aeilnorst", k=letters.randint(1, 9))) for _ in range(3000))
    Path("text.txt").write_text(" ".join(words))
    Path("told.py").write_text(TOLD)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], check=True)
    Path("signers").write_text(f"ci {' '.join(Path('key.pub').read_text().split()[:2])}\n")
    wrong = [command for command in COMMANDS.strip().splitlines() if not ends_well(command)]
    lines = [tuple(command.split()) for command in COMMANDS.strip().splitlines()]
    called = {line[:length] for line in lines for length in (2, 3)} | {("test",)}
    missing = [" ".join(command) for command in every_command() if command not in called]
    for command in missing:
        print(f"BAD  never called: tito {command}")
    wrong += missing
    return len(wrong) + round_trips()


def ends_well(command: str) -> bool:
    """Whether a command ends with the code that it should, and without a traceback."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tito", *shlex.split(command)], capture_output=True, text=True, check=False
    )
    allowed = {0, 1} if any(command.startswith(each) for each in FINDINGS) else {0}
    allowed |= {5} if command.startswith("olympics verify submission.json") else set()  # on a busy machine
    is_good = done.returncode in allowed and "Traceback" not in done.stderr
    print(f"{'ok  ' if is_good else 'BAD '} {time.perf_counter() - start:5.1f} s  tito {command}", flush=True)
    if not is_good:
        print(done.stdout, done.stderr)
    return is_good


def round_trips() -> int:
    """How many records are not what they were once they have been text."""
    run = parse_run("run.json", Path("run.json").read_bytes())
    judged, submission = judge("submission.json", Path("submission.json").read_bytes(), load_rules())
    if submission is None:
        raise ValueError(judged.reason)
    records = [
        run, RunFile(run=run), judged, Circumstances.of(submission), submission, load_rules(),
        Document.model_validate_json(Path("validation.json").read_bytes()),
        RankingsDocument.model_validate_json(Path("ranking.json").read_bytes()),
    ]  # fmt: skip
    kinds = {Run, RunFile, Judged, Circumstances, Rules, Document, RankingsDocument, Submission}
    kept = [(TypeAdapter(type(each)), each) for each in records]
    wrong = [type(each).__name__ for text, each in kept if text.validate_json(text.dump_json(each)) != each]
    print(f"{len(records) - len(wrong)} of {len(kinds)} records came back as they went {wrong or ''}")
    return len(wrong) + len(kinds - {*map(type, records)})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        sys.exit(main())
