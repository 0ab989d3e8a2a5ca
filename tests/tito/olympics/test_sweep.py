"""`sweep`: every setting is looked at once, those on the front are timed, and nothing is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tito.conftest import Tito
from tinytorch.benchmarking.schedule import TIERS, Tier

ENTRY = """
def optimize(model, train_data, keep=16, name="a"):
    from tinytorch.perf.compression import prune_neurons
    if keep > 90:
        raise ValueError("that many are not there")
    return prune_neurons(model, keep=keep)
"""
SWEEP = ("sweep", "entry.py", "--task", "digits_cnn")


@pytest.fixture
def entry(beginner: Path, monkeypatch: pytest.MonkeyPatch, four_processes: Tier) -> Path:
    monkeypatch.setitem(TIERS, "fast", four_processes)
    path = Path("entry.py")
    path.write_text(ENTRY)
    return path


def test_a_sweep_from_nothing_to_a_page_and_again(entry: Path, tito: Tito) -> None:
    asked = (*SWEEP, "--set", "keep=4,8,99")
    first = tito(*asked, "-o", "page.html", "--json")
    again = tito(*asked, "-o", "page.html", "--budget", "0")

    four, eight, failed = first.json["settings"]
    assert (first.code, again.code) == (0, 0), again.err
    assert [each["arguments"]["keep"] for each in (four, eight, failed)] == [4, 8, 99]
    assert four["optimized"]["kept_bytes"] < eight["optimized"]["kept_bytes"]
    assert "that many are not there" in failed["error"]
    assert four["interval"][0] < four["speedup"] < four["interval"][1]
    assert first.json["best"] == {}
    assert "accuracy_contest: every setting that was timed is worse than the baseline" in again.out
    assert "latency_sprint: no setting that was timed qualifies (accuracy >= 85 %)" in again.out
    assert "Building the optimized model" not in again.err
    assert b"tito olympics sweep" in (page := Path("page.html").read_bytes())
    assert b"<caption>2 settings</caption>" in page
    assert tito("status", "--json").json["runs"] == []


WRONG = {
    "nothing to try": ([], "--set NAME=VALUE,VALUE with one of keep, name"),
    "no such argument": (["--set", "kep=1,2"], "with one of keep, name"),
    "another type": (["--set", "keep=1,x"], "keep must be of type int"),
    "too many": (["--set", "keep=" + ",".join(map(str, range(201)))], "at most 200 are tried"),
    "somebody's file": (["--set", "keep=1", "-o", "entry.py"], "tito did not write"),
}


@pytest.mark.parametrize(("options", "words"), WRONG.values(), ids=WRONG)
def test_what_makes_no_sense_is_refused_before_anything_is_built(entry: Path, tito: Tito, options, words: str) -> None:
    done = tito(*SWEEP, *options)

    assert (done.code, words in done.err, "Building" in done.err) == (2, True, False)


def test_where_nothing_can_be_built_it_is_a_failure(entry: Path, tito: Tito) -> None:
    done = tito(*SWEEP, "--set", "keep=98,99")

    assert (done.code, "no setting could be built: entry.py, in optimize: ValueError: that many" in done.err) == (
        4,
        True,
    )


def test_a_budget_of_nothing_looks_at_nothing(entry: Path, tito: Tito) -> None:
    done = tito(*SWEEP, "--set", "keep=4", "--budget", "0")

    assert (done.code, "nothing was looked at yet" in done.err) == (3, True)
