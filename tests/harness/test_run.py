"""A whole competition run, with real training and real worker processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinytorch.benchmarking.provisional import SoFar
from tinytorch.benchmarking.records.metrics import NAMES_BYTES
from tinytorch.benchmarking.schedule import Tier
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.eligibility import eligibility
from tinytorch.competition.scoring.scores import compute_scores
from tinytorch.files import sha256
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import Observer, run_competition
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import INT4, KV_CACHE, SHARING, Strategy, technique

ENTRY = """
from tinytorch.perf.quantization import quantize_model
TECHNIQUES = ["INT8 Quantization"]
class Wrapped:
    def __init__(self, model): self.model = model
    def forward(self, x): return self.model(x)
def optimize(model, train_data):
    return Wrapped(quantize_model(model))
"""


TINY = Tier("test", 40_000_000, processes=1, copies=2)


def challenge(folder: Path, entry: str, cache_directory: Path, seed: int = 0, helper: str = "") -> Challenge:
    """The challenge of an entry with this text, and of a helper beside it."""
    (folder / "entry.py").write_text(entry)
    (folder / "helper.py").write_text(helper)
    contender = Contender.entry(folder / "entry.py")
    return Challenge(find_task("digits_cnn"), contender, Settings(TINY, seed), 60, cache_directory)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, cache_directory: Path) -> Run:
    entry = ENTRY + "DIVISION = 'open'\nTRACK = 'assisted'\n"
    return run_competition(challenge(tmp_path_factory.mktemp("entry"), entry, cache_directory, seed=3))


def test_the_baseline_is_the_task_s_network(run: Run) -> None:
    assert (run.baseline.parameters, run.baseline.metrics.memory.kept_bytes) == (38_282, 153_168)


def test_the_baseline_is_as_accurate_as_the_task_promises(run: Run) -> None:
    assert run.baseline.metrics.accuracy.mean >= load_rules().reference_accuracy["digits_cnn"] - 0.01


def test_an_entrys_own_classes_are_found_again_in_the_measuring_workers(run: Run) -> None:
    assert run.optimized.metrics.accuracy.total == 360


def test_int8_weights_take_about_a_quarter(run: Run) -> None:
    ratio = run.baseline.metrics.memory.mean / run.optimized.metrics.memory.mean

    assert ratio == pytest.approx(4, abs=0.2)


def test_both_models_were_measured_in_one_session(run: Run) -> None:
    assert run.baseline.metrics.latency.session == run.optimized.metrics.latency.session


def test_the_workers_had_one_blas_thread(run: Run) -> None:
    assert run.protocol.threads == 1


def test_what_the_entry_declares_is_recorded(run: Run) -> None:
    assert (run.source.techniques, run.source.division) == (["INT8 Quantization"], "open")
    assert (run.source.track, run.protocol.seed) == ("assisted", 3)


def test_a_run_survives_the_way_through_json(run: Run) -> None:
    assert Run.model_validate_json(run.model_dump_json()) == run


def test_a_run_says_what_runs_each_model(run: Run) -> None:
    """A compiled one differs by a factor of ten or more with and without numba."""
    assert (run.baseline.backend, run.optimized.backend) == ("numpy", "numpy")


def test_a_run_says_what_an_inference_does_and_what_the_machine_can_do(run: Run) -> None:
    assert run.baseline.work.flops > 600_000
    assert run.optimized.work.flops >= run.baseline.work.flops  # codes become floats
    assert min(run.baseline.machine.flops_per_s, run.optimized.machine.memory_bandwidth_bytes_per_s) > 1e9


def test_nothing_in_a_run_names_the_machine_s_owner(run: Run) -> None:
    import getpass
    import platform

    text = run.model_dump_json()
    assert not any(name in text for name in (str(Path.home()) + "/", platform.node() or "\0"))
    assert f"/{getpass.getuser()}" not in text


CACHE = """
DIVISION = "open"
class Remembers:
    def __init__(self, model): self.model, self.seen, self.last = model, set(), b""
    def __call__(self, x):
        key = x.data.tobytes()
        if len(x.data) == 1 and key in self.seen and key != self.last:  # a warm-up may repeat its one input
            raise RuntimeError("an input came twice")
        self.seen.add(key)
        self.last = key
        return self.model(x)
def optimize(model, train_data):
    return Remembers(model)
