"""An entry alone: its answers, and what it does while nobody asks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.harness.referee.conftest import hire, samples
from tinytorch.harness.referee.outside import Match
from tinytorch.harness.referee.witness import witness

Make = Callable[[str], Match]
ASKED = {"some": samples(30, np.random.default_rng(2))}


def test_an_honest_entry_answers_and_does_nothing_else(match: Make) -> None:
    seen = witness(match("honest"), hire, ASKED)

    assert (seen.answers["some"].correct, seen.answers["some"].total, seen.left_behind) == (30, 30, [])
    assert (seen.idle_share < 0.1, seen.grown_bytes < 20_000_000) == (True, True)


def test_work_that_nobody_asked_for_is_seen(match: Make) -> None:
    assert witness(match("idles"), hire, ASKED).idle_share > 0.2


def test_memory_that_no_count_sees_is_seen(match: Make) -> None:
    assert witness(match("grows"), hire, ASKED).grown_bytes > 45_000_000
