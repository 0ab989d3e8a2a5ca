"""`benchmark --quick`: what is seen without a time, kept for the next look, and no run."""

from __future__ import annotations

from pathlib import Path

import pytest

ENTRY = """
TECHNIQUES = ["Structured Pruning"]

def optimize(model, train_data, keep=16):
    from tinytorch.perf.compression import prune_neurons
    return prune_neurons(model, keep=keep)
"""


@pytest.fixture
def entry(beginner: Path) -> Path:
    path = Path("entry.py")
    path.write_text(ENTRY)
    return path


def test_what_is_seen_is_exact_and_no_run(entry: Path, tito) -> None:
    found = tito(
        "benchmark", "--entry", "entry.py", "--task", "digits_cnn", "--quick", "--set", "keep=8", "--json"
    ).json

    assert (found["arguments"], found["recorded"]) == ({"keep": 8}, False)
    assert found["optimized"]["kept_bytes"] < found["baseline"]["kept_bytes"]
    assert found["optimized"]["flops"] < found["baseline"]["flops"]
    assert 0 <= found["optimized"]["accuracy"] <= 1
    assert not Path(".tito/olympics/runs").exists()


def test_what_has_not_changed_is_not_built_again(entry: Path, tito) -> None:
    options = ("benchmark", "--entry", "entry.py", "--task", "digits_cnn", "--quick", "--json")
    first, second = tito(*options), tito(*options)
    entry.write_text(ENTRY + "# another text\n")

    assert (second.json, "as it was seen before" in second.err) == (first.json, True)
    assert "as it was seen before" not in tito(*options).err


@pytest.mark.parametrize(
    "content", ["{}", "x", '{"arguments": {}, "task": "t", "source": "s", "baseline": {"flops": 1}}']
)
def test_what_somebody_wrote_there_is_looked_at_again(entry: Path, tito, content: str) -> None:
    options = ("benchmark", "--entry", "entry.py", "--task", "digits_cnn", "--quick", "--json")
    tito(*options)
    (kept,) = Path(".tito").rglob("*.quick.json")
    kept.write_text(content)

    assert tito(*options).json["task"] == "digits_cnn"


def test_a_table_says_that_nothing_is_recorded(entry: Path, tito) -> None:
    done = tito("benchmark", "--entry", "entry.py", "--task", "digits_cnn", "--quick")

    assert done.code == 0, done.err
    assert "FLOPs of an inference" in done.out
    assert "this is no run" in done.out


def test_a_script_may_expect_that_it_does_no_more_work(entry: Path, tito) -> None:
    done = tito("benchmark", "--entry", "entry.py", "--task", "digits_cnn", "--quick", "--expect", "no-more-work")

    assert (done.code, "expected no-more-work: shown (" in done.err) == (0, True)


WRONG = {
    "no such argument": (["--quick", "--set", "kep=1"], "write NAME=VALUE with one of keep"),
    "no value": (["--quick", "--set", "keep"], "write NAME=VALUE with one of keep"),
    "another type": (["--quick", "--set", "keep=x"], "keep must be of type int"),
    "not quick": (["--set", "keep=1"], "write the values as the defaults of optimize"),
    "one name twice": (["--quick", "--set", "keep=1", "--set", "keep=2"], "try both: tito olympics sweep"),
    "an expectation": (["--quick", "--expect", "better"], "leave one of them out"),
    "a plot": (["--quick", "--plot"], "leave one of them out"),
}


@pytest.mark.parametrize(("options", "words"), WRONG.values(), ids=WRONG)
def test_what_makes_no_sense_is_refused(entry: Path, tito, options: list[str], words: str) -> None:
    done = tito("benchmark", "--entry", "entry.py", *options)

    assert (done.code, words in done.err) == (2, True)


def test_a_strategy_is_told_nothing(beginner: Path, tito) -> None:
    done = tito("benchmark", "--quick", "--set", "keep=1")

    assert (done.code, "takes no --set" in done.err) == (2, True)


def test_what_cannot_be_kept_is_shown_all_the_same(entry: Path, tito) -> None:
    Path(".tito").touch()  # a file where the folder would be
    done = tito("benchmark", "--entry", "entry.py", "--task", "digits_cnn", "--quick", "--json")

    assert (done.code, done.json["recorded"], "what was seen is not kept" in done.err) == (0, False, True)
