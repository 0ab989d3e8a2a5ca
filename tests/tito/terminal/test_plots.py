"""Plots of characters: nothing that is there is hidden, and nothing is drawn that is not."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.terminal import plots
from tito.terminal.plots import Whisker, forest_lines

COUNTS = st.lists(st.integers(0, 10_000), min_size=1, max_size=60)


@pytest.fixture(params=["utf-8", "ascii", "cp1252"])
def encoding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(plots, "sys", SimpleNamespace(stdout=SimpleNamespace(encoding=request.param)))
    return request.param


def test_every_mark_can_be_written(encoding: str) -> None:
    drawn = [*plots.histogram(range(50), 4), plots.trend([1.0, None, 3.0])]

    assert "".join(drawn).encode(encoding)


@given(COUNTS, st.integers(1, 5))
def test_a_column_is_empty_only_where_nothing_is(counts: list[int], rows: int) -> None:
    lines = plots.histogram(counts, rows)

    assert {len(line) for line in lines} == {len(counts)}
    assert [any(line[index] != " " for line in lines) for index in range(len(counts))] == [
        count > 0 for count in counts
    ]


@given(COUNTS)
def test_the_highest_count_fills_its_column(counts: list[int]) -> None:
    lines = plots.histogram(counts, 3)
    highest = counts.index(max(counts))

    assert max(counts) == 0 or {line[highest] for line in lines} == {plots.EIGHTHS[-1]}


def test_half_the_count_is_half_the_height() -> None:
    assert plots.histogram([8, 4], 1) == ["█▄"]
    assert plots.histogram([8, 4], 2) == ["█ ", "██"]


def test_a_trend_rises_and_has_gaps() -> None:
    assert plots.trend([1.0, None, 2.0, 8.0]) == "▁·▂█"


@pytest.mark.parametrize(("values", "drawn"), [([], ""), ([3.0], "▁"), ([3.0, 3.0], "▁▁"), ([None], "·")])
def test_a_trend_of_nothing_new_is_flat(values: list[float | None], drawn: str) -> None:
    assert plots.trend(values) == drawn


POINTS = st.dictionaries(
    st.integers(1, 40).map(str), st.tuples(st.floats(0.01, 1e4), st.floats(0, 1)), min_size=1, max_size=12
)


@given(POINTS)
def test_every_point_of_a_few_is_seen(points: dict[str, tuple[float, float]]) -> None:
    drawn = plots.scatter(points, 60, 12, str, str)[:12]

    assert sorted(" ".join(line.rpartition("│")[2] for line in drawn).split()) == sorted(points)


def test_more_is_up_and_to_the_right() -> None:
    upper, *_, lower = plots.scatter({"1": (1.0, 0.5), "2": (10.0, 0.9)}, 20, 4, "{:g}x".format, "{:g}".format)[:4]

    assert (upper.index("2") > lower.index("1"), upper.split()[0], lower.split()[0]) == (True, "0.9", "0.5")


def test_a_scatter_of_one_point_can_be_written(encoding: str) -> None:
    assert "\n".join(plots.scatter({"1": (2.0, 0.5)}, 20, 4, str, str)).encode(encoding)


def test_a_forest_draws_each_interval_beside_no_change() -> None:
    rows = [Whisker("speed", 2.0, 4.0, "[2, 4]"), Whisker("size", 16.0, 16.0, "16x")]
    assert forest_lines(rows, 36, 1.0, lambda ratio: f"{ratio:g}x", math.log) == [
        "speed  │    ━━━━━━            [2, 4]",
        "size   │                   ●  16x",
        "       1x                16x",
    ]


@pytest.mark.parametrize(
    ("lower", "upper", "line"),
    [(-2.0, 1.0, "━━━━━━━┿━━━"), (0.01, 8.0, "│━━━━━━━━━━"), (-8.0, -0.01, "━━━━━━━━━━│"), (0.0, 0.0, "     ┿")],
)
def test_an_interval_meets_the_stroke_where_it_holds_no_change(lower: float, upper: float, line: str) -> None:
    """And nowhere else, however near it comes."""
    drawn = forest_lines([Whisker("a", lower, upper, "b")], 17, 0.0, str)

    assert drawn[0] == f"a  {line:<11}  b"


def test_a_forest_of_nothing_is_nothing() -> None:
    assert forest_lines([], 20, 1.0, str) == []


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_forest_is_no_wider_than_its_screen(width: int) -> None:
    rows = [Whisker("extreme push", 500.0, 700.0, "[500x, 700x]"), Whisker("speed", 16.0, 20.0, "[16.5x, 19.8x]")]

    assert max(map(len, forest_lines(rows, width, 1.0, str, math.log))) <= width
