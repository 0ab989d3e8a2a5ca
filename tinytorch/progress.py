"""Progress: what a long piece of work tells whoever wants to know. The library itself never prints."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Told the stage that is going on, and the share of it that is done, from 0 to 1."""


def silent(stage: str, share: float) -> None:
    """The observer that does nothing."""


def part_of(progress: Progress, stage: str, number: int, count: int) -> Progress:
    """For work that is part `number` (from 0) of `count` equal ones: its share becomes the whole stage's share."""
    return lambda _, share: progress(stage, (number + share) / count)
