"""A session, with placements whose times are written down beforehand: no process, no clock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tinytorch.benchmarking import measure, yardstick
from tinytorch.benchmarking.comparison import compare_latency
from tinytorch.benchmarking.placements import Description, Inspection, Mode
from tinytorch.benchmarking.records.metrics import FreshAnswers
from tinytorch.benchmarking.records.samples import read_samples
from tinytorch.benchmarking.records.work import Limits, Work
from tinytorch.benchmarking.schedule import FEWEST_VISITS, BlockShape, Probe, Schedule, Tier
from tinytorch.benchmarking.session import (
    Session,
    Settings,
    Truth,
    long_measurement,
    measure_models,
)
from tinytorch.benchmarking.survey import Survey, survey_models
from tinytorch.errors import ModelError
from tinytorch.progress import Progress, silent

TIER = Tier("test", 1, processes=5, copies=2)
OUTPUTS = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], np.float32)
LABELS = np.array([1, 0, 1])


@dataclass
class Script:
    """What the placements will say, and what they were asked."""

    single: np.ndarray = field(default_factory=lambda: OUTPUTS)
    before: Inspection = field(default_factory=lambda: seen([300, 100]))
    after: Inspection = field(default_factory=lambda: seen([1000, 150]))
    unseen: list[str] = field(default_factory=list)
    slowdown: int = 1  # of every visit but a process's first
    mode: Mode = "worker processes"
    seeds: list[Sequence[int]] = field(default_factory=list)
    visited: list[int] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    wrong: int = 0  # timed answers of the second model in each block
    asked: list[tuple[int, int]] = field(default_factory=list)  # seeds and numbers of the blocks that were compared


def seen(kept_bytes: list[int], threads: int = 1, patched: Sequence[str] = (), weights: str = "as built") -> Inspection:
    return Inspection(kept_bytes, threads, list(patched), [[weights], [weights]])


class ScriptedPlacements:
    """The first model takes 2000 ns and the second 1000 ns, and in every process its own few ns more."""

    def __init__(self, script: Script, number: int) -> None:
        self.script, self.number = script, number

    def describe(self, model: int) -> Description:
        return Description(10, ["Linear"], [300, 100][self.number], 50, self.script.unseen)

    def predict(self, model: int, batch: int) -> np.ndarray:
        return OUTPUTS

    def predict_singly(self, model: int, call_ns: int) -> np.ndarray:
        return self.script.single

    def probe(self) -> Probe:
        return Probe((1_000_000_000,), 50, 1)

    def limits(self, kept_bytes: int, tries: int) -> Limits:
        self.script.read.append(kept_bytes)
        return Limits(
            memory_bandwidth_bytes_per_s=1e9 * len(self.script.read), near_bandwidth_bytes_per_s=1e12, flops_per_s=1e9
        )

    def counted(self, model: int, call_ns: int) -> Work | None:
        return Work(flops=1000, weight_bytes=2000, moved_bytes=2000)

    def time_passes(self, model: int, batch: int) -> list[int]:
        return [1000]

    def visit(self, plan: Schedule, seed: int) -> measure.Samples:
        slowdown = self.script.slowdown if self.number in self.script.visited else 1
        self.script.visited.append(self.number)
        block = [plan.block.timed * [slowdown * (2000 + self.number)]], [plan.block.timed * [slowdown * 1000]]
        beside = [[yardstick.TIMED * [40 + self.number]]] * plan.copies
        return [*([plan.block.block_pairs * kind for _ in range(plan.copies)] for kind in block), beside]

    def timed_outputs(self, model: int, block: int) -> np.ndarray:
        return answers(self.script.wrong if model else 0).view(np.uint8)

    def inspect(self) -> Inspection:
        return self.script.after if self.script.visited else self.script.before


class Alone(ScriptedPlacements):
    """One of the models, by its number, in a process of its own."""

    def inspect(self) -> Inspection:
        found = self.script.before
        return replace(found, kept_bytes=found.kept_bytes[self.number :][:1], weights_sha256=[["as built"]])

    def outputs_of_block(self, model: int, plan: Schedule, of_model: int, seed: int, block: int) -> np.ndarray:
        self.script.asked.append((seed, block))
        return answers().reshape(4, 1, 1)

    def left_behind(self) -> list[str]:
        return self.script.left


def answers(wrong: int = 0) -> np.ndarray:
    return np.array([1.0] * (4 - wrong) + [5.0] * wrong, np.float32)


@dataclass
class ScriptedVenue:
    """Makes scripted placements and notes the seeds."""

    script: Script
    models: int = 2

    @property
    def mode(self) -> Mode:
        return self.script.mode

    @contextlib.contextmanager
    def open(self, copies: int, seeds: Sequence[int]) -> Iterator[list[ScriptedPlacements]]:
        self.script.seeds.append(seeds)
        yield [ScriptedPlacements(self.script, number) for number in range(len(seeds))]

    @contextlib.contextmanager
    def alone(self, seed: int) -> Iterator[list[ScriptedPlacements]]:
        self.script.seeds.append([seed])
        yield [Alone(self.script, number) for number in range(self.models)]


def run_session(script: Script, settings: Settings, progress: Progress = silent) -> Session:
    venue = ScriptedVenue(script)
    with venue.alone(settings.first_seed) as alone:
        return measure_models(venue, alone, settings, survey_models(alone, progress), progress)


def surveyed(script: Script) -> Survey:
    with ScriptedVenue(script).alone(0) as alone:
        return survey_models(alone)


def measured(script: Script, tier: Tier = TIER, seed: int = 3) -> Session:
    return run_session(script, Settings(tier, seed))


def test_all_processes_live_for_the_whole_session_and_have_seeds_of_their_own() -> None:
    script = Script()
    measured(script)
    alone, session = script.seeds

    assert (len(alone), len(session)) == (1, TIER.processes)
    assert len({*alone, *session}) == 1 + TIER.processes


def test_the_machine_s_limits_are_the_best_seen_in_reads_as_large_as_each_model() -> None:
    script = Script()
    protocol = measured(script).protocol

    assert script.read[:2] == [300, 100]
    assert protocol.memory_bandwidth_bytes_per_s == 2e9


def test_two_seeds_share_no_process_seed() -> None:
    first, second = Script(), Script()
    measured(first, seed=3)
    measured(second, seed=4)

    assert not {seed for seeds in first.seeds for seed in seeds} & {seed for seeds in second.seeds for seed in seeds}


def test_every_process_is_visited_ten_times_round_after_round_in_changing_order() -> None:
    script = Script()
    measured(script)
    rounds = [tuple(script.visited[start : start + 5]) for start in range(0, len(script.visited), 5)]

    assert len(rounds) == FEWEST_VISITS
    assert all(sorted(one) == list(range(5)) for one in rounds)
    assert len(set(rounds)) > 1


def test_who_watches_is_told_after_every_round_and_changes_nothing() -> None:
    script, seen, settings = Script(), [], Settings(TIER, 3)
    venue = ScriptedVenue(script)
    with venue.alone(settings.first_seed) as alone:
        watched = measure_models(venue, alone, settings, survey_models(alone), watch=seen.append)

    assert [(each.rounds_done, each.rounds) for each in seen] == [(number, FEWEST_VISITS) for number in range(1, 11)]
    assert seen[-1].speedup == pytest.approx(compare_latency(*watched.latency).estimate)
    assert [one.times_ns.tolist() for one in watched.latency] == [
        one.times_ns.tolist() for one in measured(Script()).latency
    ]


def test_the_process_is_the_unit() -> None:
    latency = measured(Script()).latency

    assert [one.unit_count for one in latency] == [TIER.processes] * 2


def test_of_several_sessions_the_session_is_the_unit_and_they_begin_at_equal_distances() -> None:
    script, waits = Script(), []
    tier = replace(TIER, sessions=4, span_s=90.0)
    venue, settings = ScriptedVenue(script), Settings(tier)
    with venue.alone(settings.first_seed) as alone:
        session = measure_models(venue, alone, settings, survey_models(alone), wait=waits.append)

    assert session.latency[0].unit_count == 4
    assert waits == pytest.approx([0, 30, 60, 90], abs=5)
    assert len({seed for seeds in script.seeds for seed in seeds}) == 1 + 4 * TIER.processes


def test_both_models_have_all_their_blocks_in_the_order_of_processes_and_copies() -> None:
    first, second = measured(Script()).latency

    assert first.times_ns.shape == second.times_ns.shape == (10, FEWEST_VISITS, 1)
    assert first.times_ns[:, 0, 0].tolist() == [2000 + process for process in range(5) for _ in range(2)]


def test_nobody_looks_at_the_machine_again_where_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScriptedPlacements, "counted", lambda self, model, call_ns: None)
    script = Script()
    record = measured(script).record(0, "model", Truth(LABELS))

    assert (record.work, record.machine, len(script.read)) == (None, None, 2)  # one look for each model, in the survey


def test_the_best_that_was_seen_of_the_machine_is_kept_with_each_model_and_its_work() -> None:
    script = Script()
    session = measured(script)
    best = [session.record(model, "model", Truth(LABELS)).machine for model in range(2)]

    assert set(script.read) == {300, 100}  # what the models keep, of 2000 bytes of weights that they read
    assert len(script.read) == 2 + 2 * len(script.visited)
    assert best[1].memory_bandwidth_bytes_per_s == 1e9 * len(script.read)  # every look at this machine sees more
    assert best[0].memory_bandwidth_bytes_per_s == 1e9 * (len(script.read) - 1)
    assert session.record(0, "model", Truth(LABELS)).work == Work(flops=1000, weight_bytes=2000, moved_bytes=2000)


def test_the_yardstick_s_times_are_kept_in_the_same_order() -> None:
    beside = measured(Script()).protocol.yardstick

    assert (beside.version, beside.calls_per_sample) == (yardstick.VERSION, yardstick.CALLS_PER_SAMPLE)
    assert read_samples(beside.samples_ns).shape == (10, FEWEST_VISITS, yardstick.TIMED)
    assert read_samples(beside.samples_ns)[:, 0, 0].tolist() == [40 + process for process in range(5) for _ in range(2)]


def test_the_protocol_says_what_ran() -> None:
    protocol = measured(Script()).protocol

    assert (protocol.sessions, protocol.processes, protocol.copies, protocol.visits) == (1, 5, 2, FEWEST_VISITS)


def test_one_process_is_one_unit_and_has_no_interval() -> None:
    session = measured(Script(mode="this process"))

    assert (session.protocol.processes, session.latency[0].unit_count) == (1, 1)
    assert session.latency[0].ci_lower is None


def test_memory_is_the_larger_count_of_before_and_after_the_timed_calls() -> None:
    assert measured(Script()).kept_bytes[1] == 150


def test_what_hangs_on_the_first_model_while_both_are_timed_is_not_its_own() -> None:
    assert measured(Script(after=seen([10**9, 100]))).kept_bytes == [300, 100]


@pytest.mark.parametrize(("weights", "is_changed"), [("as built", False), ("others", True)])
def test_weights_of_the_first_model_that_the_timing_changed_are_told(weights: str, is_changed: bool) -> None:
    assert measured(Script(after=seen([300, 100], weights=weights))).first_was_changed is is_changed


def test_the_threads_are_those_seen_after_the_timing() -> None:
    assert measured(Script(after=seen([1, 1], threads=2))).protocol.threads == 2


def test_answers_of_every_process_are_compared_with_those_of_the_model_alone() -> None:
    """Of the first visit to each process both models', and then of some visits one model's."""
    script = Script()
    protocol = measured(script).protocol
    first, others = script.asked[: 2 * TIER.processes], script.asked[2 * TIER.processes :]
    asked = {seed for seed, _ in script.asked}

    assert protocol.answers_compared == 4 * len(script.asked)
    assert len({seed for seed, _ in first}) == TIER.processes
    assert len(asked) == TIER.processes + len(others) <= TIER.processes * FEWEST_VISITS  # no visit twice


def test_a_model_that_answers_otherwise_while_it_is_timed_is_refused() -> None:
    with pytest.raises(ModelError, match=r"something else while it is timed: 1 of 4 answers"):
        measured(Script(wrong=1))


def test_what_a_model_leaves_outside_its_process_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match=r"leaves the file weights\.npy"):
        measured(Script(left=["the file weights.npy"]))


def test_what_a_model_leaves_once_it_was_timed_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Alone, "left_behind", lambda self: ["the file late.npy"] if self.script.visited else [])

    with pytest.raises(ModelError, match=r"leaves the file late\.npy"):
        measured(Script())


def test_a_survey_refuses_what_a_model_leaves() -> None:
    with pytest.raises(ModelError, match="leaves the process python3"):
        surveyed(Script(left=["the process python3"]))


def test_a_seed_that_nobody_chose_is_another_one_each_time() -> None:
    drawn, chosen = [Settings.of(TIER, None) for _ in range(3)], Settings.of(TIER, 3)

    assert len({settings.seed for settings in drawn}) == 3
    assert [run_session(Script(), each).protocol.is_seed_chosen for each in (drawn[0], chosen)] == [False, True]
    assert [settings.is_seed_chosen for settings in (*drawn, chosen)] == [False, False, False, True]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_patched_function_is_refused_by_name(when: str) -> None:
    patched = seen([1, 1], patched=["tinytorch.core.layers.Linear.forward"])
    with pytest.raises(ModelError, match=r"tinytorch\.core\.layers\.Linear\.forward"):
        measured(Script(**{when: patched}))


@pytest.mark.parametrize(("slowdown", "doubted"), [(1, False), (2, True)])
def test_a_session_in_which_calls_mostly_took_longer_is_doubted(slowdown: int, doubted: bool) -> None:
    doubts = measured(Script(slowdown=slowdown)).protocol.doubts

    assert ("disturbed" in [doubt.code for doubt in doubts]) == doubted


@pytest.mark.parametrize(
    ("single", "differing"),
    [
        (OUTPUTS, None),
        (OUTPUTS * np.float32(1 + 5e-5), None),
        (OUTPUTS[:2], None),
        (OUTPUTS + np.array([[0], [0], [0.001]], np.float32), 2),
        (OUTPUTS[:, ::-1], 0),
    ],
)
def test_what_is_timed_is_what_is_scored(single: np.ndarray, differing: int | None) -> None:
    assert surveyed(Script(single=single)).models[1].differing == differing


def test_answers_to_new_inputs_are_counted_apart() -> None:
    """The last two of the inputs were made anew: one of them is answered right."""
    session = measured(Script())
    right = session.surveys[0].outputs.argmax(axis=-1)
    known, anew = right[:-2], np.array([right[-2], 1 - right[-1]])
    record = session.record(0, "model", Truth(known, anew))

    assert (record.metrics.accuracy.mean, record.metrics.accuracy.total) == (1.0, len(known))
    assert record.fresh_answers == FreshAnswers.from_correctness([True, False])


def test_what_the_count_of_memory_could_not_see_is_recorded_fit_to_show() -> None:
    memory = measured(Script(unseen=["Opaque\x1b[31m"])).record(0, "model", Truth(LABELS)).metrics.memory

    assert memory is not None
    assert memory.unseen == ["Opaque\\x1b[31m"]


def test_a_model_without_arrays_keeps_0_bytes() -> None:
    nothing = seen([0, 0])
    session = replace(measured(Script(before=nothing, after=nothing)), kept_bytes=[0, 0])

    assert session.record(0, "model", Truth(LABELS)).metrics.memory.mean == 0


def test_only_what_was_asked_for_is_measured() -> None:
    script = Script()
    session = run_session(script, Settings(TIER, metrics=("accuracy",)))

    assert (session.latency, script.visited) == (None, [])
    assert session.protocol.processes == len(script.seeds) == 1
    assert session.protocol.answers_compared is None


@pytest.mark.parametrize(("budget_ns", "is_told"), [(1, True), (1_000_000_000_000, False)])
def test_only_what_takes_much_longer_than_its_tier_is_told(budget_ns: int, is_told: bool) -> None:
    settings = Settings(replace(TIER, budget_ns=budget_ns))

    assert (long_measurement(settings, surveyed(Script())) is not None) == is_told


def test_a_long_measurement_is_told_with_the_time_of_all_its_sessions() -> None:
    """Five processes, two copies, ten visits, one call of a second of each of two models: 200 s, twice."""
    settings = Settings(replace(TIER, sessions=2))

    assert "about 400 s" in (long_measurement(settings, surveyed(Script())) or "")


def test_progress_goes_from_nothing_to_all() -> None:
    told: list[tuple[str, float]] = []
    run_session(Script(), Settings(TIER), lambda *each: told.append(each))
    shares = [share for stage, share in told if stage == "measure"]

    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)


def test_the_least_block_shape_is_one_timed_call() -> None:
    assert BlockShape(1, 0, 1).samples == 1


def test_throughput_counts_inputs_whatever_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that returns many rows for each input is no faster for it."""
    monkeypatch.setattr(ScriptedPlacements, "predict", lambda *_: np.repeat(OUTPUTS, 50, axis=0))
    script = Script(single=np.repeat(OUTPUTS, 50, axis=0))
    session = run_session(script, Settings(TIER, metrics=("latency",)))

    assert session.record(0, "model", Truth(LABELS)).metrics.throughput.batch_size == len(LABELS)
