"""The names of events and divisions, and where their rules are. Light: a help and `status` read them."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Literal, get_args

from tinytorch.errors import UsageError
from tinytorch.showing import nearest, safe_text

RULES_FILE = Path(__file__).parent / "rules" / "rules.toml"

Division = Literal["closed", "open"]
DIVISIONS: tuple[Division, ...] = get_args(Division)

Track = Literal["human", "assisted", "agent"]
TRACKS: tuple[Track, ...] = get_args(Track)
"""Who wrote an entry, by its athlete's word: a person, a person with a model's help, or a program that writes code."""

EVENT_NAME = r"^[a-z][a-z0-9_]{0,39}$"
RUN_ID = re.compile(r"[0-9TZ]+-[0-9a-f]{8}")
MOST_TECHNIQUES = 32
MOST_HELPERS = 100  # modules beside an entry that it imports
MOST_DATA_FILES = 900  # beside an entry, which it names


class OlympicEvent(StrEnum):
    """The five events; what each demands stands in the rules, and a class's rules may have others."""

    LATENCY_SPRINT = "latency_sprint"
    MEMORY_CHALLENGE = "memory_challenge"
    ACCURACY_CONTEST = "accuracy_contest"
    ALL_AROUND = "all_around"
    EXTREME_PUSH = "extreme_push"


class Expectation(StrEnum):
    """What may be expected of an optimized model."""

    BETTER = "better"
    NO_WORSE = "no-worse"
    NO_MORE_WORK = "no-more-work"


def parse_track(text: str | None) -> Track | None:
    """The track of that name, None without one; UsageError suggests the nearest."""
    if text is None:
        return None
    for track in TRACKS:
        if text == track:
            return track
    raise UsageError(f"unknown track {safe_text(str(text))!r}", mend=nearest(str(text), TRACKS))


def parse_event(text: str, known: Collection[str] = tuple(OlympicEvent)) -> str:
    """The event of that name, of those that are `known`; UsageError suggests the nearest one."""
    if text not in known:
        mend = f"{nearest(str(text), known)}; an event of a class needs its --rules FILE"
        raise UsageError(f"unknown event {safe_text(str(text))!r}", mend=mend)
    return str(text)
