"""What a process that has a model alone shows: entries that lean on the baseline or on who looks, and honest ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.oddities import ENTRIES as ODDITIES
from tests.harness.oddities import write
from tinytorch.benchmarking.schedule import Tier
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.checks.validation import validate_submission
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.rules.tasks import facts_of
from tinytorch.competition.scoring.fresh import fresh_answers_of
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.errors import EntryError
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import run_competition
from tinytorch.workloads.registry import find_task

TASK = "digits_cnn"
FACTS = facts_of(TASK)


def run_of(path: Path, tier: Tier, cache_directory: Path) -> Run:
    """A run of the entry in a file."""
    return run_competition(Challenge(find_task(TASK), Contender.entry(path), Settings(tier), 60, cache_directory))


def measured(source: str, folder: Path, tier: Tier, cache_directory: Path) -> Run:
    """A run of an entry with this text."""
    path = folder / "entry.py"
    path.write_text(f"import gc, sys\nimport numpy as np\nDIVISION = 'open'\n{source}")
    return run_of(path, tier, cache_directory)


FIND = """
FOUND = {}
def others(kind):
    if kind not in FOUND:
        gc.unfreeze()
        FOUND[kind] = [each for each in gc.get_objects() if type(each).__name__ == kind]
    return FOUND[kind]
"""
WRAPPED = """
class Model:
    def __init__(self, model): self.model = model
    def __call__(self, x): return self.answer(x)
def optimize(model, train_data):
    return Model(model)
"""
REFUSED = {
    "borrows the baseline's object": (
        FIND + "class Borrows:\n    def __call__(self, x): return others('Sequential')[0](x)\n"
        "def optimize(model, train_data):\n    return Borrows()\n",
        "IndexError",
    ),
    "reads the baseline's file": (
        "from pathlib import Path\nfrom tinytorch.workloads.models import load_model\n"
        "class Reads:\n    def __call__(self, x):\n"
        "        return load_model(str(next(Path(__file__).parent.parent.rglob('baseline.pickle'))))(x)\n"
        "def optimize(model, train_data):\n    return Reads()\n",
        "StopIteration",
    ),
    "keeps its weights in a file": (
        WRAPPED.replace(
            "self.answer(x)", "self.stored()(x)\n    def stored(self):\n"
            "        import pathlib, pickle, tempfile\n        path = pathlib.Path(tempfile.gettempdir(), 'w.pickle')\n"
            "        if self.model is not None: path.write_bytes(pickle.dumps(self.model))\n"
            "        self.model = None\n        return pickle.loads(path.read_bytes())",
        ),
        "after its answers a model leaves the file w.pickle",
    ),
    "keeps another process": (
        WRAPPED.replace(
            "return self.answer(x)", "\n        import subprocess\n        if not hasattr(Model, 'other'):\n"
            "            Model.other = subprocess.Popen(['sleep', '60'])\n        return self.model(x)",
        ),
        "after its answers a model leaves the process sleep",
    ),
    "garbage until a batch was seen": (
        WRAPPED.replace(
            "return self.answer(x)", "\n        Model.seen = getattr(Model, 'seen', False) or len(x.data) > 1\n"
            "        return self.model(x) if Model.seen else np.zeros((1, 10), np.float32)",
        ),
        "the model does something else while it is timed",
    ),
    "garbage when the caller is the clock": (
        WRAPPED.replace(
            "return self.answer(x)", "\n        frame, timed = sys._getframe(), False\n"
            "        while frame := frame.f_back:\n"
            "            timed = timed or frame.f_code.co_name == 'measure_visit'\n"
            "        return np.zeros((1, 10), np.float32) if timed else self.model(x)",
        ),
        "the model does something else while it is timed",
    ),
    "asks for the test split while it is built": (
        "from tinytorch.datasets.digits import load_digits\n"
        "def optimize(model, train_data):\n    return load_digits()[1].labels\n",
        "the test split is withheld",
    ),
    "asks for the test split while it runs": (
        WRAPPED.replace(
            "return self.answer(x)", "\n        from tinytorch.datasets.digits import load_digits\n"
            "        return np.eye(10)[load_digits()[1].labels[:len(x.data)]]",
        ),
        "the test split is withheld",
    ),
    "answers of two types": (
        WRAPPED.replace(
            "return self.answer(x)", "\n        y = self.model(x).data\n        if len(y) > 1: return y\n"
            "        return y.astype(np.float64 if np.ptp(y) > 20 else np.float32)",
        ),
        "the model's outputs are float(32|64) and float(32|64), by the input",
    ),
    "changes how the baseline's weights lie": (
        FIND + WRAPPED.replace(
            "return self.answer(x)", "\n        for layer in others('Linear'):\n"
            "            layer.weight.data = np.asfortranarray(layer.weight.data)\n        return self.model(x)",
        ),
        "the baseline's weights were changed, or moved",
    ),
    "writes its next answer over the last one": (
        "class Buffered:\n    def __init__(self, model): self.model, self.out = model, np.zeros((1, 10), np.float32)\n"
        "    def __call__(self, x):\n        answer = self.model(x).data\n        if len(answer) > 1: return answer\n"
        "        self.out[:] = answer\n        return self.out\n"
        "def optimize(model, train_data):\n    return Buffered(model)\n",
        "became another when it was asked the next",
    ),
    "changes the baseline's answers": (
        FIND + WRAPPED.replace(
            "return self.answer(x)", "\n        for layer in others('Sequential'):\n"
            "            if layer is not self.model: layer.forward = lambda x: np.zeros((1, 10), np.float32)\n"
            "        return self.model(x)",
        ),
        "the first model was changed while it was timed|the model does something else|the baseline's weights were "
        "changed",  # as is drawn
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "words"), REFUSED.values(), ids=REFUSED)
def test_an_entry_that_leans_on_what_is_not_its_own_is_refused(
    source: str, words: str, tmp_path: Path, tiny_tier: Tier, cache_directory: Path
) -> None:
    with pytest.raises(EntryError, match=words):
        measured(source, tmp_path, tiny_tier, cache_directory)


HANGS = FIND + WRAPPED.replace(
    "return self.answer(x)", "\n        for tensor in others('Tensor'):\n"
    "            if tensor.data.ndim == 2 and tensor.data.shape[0] > 1: tensor.grad = np.ones(10**6)\n"
    "        return self.model(x)",
)  # fmt: skip


def test_what_hangs_on_the_baseline_is_not_its_size(tmp_path: Path, tiny_tier: Tier, cache_directory: Path) -> None:
    run = measured(HANGS, tmp_path, tiny_tier, cache_directory)

    assert run.baseline.metrics.memory.size_bytes == FACTS.kept_bytes
    assert run.optimized.metrics.memory.size_bytes > 8_000_000  # on its own weights it hangs, too


NOISE = WRAPPED.replace(
    "return self.answer(x)", "\n        known = np.isin(x.data * 16, np.arange(17)).reshape(len(x.data), -1).all(1)\n"
    "        return self.model(x).data * known[:, None]",
)  # fmt: skip


def test_garbage_for_inputs_that_were_made_anew_is_seen_in_the_answers_to_them(
    tmp_path: Path, tiny_tier: Tier, cache_directory: Path
) -> None:
    """It is the same garbage when it is timed and when it is not."""
    run = measured(NOISE, tmp_path, tiny_tier, cache_directory)

    assert fresh_answers_of(run, load_rules()).knows_test_set


LITERAL = f"""
class Table:
    def __call__(self, x):
        weight = np.frombuffer(bytes.fromhex({bytes(range(256)).hex()!r} * 2 + SALT), np.uint8)
        return x.data.reshape(len(x.data), -1)[:, :10] * weight[0]
