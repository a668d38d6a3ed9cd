"""Statistics of the returns of an evaluation's episodes, and of the evaluations so far.

References:
    Rockafellar, Uryasev: Optimization of Conditional Value-at-Risk. Journal of Risk 2 (2000). Of few episodes the tail is a
    whole number of them, rounded up, so that the worst one always counts in full.
    Agarwal, Schwarzer, Castro, Courville, Bellemare: Deep Reinforcement Learning at the Edge of the Statistical Precipice.
    NeurIPS (2021): interquartile mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import trim_mean

from hyperpilot.records.events import Report

TAIL = 0.2
"""Share of the episodes, the worst of them, that the conditional value at risk is the mean of."""


def cvar(returns: Sequence[float] | NDArray[np.float64], tail: float = TAIL) -> float:
    """Mean of the worst `tail` of the returns, of one at least."""
    ordered = np.sort(np.asarray(returns, dtype=float))
    return float(ordered[: max(1, math.ceil(tail * len(ordered) - 1e-9))].mean())


def spread(returns: NDArray[np.float64]) -> dict[str, float]:
    """What there is to say of returns (n,) besides their mean."""
    return {
        "return_std": float(returns.std()),
        "return_min": float(returns.min()),
        "return_max": float(returns.max()),
        "iqm": float(trim_mean(returns, 0.25)),
        "cvar": cvar(returns),
    }


def so_far(last: Report | None, step: int, score: float) -> dict[str, float]:
    """What a new evaluation makes of the learning curve, of which the last report that belongs to it tells the rest.

    `auc` is the area under the straight lines that join the evaluations, level before the first, for each step.
    """
    if last is None:
        return {"auc": score, "best_return": score, "drawdown": 0.0}
    before, best = last.metrics.get("auc", last.score), max(score, last.metrics.get("best_return", last.score))
    auc = (before * last.step + (step - last.step) * (last.score + score) / 2) / step
    return {"auc": auc, "best_return": best, "drawdown": best - score}