"""


def test_a_cache_of_results_finds_nothing_in_it(tmp_path: Path, cache_directory: Path) -> None:
    """What is timed was never seen before: the entry would end its process."""
    run_competition(challenge(tmp_path, CACHE, cache_directory))


SLOW = """
import time
DIVISION = "open"
class Sleepy:
    def __init__(self, model): self.model = model
    def __call__(self, x):
        time.sleep(0.004)
        return self.model(x)
def optimize(model, train_data):
    return Sleepy(model)
"""


def test_what_takes_much_longer_than_its_tier_is_announced_with_its_time(tmp_path: Path, cache_directory: Path) -> None:
    said: list[str] = []
    run_competition(challenge(tmp_path, SLOW, cache_directory), Observer(say=said.append))

    assert len(said) == 1
    assert "measuring will take about" in said[0]


HIDDEN = """
import sys
DIVISION = "open"
class Hides:
    def __init__(self, model): self.model = model
    def __getstate__(self): return self.model
    def __setstate__(self, model): sys.hidden = model
    def __call__(self, x): return (sys.hidden if hasattr(sys, "hidden") else self.model)(x)
def optimize(model, train_data):
    return Hides(model)
"""


def test_weights_that_the_count_does_not_see_are_seen_by_the_artifact(tmp_path: Path, cache_directory: Path) -> None:
    memory = run_competition(challenge(tmp_path, HIDDEN, cache_directory)).optimized.metrics.memory

    assert memory.kept_bytes == 0
    assert memory.size_bytes == memory.artifact_bytes - NAMES_BYTES + memory.code_bytes > 149_000


SPOILS = """
from pathlib import Path
import helper
DIVISION = "open"
TECHNIQUES = ["Spoiling", "everything"]
def optimize(model, train_data):
    for path in Path({cache!r}).rglob("*.pickle"):
        path.write_bytes(b"spoiled")
    Path({entry!r}).write_text("def optimize(model, train_data): return 1")
    Path({entry!r}).with_name("helper.py").write_text("factor = 0")
    for path in Path(__file__).parent.iterdir():
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"spoiled")
    return helper.Scaled(model)
"""
HELPER = """
class Scaled:
    def __init__(self, model): self.model = model
    def __call__(self, x): return self.model(x) * 2
"""


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory, cache_directory: Path) -> tuple[Run, list[str]]:
    """A run of an entry that overwrites everything it was made from while it is built."""
    folder, said = tmp_path_factory.mktemp("entry"), list[str]()
    entry = SPOILS.format(cache=str(cache_directory), entry=str(folder / "entry.py"))
    return run_competition(challenge(folder, entry, cache_directory, helper=HELPER), Observer(say=said.append)), said


def test_what_is_overwritten_while_an_entry_is_built_changes_nothing(spoiled: tuple[Run, list[str]], run: Run) -> None:
    measured, _ = spoiled

    assert measured.baseline.artifact_sha256 == run.baseline.artifact_sha256
    assert measured.optimized.metrics.accuracy == run.baseline.metrics.accuracy


def test_what_an_entry_declares_and_wraps_costs_no_memory(spoiled: tuple[Run, list[str]]) -> None:
    assert spoiled[0].optimized.metrics.memory.kept_bytes == spoiled[0].baseline.metrics.memory.kept_bytes


GLOBALS = """
import helper
DIVISION = "open"
TECHNIQUES = ["Globals", "Helpers"]
def optimize(model, train_data):
    return helper.Scaled(model)
"""


def test_weights_in_the_globals_of_a_helper_are_kept(tmp_path: Path, cache_directory: Path) -> None:
    table = "import numpy\nTABLE = numpy.ones(1000)\n"
    run = run_competition(challenge(tmp_path, GLOBALS, cache_directory, helper=table + HELPER))

    assert run.optimized.metrics.memory.kept_bytes == run.baseline.metrics.memory.kept_bytes + 8000


def test_the_cached_baseline_is_put_back_and_that_is_said(
    spoiled: tuple[Run, list[str]], run: Run, cache_directory: Path
) -> None:
    (cached,) = (cache_directory / "digits_cnn").rglob("*.pickle")

    assert sha256(cached.read_bytes()) == run.baseline.artifact_sha256
    assert [words for words in spoiled[1] if "put back" in words] != []


TALKS = """
import logging, warnings
DIVISION = "open"
class Talks:
    def __init__(self, model): self.model = model
    def __call__(self, x):
        print("called")
        return self.model(x)
