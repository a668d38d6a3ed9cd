"""What chance contributes to scores: the share of variance that lies between seeds, and trainings that stand out.

References:
    S. R. Searle, G. Casella and C. E. McCulloch (1992). Variance components. Wiley: the one-way random effects model, and the
    interval of its intraclass correlation; with groups of different sizes it is approximate (Thomas and Hultquist 1978).
    B. Iglewicz and D. C. Hoaglin (1993). How to detect and handle outliers. ASQC: the robust z-score and its bound of 3.5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import f as f_distribution

from hyperpilot.records import History, RunId
from hyperpilot.space import Space
from hyperpilot.strategies.bayes import Belief

Array = NDArray[np.float64]

FAR = 3.5
"""Robust z-score beyond which a score stands out."""

_LEAST_SPREAD = 0.05
"""Of the range of the study's scores: what is taken for the spread of scores that agree more closely than that."""


@dataclass(frozen=True, slots=True)
class SeedShare:
    """The share of the variance of scores that lies between seeds of one configuration, and not between configurations.

    Args:
        share: the estimate.
        low, high: of the 95% interval, which takes both kinds of variation as normal.
        configurations, trainings: how many it is from.
    """

    share: float
    low: float
    high: float
    configurations: int
    trainings: int


@dataclass(frozen=True, slots=True)
class Outlier:
    """A training that stands out.

    Args:
        run: which.
        score: its last one, or the mean over its evaluations.
        expected: the median of its configuration's last scores, or the mean of what the model expects at those evaluations.
        z: robust z-score of the difference.
        beside: `seeds` or `model`, accordingly.
    """

    run: RunId
    score: float
    expected: float
    z: float
    beside: str


def seed_share(groups: Sequence[Sequence[float]], level: float = 0.95) -> SeedShare | None:
    """One-way random effects over configurations with two seeds or more; None with fewer than two such, or all scores equal."""
    members = [np.asarray(group, dtype=float) for group in groups if len(group) > 1]
    k, total = len(members), sum(map(len, members))
    if k < 2:
        return None
    sizes, means = np.array([len(m) for m in members]), np.array([m.mean() for m in members])
    within = sum(float(((m - m.mean()) ** 2).sum()) for m in members) / (total - k)
    centre = float((sizes * means).sum() / total)
    between = float((sizes * (means - centre) ** 2).sum()) / (k - 1)
    if within == between == 0:
        return None
    size = float(total - (sizes**2).sum() / total) / (k - 1)
    tail, ratio = (1 - level) / 2, between / within if within else math.inf
    low, high = (ratio / f_distribution.ppf(q, k - 1, total - k) for q in (tail, 1 - tail))
    return SeedShare(_seeds(ratio, size), _seeds(low, size), _seeds(high, size), k, total)


def among_seeds(history: History) -> list[Outlier]:
    """Complete trainings far from the other seeds of their configuration, in the same phase, of which it takes four."""
    groups: dict[tuple[int, str], dict[RunId, float]] = {}
    for run in history.runs.values():
        if run.complete and run.score is not None:
            groups.setdefault((run.id.trial, run.phase), {})[run.id] = run.score
    found, least = [], _least_spread(history)
    for scores in groups.values():
        values = np.array(list(scores.values()))
        z, middle = robust_z(values, least), float(np.median(values))
        if len(scores) > 4:
            far = zip(scores.items(), z, strict=True)
            found += [Outlier(run, score, middle, float(at), "seeds") for (run, score), at in far if abs(at) > FAR]
    return _sorted(found)


def against_model(history: History, space: Space, belief: Belief) -> list[Outlier]:
    """Search trainings whose mean score is out of the ordinary far from the model's surface, over all of their evaluations.

    The model has seen the trainings that it is asked about, which draws its surface towards them: what stands out all the same
    stands out.
    """
    runs = [run for run in history.search if run.reports]
    reports = [(i, run, report) for i, run in enumerate(runs) for report in run.reports]
    if not reports:
        return []
    share = np.array([report.step / run.job.horizon for _, run, report in reports])
    x = space.encode([run.config for run in runs])[[i for i, _, _ in reports]]
    surface = belief.scores.scores_at(belief.courses(x, share).mean(axis=0))
    ends = np.cumsum([len(run.reports) for run in runs])[:-1]
    expected = np.array([part.mean() for part in np.split(surface, ends)])
    scores = np.array([np.mean([report.score for report in run.reports]) for run in runs])
    each = zip(runs, scores, expected, robust_z(scores - expected, _least_spread(history)), strict=True)
    return _sorted([Outlier(run.id, float(y), float(e), float(z), "model") for run, y, e, z in each if abs(z) > FAR])


def robust_z(values: ArrayLike, least: float = 0.0) -> Array:
    """Distance (n,) from the median, in units of the median absolute deviation that is scaled to a normal distribution.

    Args:
        values: (n,)
        least: the unit is no smaller.
    """
    scores = np.asarray(values, dtype=float)
    away = scores - np.median(scores)
    unit = max(float(np.median(np.abs(away))) / 0.6745, least)
    return np.asarray(away / unit if unit else np.zeros_like(away))


def _least_spread(history: History) -> float:
    scores = [report.score for run in history.runs.values() for report in run.reports]
    low, high = np.quantile(scores, [0.05, 0.95]) if scores else (0.0, 0.0)
    return _LEAST_SPREAD * float(high - low)


def _seeds(ratio: float, size: float) -> float:
    """The seeds' share, from the ratio of mean squares."""
    return min(1.0, size / (ratio + size - 1)) if math.isfinite(ratio) else 0.0


def _sorted(found: list[Outlier]) -> list[Outlier]:
    return sorted(found, key=lambda each: -abs(each.z))
