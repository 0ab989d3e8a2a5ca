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
HOSTILE = {
    "a list that never ends": "import itertools, sys, types\nm = types.ModuleType('m')\nsys.modules['m'] = m\n"
    "m.__all__ = map(str, itertools.count())\nfrom m import nothing",
    "names that are none": "globals()[5] = 1\nundefined_name",
    "a name that is no text": "import math\nraise AttributeError('boom', name=5, obj=math)",
    "a module that is none": "import sys\nsys.modules['m'] = object()\nfrom m import nothing",
    "an error that answers for itself": "class Own(AttributeError):\n    name = property(lambda self: 1 / 0)\n"
    "raise Own",
    "a module of a class of theirs": "import types\nclass M(types.ModuleType):\n"
    "    __dict__ = property(lambda m: 1 / 0)\n"
    "M('m').nothing",
    "names without end": "import types\nm = types.ModuleType('m')\n"
    "vars(m).update({'x' * 1000 + str(n): n for n in range(3000)})\nm.nothing",
}


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE)
def test_what_foreign_code_left_is_not_asked(code: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each its own
        exec(code, {"__name__": "entry"})

    assert meant(caught.value) == ""


@pytest.mark.parametrize(("code", "words"), SLIPS.items(), ids=SLIPS)
def test_the_name_that_was_meant_is_told(code: str, words: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each its own
        exec(code, {})

    assert meant(caught.value) == words
