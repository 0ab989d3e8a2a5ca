"""A name that is not there is told with the one that was meant, and nothing foreign is asked for it."""

from __future__ import annotations

import pytest

from tinytorch.processes.meant import meant

SLIPS = {
    "from tinytorch.perf.compression import prune_neuron": "did you mean 'prune_neurons'?",
    "from tinytorch.perf import compression\ncompression.prune_neuron": "did you mean 'prune_neurons'?",
    "large = 1\nlage": "did you mean 'large'?",
    "prnt(3)": "did you mean 'print'?",
    "qwertyuiop": "",
    "import no_such_module": "",
    "(3).reel": "",  # an object may answer for its own names with code of its own
    "1 / 0": "",
}


@pytest.mark.parametrize(("code", "words"), SLIPS.items(), ids=SLIPS)
def test_the_name_that_was_meant_is_told(code: str, words: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each its own
        exec(code, {})

    assert meant(caught.value) == words
