"""`tito milestone`: every program reaches what it shows, and what was reached is remembered."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from tinytorch.benchmarking.schedule import TIERS
from tinytorch.progress import silent
from tito.app import run
from tito.course.course import find_module
from tito.course.coursework import Coursework
from tito.course.milestones import MILESTONES, xor

LEAST = {"perceptron": 0.95, "xor": 1.0, "digits": 0.95, "convolution": 0.95, "tinygpt": 0.95}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", LEAST)
def test_a_program_learns(name: str) -> None:
    told: list[float] = []
    figure = import_module(f"tito.course.milestones.{name}").run(lambda stage, share: told.append(share))

    assert figure >= LEAST[name]
    assert (told[-1], told == sorted(told)) == (1.0, True)


def test_no_line_does_exclusive_or() -> None:
    assert xor.without_hidden_layer(silent) <= 0.75


def test_the_figure_is_shown_and_remembered(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["milestone", "run", "perceptron"]) == 0
    shown = capfd.readouterr()

    assert shown.out.startswith("01 perceptron: accuracy ")
    assert shown.err.splitlines()[-1] == "next: tito milestone run 2"
    assert Coursework().progress().milestones["perceptron"].version == "0.2.0"
    assert run(["milestone", "status", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["milestones"][0]["value"] >= 0.95


def test_the_last_one_is_the_whole_competition(
    capfd: pytest.CaptureFixture[str], cache_directory: Path, monkeypatch: pytest.MonkeyPatch, tiny_tier
) -> None:
    monkeypatch.setenv("TITO_CACHE", str(cache_directory))
    monkeypatch.setitem(TIERS, "default", tiny_tier)
    assert run(["milestone", "run", "6", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)

    assert (found["metric"], found["value"] > 1) == ("all_around", True)
    assert run(["olympics", "validate", ".tito/course/submission.json"]) == 0
    assert run(["olympics", "status", "--json"]) == 0
    assert json.loads(capfd.readouterr().out.partition("\n{")[2].join(["{", ""]))["last_run"]["source"] == "all_around"


@pytest.mark.parametrize("milestone", MILESTONES, ids=lambda milestone: milestone.name)
def test_each_tells_what_it_is_about_and_where(milestone, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["milestone", "info", str(milestone.number), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)

    assert len(found["about"].splitlines()) > 2
    assert Path(found["file"]).is_file()
    assert all(find_module(name).name == name for name in milestone.needs)


def test_the_plural_of_an_edition_works_and_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["milestones", "list"]) == 0
    assert "perceptron" in capfd.readouterr().out
    assert run(["--help"]) == 0
    assert "milestones" not in capfd.readouterr().out


@pytest.mark.parametrize("command", ["list", "status"])
def test_all_are_listed(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["milestone", command]) == 0
    shown = capfd.readouterr().out

    assert all(milestone.label in shown for milestone in MILESTONES)


def test_an_unknown_one_is_an_error_with_the_nearest(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["milestone", "run", "perceptrn"]) == 2
    assert "did you mean 'perceptron'?" in capfd.readouterr().err
