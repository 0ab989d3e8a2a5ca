"""The record of this machine: what is kept, for whom it is another machine, and what goes wrong without harm."""

from __future__ import annotations

import json
import math
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from tests.competition.conftest import STARTED, known_run
from tinytorch.benchmarking.records.record import MOST_HOURS
from tinytorch.benchmarking.records.session import Doubt, MachineCard
from tinytorch.competition.record.run import Run
from tinytorch.competition.scoring.disturbance import QuietTimes, quiet_times
from tito.workspace import machine as machine_module
from tito.workspace.machine import MOST_BASELINES, Machine, MachineFile, with_what_is_known

RUN = known_run(hours=None)
QUIET = quiet_times(RUN)
CARD = MachineCard(
    measured_at=STARTED, sessions=8, same_spread=0.01, same_alarms=0, pair_spread=0.02, pair_held=8, session_spread=0.01
)


@pytest.fixture
def file(tmp_path: Path) -> MachineFile:
    return MachineFile(tmp_path)


def at(hour: int, longer: float = 1.0, key: str | None = None) -> QuietTimes:
    """The times of a session in that hour, so many times as long."""
    moved = {"hour": STARTED + timedelta(hours=hour), "baseline": [QUIET.baseline[0] + math.log(longer)]}
    return QUIET.model_copy(update={**moved, "key": key or QUIET.key})


def test_a_new_machine_knows_nothing(file: MachineFile) -> None:
    assert with_what_is_known(RUN, file.read()) == RUN


def test_a_run_is_told_what_was_known_before_it(file: MachineFile) -> None:
    file.learn(at(-3, 1.2))
    file.learn(at(0, 1.1))
    known = with_what_is_known(RUN, file.read()).protocol.reference

    assert (known.hours, known.since, known.until) == (2, STARTED - timedelta(hours=3), STARTED)
    assert known.baseline_ns == pytest.approx(1.1 * math.exp(QUIET.baseline[0]))
    assert known.key == QUIET.key


def test_hours_that_a_clock_which_was_set_back_has_seen_do_not_count_yet(file: MachineFile) -> None:
    file.learn(at(0, 1.2))
    file.learn(at(3, 1.1))
    known = file.read().of(QUIET.key)

    assert known.reference(STARTED + timedelta(hours=2)).hours == 1
    assert known.reference(STARTED - timedelta(hours=1)) is None


def test_an_hour_gives_one_value_and_that_is_its_least(file: MachineFile) -> None:
    for longer in (1.2, 1.1, 1.3):
        file.learn(at(0, longer))
    (hour,) = file.read().of(QUIET.key).hours

    assert hour.baseline_ns == pytest.approx(1.1 * math.exp(QUIET.baseline[0]))


def test_the_newest_hours_are_kept(file: MachineFile) -> None:
    machine = Machine()
    for hour in range(MOST_HOURS + 5):
        file.learn(at(hour))
        machine = file.read()

    assert machine.of(QUIET.key).hours[0].began_at == STARTED + timedelta(hours=5)
    assert len(machine.of(QUIET.key).hours) == MOST_HOURS


def test_of_many_baselines_the_oldest_makes_room(file: MachineFile) -> None:
    for number in range(MOST_BASELINES + 2):
        file.learn(at(0, key=f"{number:064x}"))

    assert len(file.read().known) == MOST_BASELINES
    assert file.read().of(f"{0:064x}") is None


def test_another_version_of_what_runs_it_starts_anew(file: MachineFile) -> None:
    file.add(RUN)
    other = RUN.model_copy(update={"system_info": RUN.system_info.model_copy(update={"numpy": "9.9"})})

    assert with_what_is_known(RUN, file.read()).protocol.reference is not None
    assert with_what_is_known(other, file.read()).protocol.reference is None


@pytest.mark.parametrize(("code", "is_kept"), [("busy", True), ("blas_threads", False), ("swap", False)])
def test_times_of_other_threads_or_of_swap_are_not_learnt(file: MachineFile, code: str, is_kept: bool) -> None:
    doubt = Doubt(code=code, evidence="seen", advice="mend it")
    file.add(RUN.model_copy(update={"protocol": RUN.protocol.model_copy(update={"doubts": [doubt]})}))

    assert bool(file.read().known) is is_kept


def test_a_run_that_is_not_like_others_teaches_nothing(file: MachineFile) -> None:
    file.add(RUN.model_copy(update={"protocol": RUN.protocol.model_copy(update={"visits": 2})}))

    assert not file.path.exists()


def test_the_card_goes_along_with_runs_of_the_same_machine(file: MachineFile) -> None:
    file.add(RUN)
    file.put_card(QUIET.key, CARD)

    assert with_what_is_known(RUN, file.read()).protocol.card == CARD


def test_forgetting_drops_everything(file: MachineFile) -> None:
    file.add(RUN)

    assert (file.forget(), file.forget()) == (1, 0)
    assert file.read() == Machine()


DAMAGED = {
    "no time": json.dumps(
        {
            "known": [
                {
                    "key": "a" * 64,
                    "task": "t",
                    "hours": [{"began_at": "2026-01-01T00:00:00Z", "baseline_ns": 1e-300, "yardstick_ns": 1.0}],
                }
            ]
        }
    ).encode(),
    "no json": b"{",
    "another document": b'{"document": "run"}',
    "nothing": b"",
    "infinite": b'{"known": [1e999]}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_is_put_aside_and_learnt_anew(
    file: MachineFile, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    file.path.write_bytes(content)
    file.add(RUN)

    assert f"warning: {file.path} is damaged" in capsys.readouterr().err
    assert len(file.read().known) == 1
    assert [path.read_bytes() for path in file.path.parent.glob("machine.damaged-*.json")] == [content]


def test_a_link_that_leads_away_is_not_followed(
    file: MachineFile, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "machine.json"
    MachineFile(elsewhere.parent).add(RUN)
    file.path.symlink_to(elsewhere)
    before = elsewhere.read_bytes()

    assert file.read() == Machine()
    assert "it is a link that leads out of its folder" in capsys.readouterr().err
    file.learn(at(5))
    assert "what is known of this machine stays as it was" in capsys.readouterr().err
    assert (file.path.is_symlink(), elsewhere.read_bytes()) == (True, before)


def test_a_folder_that_cannot_be_written_costs_no_run(
    file: MachineFile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full, or a folder that is read-only."""

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(machine_module, "atomic_write", full)
    file.add(RUN)

    assert "No space left on device; what is known of this machine stays as it was" in capsys.readouterr().err
    assert not file.path.exists()


def test_a_path_that_is_a_file_costs_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cache").write_text("")
    MachineFile(tmp_path / "cache").add(RUN)

    assert "what is known of this machine stays as it was" in capsys.readouterr().err


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    def write(first: int) -> None:
        for hour in range(first, 20, 2):
            MachineFile(tmp_path).learn(at(hour))

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(MachineFile(tmp_path).read().of(QUIET.key).hours) == 20


def test_nothing_but_the_record_and_its_lock_is_left(file: MachineFile) -> None:
    file.add(RUN)

    assert sorted(os.listdir(file.path.parent)) == ["machine.json", "machine.lock"]  # noqa: PTH208 - names


def test_a_run_that_learnt_in_this_hour_is_judged_by_it() -> None:
    """The machine is known from as many hours as before, when another session of the hour was there first."""
    run: Run = known_run(hours=3)
    known = run.protocol.reference.model_copy(update={"until": QUIET.hour})
    quiet = quiet_times(run).model_copy(update={"known": known})

    assert (quiet.hours, quiet_times(run).hours) == (3, 4)
