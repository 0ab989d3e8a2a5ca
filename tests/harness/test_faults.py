"""Bad entries: each a distinct message with the entry's own line, and nothing recorded. Real worker processes."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tinytorch.benchmarking.session import Settings
from tinytorch.errors import EntryError, RunError, UsageError
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.faults import blaming, entry_error, scratch
from tinytorch.harness.frozen import ENTRY
from tinytorch.harness.run import run_competition
from tinytorch.processes.failure import Frame, WorkerFailedError
from tinytorch.workloads.registry import find_task

CHANGES = """
from pathlib import Path
folder = Path(__file__).parent
number = len(list(folder.parent.glob("process*")))  # 0 answers alone, 1 is timed
(folder.parent / f"process{{number}}").touch()
class Writes:
    def __init__(self, model): self.model = model
    def __call__(self, x):
        if number == {process}:
            (folder / {name!r}).chmod(0o644)
            (folder / {name!r}).write_bytes(b"")
        return self.model(x)
def optimize(model, train_data):
    return Writes(model)
"""
OWN_CLASS = """
class Own:
    def __init__(self, model): self.model = model
    def __call__(self, x): return self.model(x)
def optimize(model, train_data):
    return Own(model)
"""
ENTRIES = {
    "raises": ("def optimize(model, train_data):\n    return 1 / 0\n", ["ZeroDivisionError", "line 2", "1 / 0"]),
    "bad import": ("import no_such_module\n", ["ModuleNotFoundError", "line 1"]),
    "bad syntax": ("def optimize(model, train_data)\n    return model\n", ["SyntaxError: expected ':'\n", "line 1"]),
    "no optimize": ("x = 3\n", ["defines no function `optimize"]),
    "optimise": ("def optimise(model, train_data):\n    return model\n", ["it has 'optimise': name that optimize"]),
    "an error without words": (
        "class Mute(Exception):\n    def __str__(self): return None.words\n"
        "def optimize(model, train_data):\n    raise Mute\n",
        ["Mute: its own words cannot be read", "line 4"],
    ),
    "a slip": ("from tinytorch.perf.compression import prune_neuron\n", ["'; did you mean 'prune_neurons'?", "line 1"]),
    "returns None": ("def optimize(model, train_data):\n    pass\n", ["returned None"]),
    "returns no model": ("def optimize(model, train_data):\n    return 42\n", ["'int', which is not a model"]),
    "loops": (
        "def optimize(model, train_data):\n    while True:\n        pass\n",
        ["did not finish", "in optimize", "line"],
    ),
    "exits": ("import os\ndef optimize(model, train_data):\n    os._exit(3)\n", ["exit status 3", "line 3"]),
    "sys.exit": ("import sys\ndef optimize(model, train_data):\n    sys.exit(3)\n", ["SystemExit", "line 3"]),
    "wrong shape": (
        "class Half:\n    def __call__(self, x):\n        return x.reshape(len(x.data), -1)[:, :5]\n"
        "def optimize(model, train_data):\n    return Half()\n",
        ["for each sample the shape (5,) where the baseline returns (10,)", "line 4"],
    ),
    "NaN": (
        "class Nan:\n    def __call__(self, x):\n        return x.reshape(len(x.data), -1)[:, :10] * float('nan')\n"
        "def optimize(model, train_data):\n    return Nan()\n",
        ["NaN or infinite", "line 4"],
    ),
    "returns a tuple": (
        "class Two:\n    def __init__(self, model): self.model = model\n"
        "    def __call__(self, x):\n        return self.model(x), 1\n"
        "def optimize(model, train_data):\n    return Two(model)\n",
        ["the model returns a tuple instead of outputs"],
    ),
    "raises when run": (
        "class Bad:\n    def __call__(self, x):\n        raise RuntimeError('later')\n"
        "def optimize(model, train_data):\n    return Bad()\n",
        ["running the optimized model", "RuntimeError: later", "line 3"],
    ),
    "exits when run": (
        "import os\nclass Bad:\n    def __call__(self, x):\n        os._exit(5)\n"
        "def optimize(model, train_data):\n    return Bad()\n",
        ["running the optimized model", "exit status 5", "line 4"],
    ),
    "cannot be saved": (
        "def optimize(model, train_data):\n    return lambda x: x\n",
        ["cannot be saved"],
    ),
    "an artifact that is not there": (
        "from tinytorch.harness import builder\n"
        "plain = builder.Made\nbuilder.Made = lambda declared, modules, size: plain(declared, modules, 2**40)\n"
        "def optimize(model, train_data):\n    return model\n",
        ["did not build what it says"],
    ),
    "an answer that is larger than its parcel": (
        "from tinytorch.benchmarking.answers import ArrayForm\n"
        "ArrayForm.write = lambda parcel, array: ArrayForm((2**30, 10), '<f4')\n" + OWN_CLASS,
        ["the model's outputs take 42.9 GB, at most 67.1 MB fit"],
    ),
    "bad division": ("DIVISION = 'half'\ndef optimize(model, train_data):\n    return model\n", ["DIVISION"]),
    "patches the framework when imported": (
        "from tinytorch.core.layers import Linear\n"
        "forward = Linear.forward\nLinear.forward = lambda self, x: [forward(self, x) for _ in range(9)][0]\n"
        + OWN_CLASS,
        ["changed the framework", "tinytorch.core.layers.Linear.forward"],
    ),
    "patches the framework when timed": (
        "import tinytorch.core.ops as ops\n"
        "class Slow:\n    calls = 0\n    def __init__(self, model): self.model = model\n"
        "    def __call__(self, x):\n        Slow.calls += 1\n"
        "        if Slow.calls == 300: ops.matmul_later = ops.OPERATIONS['relu'] = ops.OPERATIONS['exp']\n"
        "        return self.model(x)\n"
        "def optimize(model, train_data):\n    return Slow(model)\n",
        ["changed the framework", "OPERATIONS[relu]"],
    ),
    "another answer to one sample": (
        "class Quick:\n    def __init__(self, model): self.model = model\n    def __call__(self, x):\n"
        "        return self.model(x) if len(x.data) > 1 else self.model(x) * 0\n"
        "def optimize(model, train_data):\n    return Quick(model)\n",
        ["another output for sample 0 alone, as it is timed", "line 5"],
    ),
    "more BLAS threads": (
        "from threadpoolctl import threadpool_limits\n"
        "class Many:\n    def __init__(self, model): self.model = model\n    limits = None\n"
        "    def __call__(self, x):\n"
        "        Many.limits = Many.limits or threadpool_limits(2, user_api='blas')\n        return self.model(x)\n"
        "def optimize(model, train_data):\n    return Many(model)\n",
        ["BLAS used 2 threads"],
    ),
    "more BLAS threads while timed only": (
        "from threadpoolctl import threadpool_limits\n"
        "class Sly:\n    calls = 0\n    def __init__(self, model): self.model = model\n    def __call__(self, x):\n"
        "        Sly.calls += 1\n"
        "        if Sly.calls in (3, 300): threadpool_limits(2 if Sly.calls == 3 else 1, user_api='blas')\n"
        "        return self.model(x)\n"
        "def optimize(model, train_data):\n    return Sly(model)\n",
        ["BLAS used 2 threads after the timing"],
    ),
    "changes the run's copy of its source": (
        CHANGES.format(name="olympics_entry.py", process=0),
        ["copy of the entry was changed"],
    ),
    "changes the run's own files in the last process": (
        CHANGES.format(name="optimized.pickle", process=1),
        ["running the optimized model: the run's own copy of optimized.pickle was changed"],
    ),
    "raises in a helper": (
        "import helper\ndef optimize(model, train_data):\n    return helper.help()\n",
        ["KeyError", "helper.py, line 2, in help"],
    ),
    "bad track": (
        "TRACK = 'robot'\ndef optimize(model, train_data):\n    return model\n",
        ["TRACK must be one of human"],
    ),
    "bad techniques": ("TECHNIQUES = 3\ndef optimize(model, train_data):\n    return model\n", ["TECHNIQUES"]),
}


@pytest.mark.parametrize(("source", "expected"), ENTRIES.values(), ids=ENTRIES.keys())
def test_a_bad_entry_gets_a_message_of_its_own(
    source: str, expected: list[str], tmp_path: Path, tiny_tier, cache_directory: Path
) -> None:
    path = tmp_path / "entry.py"
    path.write_text(source)
    path.with_name("helper.py").write_text("def help():\n    return {}['nothing']\n")
    contender = Contender.entry(path)
    limit_s = 3 if "while True" in source else 60
    with pytest.raises(EntryError) as caught:
        run_competition(Challenge(find_task("digits_cnn"), contender, Settings(tiny_tier), limit_s, cache_directory))

    assert all(part in caught.value.message for part in expected), caught.value.message


@pytest.mark.parametrize("name", ["missing.py", "folder", "notes.txt"])
def test_a_file_that_is_no_entry_is_a_usage_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(UsageError):
        Contender.entry(tmp_path / name)


def test_hostile_text_in_a_message_is_escaped(tmp_path: Path, tiny_tier, cache_directory: Path) -> None:
    path = tmp_path / "entry.py"
    path.write_text("def optimize(model, train_data):\n    raise ValueError('\\x1b[31m\\u202e')\n")
    with pytest.raises(EntryError) as caught:
        run_competition(
            Challenge(find_task("digits_cnn"), Contender.entry(path), Settings(tiny_tier), 10, cache_directory)
        )

    assert "\x1b" not in caught.value.message
    assert "\u202e" not in caught.value.message


def failed(detail: str, frames: list[Frame], mend: str = "") -> WorkerFailedError:
    """A worker whose entry raised."""
    return WorkerFailedError("raised", detail, frames, mend=mend)


LINE = Frame(f"/x/{ENTRY}", 1, "optimize", "1 / 0")
MENDS = {
    "with a line": (failed("ZeroDivisionError", [LINE]), "mend that line"),
    "without a line": (failed("ZeroDivisionError", []), "mend what is said"),
    "with a mend of its own": (failed("the model returns a tuple", [LINE], "return the outputs"), "return the outputs"),
}


@pytest.mark.parametrize(("failure", "words"), MENDS.values(), ids=MENDS.keys())
def test_a_line_is_to_be_mended_only_where_one_is_shown(failure: WorkerFailedError, words: str) -> None:
    assert entry_error(failure, Contender("entry", "e.py", "", b"1 / 0"), "in optimize").mend.startswith(words)


@pytest.mark.parametrize("source", [b"", None])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_in_a_worker_is_named_and_nobody_is_blamed(source: bytes | None, number: int) -> None:
    with (
        pytest.raises(RunError, match=r"the disk of .* is full") as caught,
        blaming(Contender("strategy", "x", "", source), "in optimize"),
    ):
        raise failed(f"OSError: {OSError(number, 'full')}", [LINE])

    assert "TMPDIR" in caught.value.mend


def test_an_entry_that_cannot_be_read_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, limit_bytes: int) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "entry.py").write_text("")
    monkeypatch.setattr("tinytorch.harness.contender.read_regular", refuse)
    with pytest.raises(UsageError, match=r"cannot read .*entry.py: Permission denied"):
        Contender.entry(tmp_path / "entry.py")


def test_a_full_disk_here_is_named_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(RunError, match=f"the disk of {tmp_path} is full"), scratch():
        raise OSError(errno.ENOSPC, "No space left on device")

    assert list(tmp_path.iterdir()) == []


ANSWERS = """
import numpy as np
class Answers:
    def __init__(self, model): self.model = model
    def __call__(self, x): return {answers}
