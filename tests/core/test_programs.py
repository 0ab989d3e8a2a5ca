"""The curriculum's kinds of programs run as students write them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("programs")


@pytest.mark.parametrize("name", ["perceptron", "xor", "multilayer", "convolution", "attention", "transformer"])
def test_a_program_learns(name: str) -> None:
    names = runpy.run_path(str(PROGRAMS / f"{name}.py"))

    assert names["accuracy"] > 0.9
