"""The yardstick is one and the same everywhere: another network would need another version."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.benchmarking import yardstick
from tinytorch.benchmarking.records.session import YARDSTICKS
from tinytorch.core.tensor import no_grad

ANSWERS = [0.4681172, 0.2433176]  # to the first input of two batches


def test_version_1_is_this_network_with_these_inputs() -> None:
    network = yardstick.network()
    with no_grad():
        answers = [network(batch[0]).data[0, 0] for batch in yardstick.batches()[:2]]

    assert yardstick.VERSION == 1
    assert [each.shape for each in network.parameters()] == [(64, 64), (64,), (64, 64), (64,), (64, 10), (10,)]
    assert answers == pytest.approx(ANSWERS, rel=1e-4)


def test_its_block_is_that_of_its_version() -> None:
    batches = yardstick.batches()

    assert YARDSTICKS[yardstick.VERSION] == (yardstick.CALLS_PER_SAMPLE, yardstick.TIMED) == (4, 8)
    assert (len(batches), len(batches[0])) == (13, 4)


def test_each_is_a_network_of_its_own() -> None:
    one, two = (network.parameters()[0].data for network in (yardstick.network(), yardstick.network()))

    assert np.array_equal(one, two)
    assert not np.shares_memory(one, two)