def optimize(model, train_data):
    return Table()
"""


def test_a_classifier_in_a_literal_counts_with_the_code(tmp_path: Path, tiny_tier: Tier, cache_directory: Path) -> None:
    salt = f"SALT = {'ab' * 10!r}\n"
    memory = measured(salt + LITERAL, tmp_path, tiny_tier, cache_directory).optimized.metrics.memory

    assert memory.size_bytes == memory.kept_bytes + memory.code_bytes
    assert memory.code_bytes > 256


FOLLOWED = """
from tinytorch.perf.quantization import quantize_model
print("imported")
def optimize(model, train_data):
    return quantize_model(model)
"""


def test_an_entry_of_our_layers_has_no_code_to_count_and_is_not_imported(
    tmp_path: Path, tiny_tier: Tier, cache_directory: Path
) -> None:
    run = measured(FOLLOWED + 1000 * "# much to say\n", tmp_path, tiny_tier, cache_directory)

    assert run.optimized.metrics.memory.code_bytes == 0


EARNED = {"sample_count", "steady_times", "ratios_agree"}  # by one process on a machine that does other things, too


@pytest.mark.parametrize("name", ODDITIES)
def test_an_unusual_honest_entry_gets_no_remark(
    name: str, tmp_path: Path, tiny_tier: Tier, cache_directory: Path
) -> None:
    run = run_of(write(name, tmp_path), tiny_tier, cache_directory)
    made = submission_from_run(
        run, event="all_around", athlete_name="Ada", github_repo="https://github.com/ada/x", techniques=["unusual"]
    )
    remarked = {check["name"] for check in validate_submission(made)["checks"] if check["passed"] is False}

    assert remarked <= EARNED
    assert run.optimized.metrics.memory.unseen == []
    assert run.optimized.metrics.accuracy.mean > 0.9  # it is the model that `optimize` returned
