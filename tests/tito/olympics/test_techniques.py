"""`tito olympics techniques NAME`: an example that runs, its paper, and what it did when it was measured."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from tinytorch.workloads.strategies import applied
from tinytorch.workloads.techniques import PAPERS, TECHNIQUES, Technique
from tito.olympics.entry_text import example_text

NAMED = pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda technique: technique.name)


@NAMED
def test_every_example_can_be_called_as_it_stands(technique: Technique) -> None:
    """Its names can be imported, and its calls take the arguments that they are given."""
    space: dict[str, Any] = {}
    exec(compile(example_text(technique.steps), "example", "exec"), space)
    for step in technique.steps:
        if step.function.endswith(applied.__name__):
            function = space[step.arguments["function"].rpartition(":")[2]]
            tuned = {"train_data": None} if step.arguments["tuned"] else {}
            inspect.signature(function).bind("model", **step.arguments["options"], **tuned)


def test_an_example_does_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    quantize = "tinytorch.perf.quantization.quantize_model"
    monkeypatch.setattr(quantize, lambda model, **given: calls.append(given) or "small")
    technique = next(each for each in TECHNIQUES if each.name == "INT4 quantization")
    space: dict[str, Any] = {}
    exec(example_text(technique.steps), space)

    assert (space["optimize"]("large", None), calls) == ("small", [technique.steps[0].arguments["options"]])


@NAMED
def test_every_reference_has_a_title(technique: Technique) -> None:
    assert technique.reference in PAPERS


def test_one_is_told_with_its_example(beginner: Path, tito) -> None:
    done = tito("techniques", "int8", "quantization")

    assert done.code == 0
    assert "paper: Jacob et al. 2018, Quantization and Training" in done.out
    assert "    model = quantize_model(model, bits=8)\n" in done.out
    assert "x speed [" in done.out


def test_a_name_that_is_none_is_told_with_the_nearest(beginner: Path, tito) -> None:
    done = tito("techniques", "destillation")

    assert (done.code, "did you mean 'distillation'?" in done.err) == (2, True)


@pytest.mark.parametrize("asked", ["compiled", "with_kv_cache"])
def test_a_part_of_a_name_or_a_function_shows_all_that_fit(beginner: Path, tito, asked: str) -> None:
    rows = tito("techniques", asked, "--json").json["techniques"]

    assert 1 < len(rows) < len(TECHNIQUES)
    assert all(asked in row["name"] or asked in row["calls"] for row in rows)


def test_json_has_the_calls(beginner: Path, tito) -> None:
    (row,) = tito("techniques", "KV cache, compiled", "--json").json["techniques"]

    assert row["calls"] == ["with_kv_cache", "compile_model"]
