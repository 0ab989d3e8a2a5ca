"""Timing one session: all its processes alive, visited round after round."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from tinytorch.benchmarking import measure
from tinytorch.benchmarking.agreement import TimedBlock
from tinytorch.benchmarking.placements import AnyPlacements, Inspection, Venue
from tinytorch.benchmarking.provisional import Watching
from tinytorch.benchmarking.records.work import Limits
from tinytorch.benchmarking.schedule import SEED_BITS, Schedule, Tier, process_seed, rounds
from tinytorch.progress import Progress, part_of

LIMIT_TRIES = 3  # after each visit: a few milliseconds
COMPARED_PART = 16  # of so many pairs of blocks the answers of one block are compared: 6 % of a session

Wait = Callable[[float], None]
_DRAW = random.SystemRandom()  # nobody who knows the seed knows what it gives


def begun(tier: Tier, wait: Wait) -> Iterator[int]:
    """The sessions' numbers, each when it is time to begin."""
    start_ns = measure.CLOCK()
    for session in range(tier.sessions):
        due_s = session * tier.span_s / max(1, tier.sessions - 1)
        wait(max(0.0, due_s - (measure.CLOCK() - start_ns) / 1e9))
        yield session


@dataclass(frozen=True)
class Taken:
    """What one session gave: the samples of each process, what it looks like then, and the blocks that were drawn.

    `limits` of each model are the best that any process saw of the machine after its visits.
    """

    samples: list[measure.Samples]
    inspections: list[Inspection]
    drawn: list[TimedBlock]
    limits: list[Limits]


def time_session(
    venue: Venue, plan: Schedule, seed: int, session: int, progress: Progress, reads: Sequence[int] = (),
    watching: Watching | None = None,
) -> Taken:  # fmt: skip
    """One session: all its processes alive, visited round after round; limits are those of models that read so much."""
    seeds = [process_seed(seed, session, process + 1) for process in range(plan.processes)]
    generator, visits = random.Random(process_seed(seed, session, 0)), plan.visits * plan.processes
    samples: list[measure.Samples] = [[[[] for _ in range(plan.copies)] for _ in range(plan.models + 1)] for _ in seeds]
    seen: list[list[Limits]] = [[] for _ in reads]
    drawn: list[TimedBlock] = []
    told = part_of(progress, "measure", session, plan.sessions)
    with venue.open(plan.copies, seeds) as processes:
        for done, process in enumerate(chain.from_iterable(rounds(plan, generator))):
            told("measure", done / visits)
            visit_seed = generator.getrandbits(SEED_BITS)
            _extend(samples[process], processes[process].visit(plan, visit_seed))
            for found, size_bytes in zip(seen, reads, strict=True):
                found.append(processes[process].limits(size_bytes, LIMIT_TRIES))
            if done < plan.processes:
                drawn.extend(_draw(processes[process], plan, visit_seed, model) for model in range(venue.models))
            elif _DRAW.random() < plan.blocks_of_visit / COMPARED_PART:
                drawn.append(_draw(processes[process], plan, visit_seed, _DRAW.randrange(venue.models)))
            if watching and (done + 1) % plan.processes == 0:
                watching.after_round((done + 1) // plan.processes, samples)
        inspections = [process.inspect() for process in processes]
    told("measure", 1.0)
    return Taken(samples, inspections, drawn, [Limits.best(each) for each in seen])


def _draw(process: AnyPlacements, plan: Schedule, seed: int, model: int) -> TimedBlock:
    """One block of a model, of the visit that has just ended."""
    number = _DRAW.randrange(plan.blocks_of_visit)
    return TimedBlock(seed, number, model, process.timed_outputs(model, number))


def _extend(samples: measure.Samples, visit: measure.Samples) -> None:
    for model, copies in zip(samples, visit, strict=True):
        for blocks, more in zip(model, copies, strict=True):
            blocks.extend(more)
