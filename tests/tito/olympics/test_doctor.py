"""`doctor` and `benchmark --wait-quiet`, with looks that are written down: no process, no clock."""

from __future__ import annotations

import contextlib
import math
import random
from pathlib import Path
from typing import Any

import pytest

from tests.competition.conftest import known_run
from tests.harness.test_doctor import KNOWN, look
from tinytorch.benchmarking.records.session import MachineCard
from tito.olympics import measuring
from tito.workspace.machine import MachineFile


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beginner: Path) -> MachineFile:
    """A cache of its own, in which nothing is known yet."""
    monkeypatch.setenv("TITO_CACHE", str(tmp_path / "cache"))
    return MachineFile(tmp_path / "cache")


class Looking:
    """The excess of each look; the last one comes again."""

    def __init__(self, *excesses: float) -> None:
        self.excesses, self.chance, self.count = list(excesses), random.Random(1), 0

    def look(self) -> Any:
        self.count += 1
        return look(self.excesses.pop(0) if len(self.excesses) > 1 else self.excesses[0], self.chance)


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts looks in the place of real ones."""

    def put(*excesses: float) -> Looking:
        here = Looking(*excesses)
        monkeypatch.setattr(measuring, "looker", lambda *_, **__: contextlib.nullcontext(here))
        return here

    return put


def learnt(machine: MachineFile) -> None:
    """The machine has shown its best before."""
    calm = look(0.0, random.Random(0), noise=0.0)
    machine.learn(calm.quiet.model_copy(update={"baseline": [math.log(KNOWN.baseline_ns)]}))


def test_a_first_look_says_that_nothing_was_known_and_learns(machine: MachineFile, looking: Any, tito) -> None:
    looking(0.05)
    done = tito("doctor")

    assert done.code == 0
    assert "nothing was known of this machine before" in done.out
    assert "known from 1 of 5 hours: run this again in another hour" in done.out
    assert len(machine.read().known) == 1


def test_a_disturbed_machine_is_exit_1_and_says_so_in_plain_words(machine: MachineFile, looking: Any, tito) -> None:
    learnt(machine)
    looking(0.08)
    done = tito("doctor")

    assert done.code == 1
    assert "disturbed now: a speedup may be off by 8 %" in done.out


def test_a_machine_at_its_best_is_exit_0(machine: MachineFile, looking: Any, tito) -> None:
    learnt(machine)
    here = looking(0.001)
    done = tito("doctor", "--json")

    assert (done.code, done.json["state"], done.json["looks"], here.count) == (0, "at its best so far", 8, 8)
    assert done.json["known"]["hours"] == 1


def test_minutes_say_how_long(machine: MachineFile, looking: Any, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of looks that take half a minute each."""
    here = looking(0.0)
    monkeypatch.setattr(measuring.time, "monotonic", lambda: 30.0 * here.count)
    tito("doctor", "--minutes", "10")

    assert here.count == 20


def test_the_card_is_kept_for_submissions(machine: MachineFile, looking: Any, tito) -> None:
    looking(0.0)
    tito("doctor")
    (known,) = machine.read().known

    assert isinstance(known.card, MachineCard)
    assert known.card.sessions == 8


def test_what_is_known_can_be_forgotten(machine: MachineFile, tito) -> None:
    learnt(machine)
    first, second = tito("doctor", "--forget"), tito("doctor", "--forget", "--json")

    assert "the best times of 1 baseline in" in first.err
    assert second.json == {"forgotten": 0}


def test_what_cannot_be_forgotten_is_an_error(machine: MachineFile, tito) -> None:
    machine.path.mkdir(parents=True)
    done = tito("doctor", "--forget")

    assert (done.code, "could not be emptied" in done.err) == (2, True)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is not measured."""
    monkeypatch.setattr(measuring, "measure", lambda place, asked: known_run())
    monkeypatch.setattr(measuring.time, "sleep", lambda seconds: None)


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("words", [("--wait-quiet",), ("--wait-quiet", "3"), ("--wait-quiet=3",)])
def test_a_run_waits_until_the_baseline_is_quiet(
    machine: MachineFile, looking: Any, tito, words: tuple[str, ...]
) -> None:
    learnt(machine)
    here = looking(0.09, 0.05, 0.0)
    done = tito("benchmark", *words, "--plot")

    assert (done.code, here.count) == (0, 3)
    assert "the baseline takes 9 % longer than this machine's best; waiting" in done.err
    assert "measuring now" in done.err


@pytest.mark.usefixtures("recorded", "machine")
def test_minutes_that_are_none_are_refused(looking: Any, tito) -> None:
    looking(0.0)

    assert [tito("benchmark", "--wait-quiet", each).code for each in ("long", "inf", "-1")] == [2, 2, 2]


def test_a_screen_of_80_columns_has_room_for_all_of_it(
    machine: MachineFile, looking: Any, tito, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    learnt(machine)
    looking(0.08)

    assert max(map(len, tito("doctor").out.splitlines())) <= 80
