"""The history as columns that a surrogate can be fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from hyperpilot.records.history import History, Run
from hyperpilot.space import Space

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dataset:
    """One row an evaluation.

    Args:
        x: (n, d) encoded configurations, in the unit cube.
        t: (n,) share of the horizon trained, in (0, 1].
        seed: (n,) training seeds.
        task: (n,) task numbers; 0 is the study's own.
        y: (n,) scores, larger is better; NaN where the training failed.
    """

    x: Array
    t: Array
    seed: NDArray[np.int64]
    task: NDArray[np.int64]
    y: Array

    def __len__(self) -> int:
        return len(self.y)


def dataset(history: History, space: Space) -> Dataset:
    """Every evaluation of the search runs, and two NaN rows for each that failed: where it did, and at the horizon.

    Lost processes say nothing about a configuration and are left out.
    """
    rows = [(run, t, y) for run in history.search for t, y in _curve(run)]
    configs = [run.config for run, _, _ in rows]
    return Dataset(
        x=space.encode(configs),
        t=np.array([t for _, t, _ in rows], dtype=float),
        seed=np.array([run.id.seed for run, _, _ in rows], dtype=np.int64),
        task=np.zeros(len(rows), dtype=np.int64),
        y=np.array([y for _, _, y in rows], dtype=float),
    )


def _curve(run: Run) -> list[tuple[float, float]]:
    horizon = run.job.horizon
    points = [(report.step / horizon, report.score) for report in run.reports]
    if run.state == "failed" and run.failures[-1].kind != "killed":
        failed_at = min(max(run.failures[-1].step, 1), horizon) / horizon
        points += [(failed_at, np.nan), (1.0, np.nan)]
    return points


def normal_scores(y: Array) -> Array:
    """Scores as standard normal quantiles of their ranks; ties share a value, NaN ranks below everything.

    Only the order survives, so that a return of -1e21 weighs no more than any other last place.

    Args:
        y: (n,) scores.

    Returns:
        (n,) values between about -2.5 and 2.5 for n up to 100.
    """
    if not len(y):
        return y
    ranks = rankdata(np.nan_to_num(y, nan=-np.inf), method="average")
    return np.asarray(ndtri((ranks - 0.5) / len(y)), dtype=float)
