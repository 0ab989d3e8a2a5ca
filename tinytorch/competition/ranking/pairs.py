"""How likely two submissions to one event lie so far apart by chance, for many pairs at once.

Sizes are exact, answers are compared sample by sample, and times are those of two sessions: each submission has its own
session, so that its times have the spread from session to session beside their error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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


def _by_answers(entries: Sequence[Figures]) -> Pairs:
    """McNemar's exact test over the answers of both to the same test samples."""
    right = np.stack([_answers(each)[1] for each in entries]).astype(np.float32)
    most = right.shape[1] - int(right.sum(axis=1).min()) + 1  # that one of two has right alone, and one more
    every = np.arange(most)
    table = mcnemar_p_values(every[:, None], every) if len(entries) > most else None

    def p_values(rows: slice, columns: slice) -> Values:
        first, second = _only_one(right[rows], right[columns])
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
    wrong = ~np.stack([_answers(each) for each in entries])  # [entry, baseline or optimized, test sample]
    samples, counts = wrong.shape[2], wrong.sum(axis=2)
    weights = _slopes(counts / samples, entries[0].task, rules) * (1, -1)
    weights[[each.bitmaps is None for each in entries]] = np.nan
    sums, halves = (weights * counts).sum(axis=1), HALF_SAMPLE * np.square(weights / samples)
    own = (np.square(weights) * counts).sum(axis=1) - np.square(sums) / samples
    own += 2 * weights.prod(axis=1) * wrong.all(axis=1).sum(axis=1)
    answers = wrong.astype(np.float32)  # in which counts below 2^24 are exact, and products quick
    roles = [role for role in range(2) if weights[:, role].any()]

    def variances(rows: slice, columns: slice) -> tuple[Values, Values]:
        found = np.add.outer(own[rows], own[columns]) + 2 * np.outer(sums[rows], sums[columns]) / samples
        added = np.zeros_like(found)
        for first, second in product(roles, repeat=2):
            both = answers[rows, first] @ answers[columns, second].T
            found -= 2 * np.outer(weights[rows, first], weights[columns, second]) * both
            if first == second:
                differ = np.add.outer(counts[rows, first], counts[columns, first]) > 2 * both
                added += np.add.outer(halves[rows, first], halves[columns, first]) * differ
        return np.maximum(0.0, found) / ((samples - 1) * samples) + added, np.asarray(samples - 1.0)

    return variances


def _only_one(first: NDArray[np.float32], second: NDArray[np.float32]) -> tuple[Values, Values]:
    """[i, j]: in how many samples only row i of the first is 1, and in how many only row j of the second.

    One product finds them all; counts below 2^24 are exact in single precision.
    """
    both = first @ second.T
    return first.sum(axis=1)[:, None] - both, second.sum(axis=1) - both


def _slopes(wrong: Values, task: TaskRecord | None, rules: Rules) -> Values:
    """How fast ln(accuracy factor) changes with the shares (N, 2) of wrong answers of baseline and optimized model."""
    scoring = rules.scoring
    if scoring.points_per_doubling is None:
        return 1 / (wrong + (scoring.error_ratio_smoothing or 0.0))
    from_baseline = task is None or task.name not in rules.reference_accuracy
    slope = math.log(2) * POINTS / scoring.points_per_doubling
    return np.broadcast_to([slope * from_baseline, slope], wrong.shape).copy()


def _answers(entry: Figures) -> NDArray[np.bool_]:
    """[2, test samples]: what the baseline and the optimized model have right; all False where it is not known."""
    samples = entry.task.test_samples if entry.task else 0
    if entry.bitmaps is None:
        return np.zeros((2, samples), dtype=bool)
    rows = [np.unpackbits(np.frombuffer(bytes.fromhex(each), dtype=np.uint8), count=samples) for each in entry.bitmaps]
    return np.stack(rows).astype(bool)
