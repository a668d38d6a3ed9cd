"""Agreement of two rankings.

References:
    D. G. Bonett and T. A. Wright (2000). Sample size requirements for estimating Pearson, Kendall and Spearman correlations.
    Psychometrika 65(1): the interval, by Fisher's transformation with a variance for ranks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm, spearmanr


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's rank correlation; NaN where one side is all ties."""

    rho: float
    low: float
    high: float


def rank_correlation(one: ArrayLike, other: ArrayLike, level: float = 0.95) -> Correlation:
    """Spearman's correlation of (n,) and (n,), n above 3, with Bonett and Wright's interval."""
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if len(set(a)) < 2 or len(set(b)) < 2:
        return Correlation(math.nan, math.nan, math.nan)
    rho = float(spearmanr(a, b).statistic)
    centre = math.atanh(min(max(rho, -1 + 1e-9), 1 - 1e-9))
    reach = float(norm.ppf((1 + level) / 2)) * math.sqrt((1 + rho**2 / 2) / (len(a) - 3))
    return Correlation(rho, math.tanh(centre - reach), math.tanh(centre + reach))
