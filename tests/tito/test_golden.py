"""Every screen at three widths, as it was looked at last; what changed on purpose is written by `tests.tito.golden`."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.tito.golden import COMMANDS, FOLDER, VIEWS, WIDTHS, screens
from tito.terminal.screen import GLUE

NAMES = [*VIEWS, *COMMANDS]


@cache
def shown() -> dict[tuple[str, int], str]:
    return {(name, width): text for name, width, text in screens()}


@pytest.fixture(autouse=True)
def _here(beginner: object) -> None:
    """In a folder of its own."""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_screen_is_as_it_was_looked_at(name: str, width: int) -> None:
    assert shown()[name, width] == (FOLDER / f"{name}-{width}.txt").read_text("utf-8")


def test_every_golden_text_is_that_of_a_screen() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {f"{name}-{width}" for name in NAMES for width in WIDTHS}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", VIEWS)
def test_no_line_is_wider_than_its_screen_and_no_interval_is_broken(name: str, width: int) -> None:
    text = shown()[name, width]

    assert max(map(len, text.splitlines())) <= width
    assert GLUE not in text
    assert not re.search(r"\[[-+\d.]+x?, *$", text, re.MULTILINE)
    assert not re.search(r"^ *(?:%|us|ms|kB|MB|points)\b", text, re.MULTILINE)
