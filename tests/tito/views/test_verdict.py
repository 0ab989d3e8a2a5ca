"""The first line of a result says what is shown, and no more."""

from __future__ import annotations

import pytest

from tinytorch.benchmarking.comparison import Comparison
from tinytorch.benchmarking.records.metrics import Memory
from tinytorch.benchmarking.statistics import Verdict
from tito.views.verdict import accuracy_words, memory_words, speed_words

BETTER, WORSE, ALIKE = Verdict.BETTER, Verdict.WORSE, Verdict.NO_DETECTABLE_DIFFERENCE
WIDE = Comparison(estimate=9.0, verdict=ALIKE, smallest_detectable=25)
UNSHOWN = Comparison(estimate=1.1, verdict=ALIKE, smallest_detectable=1.15)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Comparison(estimate=34.02, verdict=BETTER), "34.0x faster"),
        (Comparison(estimate=0.5, verdict=WORSE), "2.00x slower"),
        (Comparison(estimate=1.0012, verdict=BETTER), "0.12 % faster"),
        (UNSHOWN, "speed not shown to differ (15 % would have been seen)"),
        (Comparison(estimate=2.0, reason="by hand"), "2.00x faster (not tested)"),
        (Comparison(estimate=1.0, reason="by hand"), "the same speed (not tested)"),
        (WIDE, "speed not shown to differ (25.0x would have been seen)"),
        (None, "speed not measured"),
    ],
)  # fmt: skip
def test_speed_is_told_only_where_it_is_shown(found: Comparison | None, words: str) -> None:
    assert speed_words(found) == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [(5_600, 100, "56.0x smaller"), (100, 200, "2.00x larger"), (2_400_000, 2_400_024, "24 B more"),
     (2_400_000, 2_399_000, "1.00 kB less"), (7, 7, "the same size")],
)  # fmt: skip
def test_a_size_that_hardly_changed_is_told_in_bytes(before: int, after: int, words: str) -> None:
    assert memory_words(Memory.from_bytes(before), Memory.from_bytes(after)) == words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Comparison(estimate=-0.018, verdict=WORSE), "accuracy 1.8 points lower"),
        (Comparison(estimate=0.02, verdict=BETTER), "accuracy 2.0 points higher"),
        (Comparison(estimate=0.02, verdict=ALIKE), "accuracy not shown to differ"),
        (Comparison(estimate=0.0, reason="by hand"), "the same accuracy"),
        (Comparison(estimate=-0.00025, verdict=WORSE), "accuracy 0.03 points lower"),
        (None, "accuracy not measured"),
    ],
)
def test_accuracy_is_told_only_where_it_is_shown(found: Comparison | None, words: str) -> None:
    assert accuracy_words(found) == words