def optimize(model, train_data):
    logging.warning("logged")
    warnings.warn("warned")
    print("printed")
    try:
        input()
    except EOFError:
        print("nothing to read")
    return Talks(model)
"""


def test_what_an_entry_prints_logs_and_warns_is_kept_and_what_it_shows_so_far_is_told(
    tmp_path: Path, cache_directory: Path
) -> None:
    told: list[tuple[str, str]] = []
    seen: list[SoFar] = []
    watching = Observer(output=lambda *each: told.append(each), watch=seen.append)
    run_competition(challenge(tmp_path, TALKS, cache_directory), watching)
    (where, built), *measured = told

    assert len(seen) == seen[0].rounds
    assert where == "optimize"
    assert all(words in built for words in ("logged", "warned", "printed", "nothing to read"))
    assert len(measured) == TINY.processes + 2  # both models together, and each alone
    assert ["called" in text for _, text in measured] == [True, True, False]


POOLS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
DIVISION = "open"
def double(x):
    return 2 * x
def pools():
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool, ProcessPoolExecutor(2, mp_context=context) as executor:
            yield [*pool.map(double, [1, 2]), *executor.map(double, [3, 4])]
class Checked:
    def __init__(self, model): self.model, self.is_checked = model, False
    def __call__(self, x):
        if not self.is_checked:
            assert list(pools()) == 3 * [[2, 4, 6, 8]]
            self.is_checked = True
        return self.model(x)
def optimize(model, train_data):
    assert list(pools()) == 3 * [[2, 4, 6, 8]]
    return Checked(model)
"""


def test_an_entry_may_start_processes_as_any_program_does(tmp_path: Path, cache_directory: Path) -> None:
    """While it is built, and while its model runs, with every start method."""
    measured = run_competition(challenge(tmp_path, POOLS, cache_directory))

    assert measured.optimized.metrics.accuracy.correct > 300


def test_the_helper_modules_of_an_entry_are_recorded(spoiled: tuple[Run, list[str]]) -> None:
    (helper,) = spoiled[0].source.helpers

    assert (helper.name, helper.sha256) == ("helper.py", sha256(HELPER.encode()))


def test_a_cache_counts_as_it_is_kept_after_one_sample(small_task, cache_directory: Path) -> None:
    contender = Contender.reference(small_task.strategy("all_around"))
    run = run_competition(Challenge(small_task, contender, Settings(TINY), cache_directory=cache_directory))
    plain, cached = (model.metrics.memory.kept_bytes for model in (run.baseline, run.optimized))
    keys_and_values = 2 * 4 * 32 * 8  # float32, width, positions; of one sample, though all were asked at once before

    assert keys_and_values <= cached - plain <= keys_and_values + 200


def test_every_label_of_a_sequence_counts(small_task, cache_directory: Path) -> None:
    contender = Contender.reference(small_task.strategy("all_around"))
    run = run_competition(Challenge(small_task, contender, Settings(TINY), cache_directory=cache_directory))

    assert run.task.test_samples == run.optimized.metrics.accuracy.total == 40 * 4


COMPOSED = {
    "codes and cache": (INT4, KV_CACHE),
    "pruned, sparse, shared": (
        technique("Magnitude Pruning", "tinytorch.perf.compression:prune_weights", tuned=True, sparsity=0.3, epochs=4),
        technique("Sparse Storage", "tinytorch.perf.compression:sparsify"),
        SHARING,
    ),
}


@pytest.mark.parametrize("steps", COMPOSED.values(), ids=COMPOSED.keys())
def test_every_event_can_judge_a_composition_of_techniques(steps, small_task, cache_directory: Path) -> None:
    contender = Contender.reference(Strategy("composed", steps))
    run = run_competition(Challenge(small_task, contender, Settings(TINY), cache_directory=cache_directory))
    scores = compute_scores(run)
    judged = eligibility(run, scores)

    assert {event.event for event in judged} == set(OlympicEvent)
    assert [event.event for event in judged if event.value is None or not event.is_eligible] == []
    assert run.source.techniques == [step.technique for step in steps]
    assert run.optimized.layer_kinds == run.baseline.layer_kinds
