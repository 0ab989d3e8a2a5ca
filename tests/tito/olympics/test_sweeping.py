"""The work of a sweep: which settings, how many at once, until when, and which are timed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tinytorch.files import sha256
from tinytorch.harness.contender import Contender
from tito.olympics.sweeping import Looks, builds_at_once, folder_of_sweep, front, grid, look_command
from tito.workspace.sweeps import Setting, SweepFolder

SOURCE = b"def optimize(model, train_data, keep=1, rate=0.5, name='a', on=True): ...\n"
FIGURES = {"accuracy": 0.9, "kept_bytes": 1000, "flops": 100, "moved_bytes": 50}
SEEN = (
    f"SOURCE = {SOURCE!r}"
    + """
import json, sys
from tito.workspace.sweeps import FIGURES, ROLES, WHOLE
from tinytorch.files import sha256
from tinytorch.harness.contender import Contender
figures = {role: {**dict.fromkeys(FIGURES, 1), WHOLE: True} for role in ROLES}
told = dict(each.split("=") for each in sys.argv[2::2])
arguments = {name: int(value) for name, value in told.items()}
who = Contender("entry", "entry.py", sha256(SOURCE), SOURCE)
digest = who.with_defaults(arguments).sha256
print(json.dumps({"task": "t", "source": "e", "sha256": digest, "arguments": arguments, **figures}))
"""
)
FAILED = "import sys; sys.exit('error: no')"


def contender(source: bytes = SOURCE) -> Contender:
    return Contender("entry", "entry.py", sha256(source), source)


@pytest.fixture
def kept(tmp_path: Path) -> SweepFolder:
    return SweepFolder(tmp_path, "entry")


def looks(kept: SweepFolder, program: str = SEEN, at_once: int = 2) -> Looks:
    return Looks([sys.executable, "-c", program], kept, at_once, contender())


def never() -> float:
    return 0.0


def test_every_combination_is_tried_once() -> None:
    assert grid(contender(), ["keep=2, 3,2", "on=True,false"]) == [
        {"keep": 2, "on": True}, {"keep": 2, "on": False}, {"keep": 3, "on": True}, {"keep": 3, "on": False},
    ]  # fmt: skip


def test_a_name_asked_for_twice_has_the_values_of_both() -> None:
    assert grid(contender(), ["rate=1", "rate=2,1"]) == [{"rate": 1.0}, {"rate": 2.0}]


@pytest.mark.parametrize(("cores", "free", "expected"), [(8, 3e9, 2), (2, 64e9, 2), (8, 0, 1)])
def test_as_many_are_built_at_once_as_cores_and_memory_allow(cores: int, free: float, expected: int) -> None:
    assert builds_at_once(cores, int(free)) == expected


def test_what_was_seen_is_not_looked_at_again(kept: SweepFolder) -> None:
    settings = grid(contender(), ["keep=1,2,3"])
    first = list(looks(kept).each(settings, 1.0, never))

    assert first[0].quick is not None
    assert first[0].quick["arguments"] == {"keep": 1}
    assert {repr(each) for each in looks(kept, FAILED).each(settings, 1.0, never)} == {repr(each) for each in first}


def test_figures_of_another_setting_are_not_taken(kept: SweepFolder) -> None:
    (first,) = looks(kept).each(grid(contender(), ["keep=1"]), 1.0, never)
    kept.put_look({"keep": 2}, json.dumps(first.quick))

    assert (kept.look({"keep": 1}) is None, kept.look({"keep": 2}) is None) == (False, True)


def test_figures_of_another_text_are_not_kept(kept: SweepFolder) -> None:
    """Somebody writes in the entry while it is swept."""
    settings = grid(contender(), ["keep=1"])
    (found,) = Looks([sys.executable, "-c", SEEN], kept, 1, contender(SOURCE + b"#\n")).each(settings, 1.0, never)

    assert ("changed meanwhile" in found.error, kept.look({"keep": 1})) == (True, None)


def test_what_failed_is_said_and_tried_again(kept: SweepFolder) -> None:
    settings = grid(contender(), ["keep=1"])

    assert [each.error for each in looks(kept, FAILED).each(settings, 1.0, never)] == ["no"]
    assert [each.error for each in looks(kept).each(settings, 1.0, never)] == [""]


def test_nothing_is_begun_after_the_budget(kept: SweepFolder) -> None:
    ticks: Iterator[int] = count()
    settings = grid(contender(), ["keep=1,2,3,4,5,6"])

    assert len(list(looks(kept, at_once=1).each(settings, 4, lambda: float(next(ticks))))) < 4


def test_a_file_that_was_cut_short_is_looked_at_again(kept: SweepFolder) -> None:
    kept.put_look({"keep": 1}, '{"optimized": {')

    assert kept.look({"keep": 1}) is None


def test_another_text_of_the_entry_has_another_folder(tmp_path: Path) -> None:
    first, second = (
        folder_of_sweep(tmp_path, contender(text), "words", None).root for text in (SOURCE, SOURCE + b"#\n")
    )

    assert first != second


def seen(**changed: float | None) -> Setting:
    return Setting({"keep": len(changed)}, {"optimized": {**FIGURES, **changed}})


def test_what_another_beats_is_not_timed() -> None:
    best, worse = seen(), seen(flops=200)

    assert front([worse, best]) == [best]


def test_a_figure_that_one_lacks_is_looked_at_of_none() -> None:
    settings = [seen(flops=None, kept_bytes=2000), seen()]

    assert front(settings) == [settings[1]]


def test_what_failed_is_not_timed() -> None:
    assert front([Setting({"keep": 1}, error="no")]) == []


def test_work_that_is_counted_of_some_settings_alone_is_looked_at_of_none() -> None:
    def seen(keep: int, **figures: float | None) -> Setting:
        return Setting({"keep": keep}, {"optimized": {**FIGURES, **figures}})

    settings = [seen(1), seen(2, flops=None, moved_bytes=None), seen(3, accuracy=0.1)]

    assert [each.arguments["keep"] for each in front(settings)] == [1, 2]


def test_a_look_imports_nothing_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "typer.py").write_text("raise RuntimeError('from here')\n")
    monkeypatch.chdir(tmp_path)
    command = look_command("entry.py", "digits_cnn", None, 1.0, None, tmp_path)
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=False)

    assert (done.returncode, "from here" in done.stderr) == (0, False)
