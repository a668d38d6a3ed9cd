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
