"""Statistics of few runs.

References:
    Agarwal, Schwarzer, Castro, Courville, Bellemare: Deep Reinforcement Learning at the Edge of the Statistical Precipice.
    NeurIPS (2021): interquartile mean and percentile bootstrap.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import trim_mean


def iqm(scores: Sequence[float]) -> float:
    """Mean of the middle half of the scores: a quarter is cut from each end, rounded down."""
    return float(trim_mean(np.asarray(scores, dtype=float), 0.25))


def bootstrap_interval(
    scores: Sequence[float], rng: np.random.Generator, level: float = 0.95, resamples: int = 5000
) -> tuple[float, float]:
    """Percentile bootstrap interval of the interquartile mean."""
    values = np.asarray(scores, dtype=float)
    drawn = values[rng.integers(len(values), size=(resamples, len(values)))]
    tail = (1 - level) / 2
    low, high = np.quantile(trim_mean(drawn, 0.25, axis=1), [tail, 1 - tail])
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


def probability_of_improvement(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Share of the pairs in which the first is smaller; a draw counts half."""
    first, second = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    return float(np.mean((first < second) + 0.5 * (first == second)))
