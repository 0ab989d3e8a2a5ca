"""How likely two submissions to one event lie so far apart by chance, for many pairs at once.

Sizes are exact, answers are compared sample by sample, and times are those of two sessions: each submission has its own
session, so that its times have the spread from session to session beside their error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.comparison import UNDISTURBED
from tinytorch.benchmarking.statistics import mcnemar_p_values, mean_estimate, welch_p_values
from tinytorch.competition.ranking.figures import POWERS, Figures
from tinytorch.competition.record.run import TaskRecord
from tinytorch.competition.rules.events import Ranked, Rules
from tinytorch.competition.scoring.expectation import EXACT
from tinytorch.competition.scoring.scores import POINTS

Values = NDArray[np.float64]
Pairs = Callable[[slice, slice], Values]
"""Two-sided p-values of the entries of a slice (rows) beside those of another (columns); 1 where nothing is known."""

HALF_SAMPLE = 0.5
AT_ONCE = 500  # entries whose answers are unpacked


def pairs(entries: Sequence[Figures], rules: Rules) -> Pairs:
    """The test of what their event ranks by, over entries that all have a value."""
    ranked_by = entries[0].ranked_by
    if ranked_by in EXACT:
        return _by_counts(entries)
    if ranked_by == "accuracy":
        return _by_answers(entries)
    return _by_times(entries, ranked_by, rules)


def _by_counts(entries: Sequence[Figures]) -> Pairs:
    """Sizes and counted work have no error: what differs at all is told apart."""
    ratios = np.array([each.shown for each in entries])
    return lambda rows, columns: np.where(np.equal.outer(ratios[rows], ratios[columns]), 1.0, 0.0)


@dataclass(frozen=True)
class Answers:
    """Which test samples a model of each entry has wrong; packed, because 20,000 entries' would fill the memory."""

    right: NDArray[np.uint8]  # [entry, eight test samples]
    samples: int

    def wrong(self, entries: slice) -> NDArray[np.float32]:
        """[entry, test sample] 1 where it is wrong; in single precision counts below 2^24 are exact."""
        return 1 - np.unpackbits(self.right[entries], axis=1, count=self.samples).astype(np.float32)

    @cached_property
    def counts(self) -> Values:
        """How many each entry has wrong."""
        return np.concatenate([self.wrong(part).sum(axis=1, dtype=float) for part in _parts(self)])


def _answers(entries: Sequence[Figures]) -> tuple[Answers, Answers]:
    """Those of the baseline and of the optimized model; all wrong where it is not known."""
    samples = entries[0].task.test_samples if entries[0].task else 0
    rows = np.zeros((2, len(entries), math.ceil(samples / 8)), dtype=np.uint8)
    for number, each in enumerate(entries):
        for model, bits in enumerate(each.bitmaps or ()):
            rows[model, number] = np.frombuffer(bits, dtype=np.uint8)
    return Answers(rows[0], samples), Answers(rows[1], samples)


def _parts(answers: Answers) -> list[slice]:
    return [slice(start, start + AT_ONCE) for start in range(0, len(answers.right), AT_ONCE)]


def _both(first: Answers, rows: slice, second: Answers, columns: slice) -> Values:
    """[i, j]: how many samples both have wrong, by one product."""
    return np.asarray(first.wrong(rows) @ second.wrong(columns).T, dtype=np.float64)


def _by_answers(entries: Sequence[Figures]) -> Pairs:
    """McNemar's exact test over the answers of both to the same test samples."""
    _, answers = _answers(entries)
    wrong = answers.counts
    every = np.arange(int(wrong.max()) + 1)  # samples that one of two alone has wrong
    table = mcnemar_p_values(every[:, None], every) if len(entries) > every.size else None

    def p_values(rows: slice, columns: slice) -> Values:
        both = _both(answers, rows, answers, columns)
        first, second = wrong[rows, None] - both, wrong[columns] - both
        if table is None:
            return mcnemar_p_values(first, second)
        found: Values = table[first.astype(np.intp), second.astype(np.intp)]  # more pairs than different counts
        return found

    return p_values


