"""Times as people say them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tinytorch.showing import time_words


@pytest.mark.parametrize(
    ("time", "words"),
    [({"seconds": 1}, "1 minute"), ({"hours": 25}, "1 day 1 hour"), ({"days": 2, "minutes": 3}, "2 days 3 minutes")],
)
def test_a_time_in_words(time: dict[str, int], words: str) -> None:
    assert time_words(timedelta(**time)) == words
