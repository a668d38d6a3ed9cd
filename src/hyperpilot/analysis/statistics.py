"""Statistics of few runs, over one task or several.

A task is its runs' scores, in an array whose last axis is the runs; an axis before it, where there is one, holds the resamples
of a bootstrap. So every statistic is written once, for scores and for all of their resamples together. Tasks may have different
numbers of runs. Larger scores are better.

Intervals are percentile intervals, and with few runs too narrow: on normal scores the 95% interval of the interquartile mean
holds the truth in 73% of cases with three runs, in 89% with five, and in 93% with ten (measured in `tests/test_statistics.py`).

References:
    R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville and M. G. Bellemare (2021). Deep reinforcement learning at the edge of
    the statistical precipice. NeurIPS: interquartile mean, optimality gap, performance profiles, probability of improvement,
    and the bootstrap that is stratified by task. The definitions are those of its library, rliable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import trim_mean

Array = NDArray[np.float64]
Tasks = Sequence[Array]


def iqm(scores: ArrayLike) -> float:
    """Mean of the middle half of the scores: a quarter is cut from each end, rounded down."""
    return float(trim_mean(np.asarray(scores, dtype=float), 0.25))


def tasks_iqm(tasks: Tasks) -> Array:
    """Interquartile mean (...) of the runs of all tasks together."""
    return np.asarray(trim_mean(_pooled(tasks), 0.25, axis=-1))


def tasks_mean(tasks: Tasks) -> Array:
    """Mean (...) over tasks of their mean scores."""
    return np.asarray(np.mean([task.mean(axis=-1) for task in tasks], axis=0))


def tasks_median(tasks: Tasks) -> Array:
    """Median (...) over tasks of their mean scores."""
    return np.asarray(np.median([task.mean(axis=-1) for task in tasks], axis=0))


def optimality_gap(tasks: Tasks, target: float = 1.0) -> Array:
    """By how much (...) runs fall short of the target, on average; what is beyond it counts as reached."""
    return np.asarray(target - np.minimum(_pooled(tasks), target).mean(axis=-1))


def profile(tasks: Tasks, levels: ArrayLike) -> Array:
    """Share (..., len(levels)) of runs with a score above each level."""
    return np.asarray((_pooled(tasks)[..., None] > np.asarray(levels, dtype=float)).mean(axis=-2))


def improvement(ours: Tasks, theirs: Tasks) -> Array:
    """Probability (...) that a run of ours is better than one of theirs on the same task, averaged over tasks; a draw is half."""
    return np.asarray(np.mean([_better(a, b) for a, b in zip(ours, theirs, strict=True)], axis=0))


def stratified_interval(
    statistic: Callable[..., Array],
    *samples: Sequence[ArrayLike],
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 5000,
) -> tuple[Array, Array]:
    """Percentile bootstrap interval: runs are drawn again within each task, and independently for each sample.

    Args:
        statistic: a function of one or more tasks' scores, such as `tasks_iqm` or `improvement`.
        samples: what it is given.
        rng: source of randomness.
        level: of the interval.
        resamples: how many.

    Returns:
        low and high, of the statistic's own shape.
    """
    drawn = statistic(*([_resampled(task, resamples, rng) for task in tasks] for tasks in samples))
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return low, high


def bootstrap_interval(
    scores: Sequence[float], rng: np.random.Generator, level: float = 0.95, resamples: int = 5000
) -> tuple[float, float]:
    """Percentile bootstrap interval of the interquartile mean of one task."""
    low, high = stratified_interval(tasks_iqm, [scores], rng=rng, level=level, resamples=resamples)
    return float(low), float(high)


def clustered_interval(
    groups: Sequence[Sequence[float]], rng: np.random.Generator, level: float = 0.95, resamples: int = 2000
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over groups: groups are drawn, then members within each."""
    members = [np.asarray(group, dtype=float) for group in groups]
    # The mean of a group's resample, for as many resamples as there are; which groups take part is drawn after that.
    means = np.array([m[rng.integers(len(m), size=(resamples, len(m)))].mean(axis=1) for m in members])
    chosen = rng.integers(len(members), size=(len(members), resamples))
    tail = (1 - level) / 2
    drawn = np.take_along_axis(means, chosen, axis=0).mean(axis=0)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _pooled(tasks: Tasks) -> Array:
    return np.concatenate([np.asarray(task, dtype=float) for task in tasks], axis=-1)


def _better(ours: Array, theirs: Array) -> Array:
    """(...) of one task: the Mann-Whitney statistic, as a share of the pairs."""
    a, b = ours[..., :, None], theirs[..., None, :]
    return np.asarray(((a > b) + 0.5 * (a == b)).mean(axis=(-2, -1)))


def _resampled(task: ArrayLike, resamples: int, rng: np.random.Generator) -> Array:
    values = np.asarray(task, dtype=float)
    return np.asarray(values[rng.integers(len(values), size=(resamples, len(values)))])
