"""Choosing tokens by their scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.sampling import Sampling, continued
from tinytorch.core.transformers import GPT
from tinytorch.errors import RunError, UsageError

SCORES = np.log(np.array([[0.1, 0.5, 0.05, 0.35]], np.float32))
DRAWS = 4000


def shares(**options: Any) -> np.ndarray:
    """How often each token is drawn."""
    generator = np.random.default_rng(0)
    drawn = Sampling(**options).choose(np.repeat(SCORES, DRAWS, axis=0), generator)
    return np.bincount(drawn, minlength=4) / DRAWS


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.1, 0.5, 0.05, 0.35]),
        ({"top_k": 2}, [0, 0.5 / 0.85, 0, 0.35 / 0.85]),
        ({"top_k": 9}, [0.1, 0.5, 0.05, 0.35]),
        ({"top_p": 0.49}, [0, 1, 0, 0]),
        ({"top_p": 0.6}, [0, 0.5 / 0.85, 0, 0.35 / 0.85]),
        ({"top_p": 1.0}, [0.1, 0.5, 0.05, 0.35]),
        ({"top_k": 3, "top_p": 0.7}, [0, 0.5 / 0.85, 0, 0.35 / 0.85]),
        ({"temperature": 0.5}, np.array([0.01, 0.25, 0.0025, 0.1225]) / 0.385),
    ],
)
def test_tokens_are_drawn_as_often_as_they_are_likely(options: dict[str, Any], expected: Any) -> None:
    np.testing.assert_allclose(shares(**options), expected, atol=4 * 0.5 / np.sqrt(DRAWS))


@pytest.mark.parametrize("temperature", [0, 1e-320, 1e-40, 1e-3])
def test_the_coldest_draw_is_the_likeliest_token(temperature: float) -> None:
    np.testing.assert_array_equal(shares(temperature=temperature), [0, 1, 0, 0])


@pytest.mark.parametrize("temperature", [0, 1.0])
@pytest.mark.parametrize("bad", [[np.nan, 0, 0], [0, np.inf, 0], [-np.inf] * 3])
def test_scores_that_are_no_numbers_are_refused(temperature: float, bad: list[float]) -> None:
    with pytest.raises(RunError, match="scores are not finite numbers"):
        Sampling(temperature).choose(np.array([[0.0, 1.0, 2.0], bad]), np.random.default_rng(0))


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_a_token_may_be_forbidden(temperature: float) -> None:
    assert Sampling(temperature).choose(np.array([[-np.inf, 0.0]]), np.random.default_rng(0)) == [1]


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": float("nan")}, {"temperature": -1}, {"temperature": float("inf")},
        {"top_k": 0}, {"top_k": 1.5}, {"top_p": 0}, {"top_p": 1.1}, {"top_p": float("nan")},
    ],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"generate\\(\\) needs .*{next(iter(options))}"):
        Sampling(**options)


def counting(sequence: np.ndarray) -> np.ndarray:
    """Scores by which every row counts up from its last token."""
    return np.eye(10)[(sequence[:, -1] + 1) % 10]


LIKELIEST = Sampling(temperature=0)


def test_a_sequence_ends_where_all_rows_have_stopped() -> None:
    rows = continued(np.array([[1], [3]]), 8, LIKELIEST, counting, stop=[5])
    np.testing.assert_array_equal(rows.data, [[1, 2, 3, 4, 5], [3, 4, 5, 5, 5]])
    np.testing.assert_array_equal(continued(np.array([2]), 8, LIKELIEST, counting, stop=4).data, [2, 3, 4])


@pytest.mark.parametrize("stop", [None, [], 77])
def test_without_a_stop_there_are_as_many_tokens_as_wanted(stop: Any) -> None:
    assert continued(np.array([1]), 3, LIKELIEST, counting, stop=stop).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("stop", ["ab", 1.5, [1, "x"]])
def test_a_stop_is_a_token(stop: Any) -> None:
    with pytest.raises(UsageError, match="stop must be a token or several"):
        continued(np.array([1]), 3, LIKELIEST, counting, stop=stop)


def test_a_gpt_draws_by_all_of_it() -> None:
    gpt = GPT(7, 8, 1, 2, 12, rng=0)
    greedy, narrow = gpt.generate([1, 2], 6, 0), gpt.generate([1, 2], 6, 5.0, top_k=1)
    assert greedy.tolist() == narrow.tolist()
    assert gpt.generate([1, 2], 6, 0, stop=greedy.tolist()[2]).tolist() == greedy.tolist()[:3]
    assert gpt.generate([1, 2], 6, rng=3).tolist() == gpt.generate([1, 2], 6, rng=np.random.default_rng(3)).tolist()