def optimize(model, train_data):
    return Answers(model)
"""
WRONG_TOKENS = {
    "too few": ("np.array(self.model(x))[:, :3]", "generates too few tokens: 3 where the task wants 4"),
    "too many": (
        "np.tile(np.array(self.model(x)), 2)",
        "generates too many tokens: 8 where the task wants 4",
    ),
    "beyond the vocabulary": ("np.array(self.model(x)) + 20", "and the vocabulary is 0..9"),
    "below it": ("np.array(self.model(x)) - 20", "and the vocabulary is 0..9"),
    "no whole numbers": ("np.array(self.model(x)) * 0.5", "returns float64 where whole tokens are wanted"),
    "one answer for all": ("np.array(self.model(x))[:1, :4].ravel()", "returns shape (4,)"),
}


@pytest.mark.parametrize(("answers", "expected"), WRONG_TOKENS.values(), ids=WRONG_TOKENS.keys())
def test_tokens_that_are_none_are_told(
    answers: str, expected: str, small_task, tmp_path: Path, tiny_tier, cache_directory: Path
) -> None:
    path = tmp_path / "entry.py"
    path.write_text(ANSWERS.format(answers=answers))
    with pytest.raises(EntryError) as caught:
        run_competition(Challenge(small_task, Contender.entry(path), Settings(tiny_tier), 60, cache_directory))

    assert expected in str(caught.value)
    assert "line 6: def optimize" in str(caught.value)