def _by_times(entries: Sequence[Figures], ranked_by: Ranked, rules: Rules) -> Pairs:
    """Welch's test of the log ratios, with the spread of both sessions added.

    A lead is shortened first by what the machines of both may have done for it. Where accuracy counts, the test samples
    that both have answered add to the variance; sizes are exact.
    """
    power = POWERS[ranked_by]
    values = np.log([each.ranked_value for each in entries]) / power
    estimates = [mean_estimate(each.log_ratios) if each.log_ratios else None for each in entries]
    variance = np.square([math.nan if each is None else each.standard_error or math.nan for each in estimates])
    degrees = np.array([each.units - 1 if each else 1 for each in estimates], dtype=float)
    spread = np.square([each.session_spread for each in entries])
    moved = [each.moved or UNDISTURBED for each in entries]
    down, up = np.array([each.down for each in moved]), np.array([each.up for each in moved])
    accuracy = _accuracy_variances(entries, rules) if ranked_by == "all_around" else None

    def p_values(rows: slice, columns: slice) -> Values:
        parts = [(variance[rows, None], degrees[rows, None]), (variance[columns], degrees[columns])]
        if accuracy:
            parts.append(accuracy(rows, columns))
        leads = np.subtract.outer(values[rows], values[columns])
        most = np.where(leads > 0, np.add.outer(down[rows], up[columns]), np.add.outer(up[rows], down[columns]))
        left = np.maximum(0.0, np.abs(leads) - most)
        return welch_p_values(left, parts, np.add.outer(spread[rows], spread[columns]))

    return p_values


def _accuracy_variances(
    entries: Sequence[Figures], rules: Rules
) -> Callable[[slice, slice], tuple[Values, Values]]:  # fmt: skip
    """How much of a difference between two ln(accuracy factor)s is the choice of test samples (the delta method).

    A model with few errors or none has hardly any variance to show, so that half a sample is added to each count where
    the two differ (as Agresti & Min, Statistics in Medicine 2005, add it to each cell). Without it somebody would be
    told from ten equal models with 1 % of errors in one of four rankings of 360 test samples (simulated).
    """
    models = _answers(entries)
    samples, counts = models[0].samples, np.stack([each.counts for each in models], axis=1)
    weights = _slopes(counts / samples, entries[0].task, rules) * (1, -1)
    weights[[each.bitmaps is None for each in entries]] = np.nan
    sums, halves = (weights * counts).sum(axis=1), HALF_SAMPLE * np.square(weights / samples)
    of_both = np.concatenate(
        [(models[0].wrong(part) * models[1].wrong(part)).sum(axis=1) for part in _parts(models[0])]
    )
    own = (np.square(weights) * counts).sum(axis=1) - np.square(sums) / samples + 2 * weights.prod(axis=1) * of_both
    roles = [role for role in range(2) if weights[:, role].any()]

    def variances(rows: slice, columns: slice) -> tuple[Values, Values]:
        found = np.add.outer(own[rows], own[columns]) + 2 * np.outer(sums[rows], sums[columns]) / samples
        added = np.zeros_like(found)
        for first, second in product(roles, repeat=2):
            both = _both(models[first], rows, models[second], columns)
            found -= 2 * np.outer(weights[rows, first], weights[columns, second]) * both
            if first == second:
                differ = np.add.outer(counts[rows, first], counts[columns, first]) > 2 * both
                added += np.add.outer(halves[rows, first], halves[columns, first]) * differ
        return np.maximum(0.0, found) / ((samples - 1) * samples) + added, np.asarray(samples - 1.0)

    return variances


def _slopes(wrong: Values, task: TaskRecord | None, rules: Rules) -> Values:
    """How fast ln(accuracy factor) changes with the shares (N, 2) of wrong answers of baseline and optimized model."""
    scoring = rules.scoring
    if scoring.points_per_doubling is None:
        return 1 / (wrong + (scoring.error_ratio_smoothing or 0.0))
    from_baseline = task is None or task.name not in rules.reference_accuracy
    slope = math.log(2) * POINTS / scoring.points_per_doubling
    return np.broadcast_to([slope * from_baseline, slope], wrong.shape).copy()
