"""The history as columns that a surrogate can be fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from hyperpilot.records.history import History
from hyperpilot.records.run import Run
from hyperpilot.space import Config

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

    def rows(self, chosen: NDArray[np.bool_]) -> Self:
        """Some of the rows: those where `chosen` (n,) is true."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


class Encoding(Protocol):
    """Makes columns of configurations, as a space does."""

    def encode(self, configs: Sequence[Config]) -> Array:
        """(n, d) columns of the unit cube."""
        ...


def dataset(history: History, space: Encoding) -> Dataset:
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


@dataclass(frozen=True, slots=True)
class NormalScores:
    """A monotone map of scores to standard normal quantiles of their ranks, and back.

    Only the order survives, so that a return of -1e21 weighs no more than any other last place. Between the scores that it was
    made from the map is linear; beyond them it goes on as steeply as it does among the outer tenth on that side, so that
    what has never been reached can be forecast. Where those are ties, as at the greatest possible return, it is flat.

    Args:
        scores: (k,) different finite scores, ascending.
        values: (k,) their quantiles.
        tails: change of the score for each unit of the quantile, below and above.
    """

    scores: Array
    values: Array
    tails: tuple[float, float]

    @classmethod
    def of(cls, y: Array) -> Self:
        """The map that finite scores y (n,) make; ties share a value."""
        if not len(y):
            return cls(np.zeros(1), np.zeros(1), (0.0, 0.0))
        quantiles = ndtri((rankdata(y) - 0.5) / len(y))
        scores, places = np.unique(y, return_index=True)
        return cls(scores, quantiles[places], (_steepness(y, quantiles, 0.0), _steepness(y, quantiles, 1.0)))

    def __call__(self, y: Array) -> Array:
        """Quantiles (n,) of scores (n,), between about -2.5 and 2.5 for a hundred that it was made from."""
        below, above = np.minimum(y - self.scores[0], 0), np.maximum(y - self.scores[-1], 0)
        inner = np.interp(y, self.scores, self.values)
        return np.asarray(inner + _over(below, self.tails[0]) + _over(above, self.tails[1]))

    def scores_at(self, z: Array) -> Array:
        """The scores of quantiles."""
        below, above = np.minimum(z - self.values[0], 0), np.maximum(z - self.values[-1], 0)
        return np.asarray(np.interp(z, self.values, self.scores) + below * self.tails[0] + above * self.tails[1])


def _over(distance: Array, steepness: float) -> Array:
    return distance / steepness if steepness else np.sign(distance)


def _steepness(y: Array, quantiles: Array, end: float) -> float:
    """Change of the score for each unit of the quantile, from the middle of one side to its end."""
    levels = [0.5 + 0.8 * (end - 0.5), end]
    (inner, outer), (near, far) = np.quantile(y, levels), np.quantile(quantiles, levels)
    return float((outer - inner) / (far - near)) if far != near else 0.0
