"""Rung arithmetic, and what every schedule asks of the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Job, Run

Score = Callable[[Run, int], float | None]
"""What a run is worth at a rung."""


def rungs(horizon: int, eta: float, count: int) -> tuple[int, ...]:
    """Steps of `count` rungs, each `eta` times the one below, ending at the horizon.

    Raises:
        InvalidStudy: the lowest rung would be less than one step.
    """
    if eta <= 1 or count < 1:
        raise InvalidStudy(f"eta={eta} with {count} rungs is no schedule", "Use eta above 1 and at least one rung.")
    steps = tuple(round(horizon / eta**k) for k in reversed(range(count)))
    if steps[0] < 1 or len(set(steps)) < count:
        raise InvalidStudy(f"{count} rungs do not fit in a horizon of {horizon} steps", "Use fewer rungs.")
    return steps


def best(runs: Iterable[Run], step: int, count: int, score: Score = Run.score_at) -> list[Run]:
    """The `count` best of the runs that reached a rung, the older first among equals; failed runs are never among them."""
    reached = [run for run in runs if run.state != "failed" and run.job.until >= step]
    scored = [(run, value) for run in reached if (value := score(run, step)) is not None]
    return [run for run, _ in sorted(scored, key=lambda pair: (-pair[1], pair[0].id))[:count]]


def promotions(
    runs: Sequence[Run], steps: Sequence[int], eta: float, left: int, n: int, score: Score = Run.score_at
) -> list[Job]:
    """Up to n promotions without barriers, from the highest rung down, as far as the steps that are left allow.

    At a rung, paused runs are promoted that are among the best 1/eta of all that were trained to it.
    """
    jobs: list[Job] = []
    for step, above in reversed(list(zip(steps, steps[1:], strict=False))):
        reached = [run for run in runs if run.job.until > step or (run.job.until == step and run.state != "active")]
        for run in best(reached, step, int(len(reached) / eta + 1e-9), score):
            waits = run.job.until == step and run.state == "paused"
            if waits and len(jobs) < n and above - step <= left:
                jobs.append(run.promoted(above))
                left -= above - step
    return jobs


def starts(step: int, left: int, n: int) -> Sequence[int]:
    """The `until` of up to n new trials that begin with the lowest rung, as many as the steps that are left allow."""
    return (step,) * max(0, min(n, left // step))


class Correlation(NamedTuple):
    """A rank correlation of n pairs with its 90% interval."""

    value: float
    low: float
    high: float
    n: int


def rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> Correlation:
    """Spearman's, of n pairs, at least 4; 0 for sure where one side is all ties, which ranks nothing.

    The interval is normal in Fisher's transform, with the standard error of Bonett and Wright (2000), Sample size
    requirements for estimating Pearson, Kendall and Spearman correlations, Psychometrika 65.
    """
    ranks = rankdata(x), rankdata(y)
    if not all(each.std() for each in ranks):
        return Correlation(0.0, 0.0, 0.0, len(x))
    value = float(np.corrcoef(*ranks)[0, 1])
    centre, error = np.arctanh(np.clip(value, -0.999, 0.999)), np.sqrt((1 + value**2 / 2) / (len(x) - 3))
    return Correlation(value, float(np.tanh(centre - 1.645 * error)), float(np.tanh(centre + 1.645 * error)), len(x))


def foretells(runs: Iterable[Run], early: int, late: int, score: Score = Run.score_at) -> Correlation | None:
    """How well what runs are worth at one rung ranks what they are worth at a later one; None of fewer than 8 runs.

    Runs that were not taken so far are missing, and they are the worst of the early rung: the true correlation is higher.
    """
    both = [run for run in runs if run.state != "failed" and run.step >= late]
    if len(both) < 8:
        return None
    values = np.array([[score(run, early), score(run, late)] for run in both], dtype=float)
    return rank_correlation(*values.T)
