"""Which input comes next follows from what is scored of the answer before, and from nothing else."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.harness.referee.chain import STATES, by_class, by_tokens, inputs_asked

STATE = st.integers(0, STATES - 1)


@given(STATE, st.integers(0, 2**32 - 1))
def test_other_bits_of_an_answer_lead_nowhere_else(state: int, seed: int) -> None:
    answer = np.random.default_rng(seed).normal(size=10).astype(np.float32)
    other = answer * np.float32(1 + 1e-6)

    assert by_class(answer, state) == by_class(other, state)


@given(STATE)
def test_another_class_leads_elsewhere(state: int) -> None:
    assert len({by_class(np.eye(10)[label], state) for label in range(10)}) == 10


@given(STATE)
def test_one_other_token_leads_elsewhere(state: int) -> None:
    answer = np.arange(64)
    other = answer.copy()
    other[-1] = 0

    assert by_tokens(answer, state) != by_tokens(other, state)


@given(STATE, st.integers(1, 500), st.integers(1, 40))
def test_the_chain_stays_in_its_pool(state: int, size: int, count: int) -> None:
    answers = np.random.default_rng(state).normal(size=(count, 10))

    assert set(inputs_asked(answers, 0, state, size, by_class)) <= set(range(size))


def test_a_chain_hardly_comes_back_where_the_pool_is_large() -> None:
    """With a state that is not carried along it would walk in a circle: 28 to 38 % were different then."""
    generator, shares = np.random.default_rng(0), []
    for _ in range(200):
        labels = np.eye(10)[generator.integers(0, 10, 150)]
        asked = inputs_asked(labels, 0, int(generator.integers(STATES)), 16 * 150, by_class)
        shares.append(len(set(asked)) / len(asked))

    assert np.mean(shares) > 0.96
