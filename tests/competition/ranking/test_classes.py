"""Classes of machines: who is ranked together, and who apart."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.competition.checks.test_shift import MACHINE, canary, record, shift
from tests.competition.conftest import make_run
from tests.competition.ranking.test_reruns import verification
from tests.tito.class_folder import handed_in
from tinytorch.competition.checks.shift import Shift
from tinytorch.competition.ranking.classes import classes_of, is_steady, words_of
from tinytorch.competition.ranking.judged import judge_file
from tinytorch.competition.ranking.leaderboard import THEIR_OWN, Ranking, Wanted, leaderboard
from tinytorch.competition.ranking.reruns import Reruns
from tinytorch.competition.rules.events import load_rules
from tinytorch.files import sha256

RULES = load_rules()
OTHER = MACHINE.model_copy(update={"cpu_model": "Another"})


def on(number: int, log_ratio: float = 1.0, end: float | None = None, **changes: Any) -> Shift:
    """A shift whose known pair showed this at the beginning, and that at the end."""
    canaries = [canary(log_ratio), canary(log_ratio if end is None else end, 30)]
    told = {"id": f"{number:016x}", "host": f"{number:064x}", "records": {f"{number + 8:016x}": "0" * 64}}
    return shift(0, canaries=canaries, **{**told, **changes})


def distinct(*shifts: Shift) -> int:
    return len({*words_of(shifts, RULES).values()})


def test_machines_of_one_make_that_agree_are_one_class() -> None:
    assert distinct(on(0), on(1, 1.01)) == 1


def test_another_processor_is_another_class() -> None:
    assert distinct(on(0), on(1, machine=OTHER)) == 2


def test_more_memory_is_another_class_and_a_little_less_is_not() -> None:
    less, more = (MACHINE.model_copy(update={"memory_bytes": each}) for each in (23_900 * 2**20 + 2**29, 48 * 2**30))

    assert (distinct(on(0), on(1, machine=less)), distinct(on(0), on(1, machine=more))) == (1, 2)


def test_one_make_on_which_the_pair_differs_is_two_and_the_words_tell_them_apart() -> None:
    words = words_of([on(0, 1.0), on(1, 1.3)], RULES)

    assert len({*words.values()}) == 2
    assert {each.split(", known pair ")[1] for each in words.values()} == {"2.72x", "3.67x"}


def test_a_machine_that_was_not_steady_is_of_no_other_s_class() -> None:
    assert distinct(on(0), on(1, 1.0, end=1.2), on(2, 1.0, end=1.2)) == 3


def test_one_machine_s_later_shift_is_not_compared_as_if_it_were_another() -> None:
    assert distinct(on(0), on(1, 1.01, host="0" * 64)) == 1


def test_one_machine_is_in_one_class_also_where_it_hardly_agrees_with_the_others() -> None:
    other = {"host": "1" * 64}

    assert distinct(on(0), on(1, 1.06, **other), on(2, 1.075, **other)) == 1


def test_the_earliest_look_at_a_machine_is_what_the_others_are_compared_with() -> None:
    early = on(0, 1.0, records={})
    late = shift(0, id="1" * 16, canaries=[canary(1.2, 50)])
    words = words_of([late, early.model_copy(update={"host": late.host})], RULES)

    assert ["not steady" in words[each.id] for each in (early, late)] == [False, True]


def test_a_machine_that_drifted_from_one_shift_to_the_next_was_not_steady() -> None:
    assert distinct(on(0), on(1, 1.2, host="0" * 64)) == 2


def test_many_shifts_of_one_machine_make_the_others_no_more_alike() -> None:
    same = [on(number, host="0" * 64) for number in range(2, 40)]

    assert distinct(on(1, 1.09), *same) == 2


def test_a_drift_in_small_steps_is_seen() -> None:
    drifting = [canary(1.0 + 0.02 * step, step) for step in range(20)]

    assert not is_steady(drifting, len(drifting), RULES)


@pytest.mark.parametrize("made_by", [0, 1])
def test_a_record_is_of_the_machine_that_made_this_file(made_by: int) -> None:
    run = make_run()
    info = run.system_info
    machine = MACHINE.model_copy(update={"cpu_model": info.cpu_model, "logical_cores": info.logical_cores,
                                         "memory_bytes": info.memory_bytes})  # fmt: skip
    one = record("8".zfill(16), run=run)
    digests = ["0" * 64, "0" * 64]
    digests[made_by] = sha256(one.text().encode())
    shifts = [on(number, 1.0 + number / 2, machine=machine, records={one.id: digests[number]}) for number in (0, 1)]

    assert classes_of([one], shifts, RULES)[one.id] == words_of(shifts, RULES)[shifts[made_by].id]


def test_machines_whose_names_begin_alike_are_told_apart() -> None:
    long = "x" * 150
    machines = [MACHINE.model_copy(update={"cpu_model": f"{long}{end}"}) for end in "ab"]

    assert distinct(on(0, machine=machines[0]), on(1, machine=machines[1])) == 2


def test_one_canary_alone_contradicts_nothing() -> None:
    assert is_steady([canary(1.0)], 1, RULES)


def test_machines_that_are_alike_are_hardly_ever_called_different() -> None:
    """Twenty machines with the spreads that the rules take, a hundred times."""
    generator, apart = random.Random(7), 0
    for _ in range(100):
        shifts = []
        for number in range(20):
            machine = generator.gauss(0, RULES.verifying.machine_spread / 2**0.5)
            ratios = [machine + generator.gauss(0, RULES.significance.session_spread) for _ in range(2)]
            shifts.append(on(number, ratios[0], ratios[1]))
        apart += distinct(*shifts) > 1
    assert apart <= 13  # the rules' alpha for all comparisons together, twice: one in a hundred draws has more


def test_the_order_of_the_shifts_never_matters() -> None:
    shifts = [on(number, ratio) for number, ratio in enumerate((1.0, 1.3, 1.01, 1.31))]

    assert words_of(shifts, RULES) == words_of(shifts[::-1], RULES)


def test_what_no_shift_tells_of_is_of_its_make() -> None:
    run = make_run()
    info = run.system_info
    machine = MACHINE.model_copy(update={"cpu_model": info.cpu_model, "logical_cores": info.logical_cores,
                                         "memory_bytes": info.memory_bytes})  # fmt: skip
    found = classes_of(
        [record("8".zfill(16), run=run), record("9".zfill(16), run=run)], [on(0, machine=machine)], RULES
    )

    assert len({*found.values()}) == 1


def rankings(tmp_path: Path, classes: dict[str, str], event: str = "latency_sprint") -> list[Ranking]:
    """Of three athletes, two of whom were measured again, on machines with these processors."""
    verifications = []
    for number, name in enumerate(("ada", "bob", "eve")):
        path = handed_in(tmp_path, name, event=event)
        if name in classes:
            run = make_run()
            info = run.system_info.model_copy(update={"cpu_model": classes[name]})
            again = run.model_copy(update={"system_info": info})
            verifications.append(verification(path, id=f"{number:016x}", run=again))
    judged = [judge_file(str(path), rules=RULES) for path in sorted(tmp_path.glob("*.json"))]
    return list(leaderboard(Reruns(verifications, RULES).beside(judged), RULES, Wanted()).rankings)


def test_reruns_of_one_class_stand_in_one_ranking_with_what_was_not_measured_again(tmp_path: Path) -> None:
    (ranking,) = rankings(tmp_path, {"ada": "A", "bob": "A"})

    assert (len(ranking.places), ranking.group.machines) == (3, "")


def test_reruns_of_two_classes_are_ranked_apart(tmp_path: Path) -> None:
    found = rankings(tmp_path, {"ada": "A", "bob": "B"})

    assert [len(each.places) for each in found] == [1, 1, 1]
    assert {each.group.machines.split(",")[0] for each in found} == {"A", "B", THEIR_OWN.split(",")[0]}


def test_sizes_are_the_same_everywhere(tmp_path: Path) -> None:
    (ranking,) = rankings(tmp_path, {"ada": "A", "bob": "B"}, event="memory_challenge")

    assert len(ranking.places) == 3
