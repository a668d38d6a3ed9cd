"""A Gaussian process: the network of `bnn` at infinite width, as a baseline that is exact.

The covariance is that of `_evidence`: Matern over configurations with a length each, times Matern over time with a share that
does not depend on it, a trend, noise of each evaluation and noise of each training. The scales are sampled as in `bnn`,
or set to their most likely value, as is usual.

Draws are whole functions. By Matheron's rule a draw of the posterior is a draw of the prior plus a correction that is exact
given the data:

    f(x) + k(x, X) (K + N)^-1 (y - f(X) - e),    e ~ N(0, N)

where the prior's draw f is a wide network of `bnn` (random features), so that only its shape far from data is approximate.
Costs grow with the cube of the rows, once a draw.

References:
    C. E. Rasmussen and C. K. I. Williams (2006). Gaussian processes for machine learning. MIT Press.
    J. T. Wilson et al. (2020). Efficiently sampling functions from Gaussian process posteriors. ICML.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._checks import few, inputs, shares
from hyperpilot.surrogates._evidence import (
    BIAS,
    FREEDOM,
    TREND,
    Evidence,
    Prior,
    Scales,
    clock,
    noise_variance,
    seed_correlation,
    seed_spread,
)
from hyperpilot.surrogates._hmc import sample
from hyperpilot.surrogates._mode import mode
from hyperpilot.surrogates._rows import Rows, rows_of
from hyperpilot.surrogates.bnn import Network, Networks, prior_hidden

Array = NDArray[np.float64]

_FEATURES = 512
"""Width of the networks that the prior's draws are."""


_MOST = 500
"""Rows that the functions see, at a cost that grows with the cube of it."""


@dataclass(frozen=True, slots=True)
class GP:
    """A Gaussian process.

    Args:
        draws: number of functions drawn.
        rows: rows that the scales are learnt from when there are more; the functions see 500.
        sampled: whether every draw has scales of its own; else all have the most likely ones.
    """

    draws: int = 32
    rows: int = 120
    sampled: bool = True

    def __post_init__(self) -> None:
        if self.draws < 1 or self.rows < 1:
            raise ValueError("draws and rows must be at least 1")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Functions:
        """Functions drawn from the posterior; from the prior where there are no rows.

        Raises:
            ValueError: shapes disagree, a value is not finite, or rows are of another task.
        """
        rows = rows_of(data)
        seen = few(rows.run, rows.t, _MOST, rng)
        rows = rows.some(seen)
        prior = Prior(rows.z.shape[1])
        every = [prior.scales(phi) for phi in self._coordinates(prior, rows, rng)]
        functions = tuple(_prior_function(scales, prior.d, rng) for scales in every)
        weights = np.array([_correction(function, rows, rng) for function in functions])
        return Functions(Networks(functions, rows.mean, rows.scale), rows.z, rows.t, weights)

    def _coordinates(self, prior: Prior, rows: Rows, rng: np.random.Generator) -> Array:
        """(draws, size) of the scales."""
        if not len(rows.y):
            return rng.standard_normal((self.draws, prior.size)) if self.sampled else np.zeros((self.draws, prior.size))
        some = rows.some(few(rows.run, rows.t, self.rows, rng))
        if self.sampled:
            return sample(Evidence(prior, some), prior.size, self.draws, rng)
        return np.tile(mode(Evidence(prior, some, np.float64), prior.size, 2, rng), (self.draws, 1))


plugin = GP


@dataclass(frozen=True, slots=True)
class Functions:
    """A posterior: functions of the prior, each with a correction towards the data.

    Args:
        prior: the functions, with the units of the scores.
        z, t: (n, d) and (n,) rows of the data.
        weights: (S, n) of the covariance with each row, for every draw.
    """

    prior: Networks
    z: Array
    t: Array
    weights: Array

    def __call__(self, x: Array, t: Array) -> Array:
        """Values of the draws: (S, n) at x (n, d) and t (n,)."""
        values = self.prior(x, t)
        z, t = inputs(x), shares(t)
        pairs = zip(self.prior.networks, self.weights, strict=True)
        return values + self.prior.scale * np.array(
            [covariance(network.scales, z, t, self.z, self.t) @ weights for network, weights in pairs]
        )

    def noise(self, x: Array, t: Array) -> Array:
        """Standard deviation (S, n) of the score of one seed about each draw, at x (n, d) and t (n,)."""
        return self.prior.noise(x, t)


def covariance(scales: Scales, z: Array, t: Array, other_z: Array, other_t: Array) -> Array:
    """(n, m) prior covariance of the function at z (n, d), t (n,) with that at (m, d), (m,)."""
    pace, ticks, other_ticks = np.exp(scales.inverse_lengths), clock(t)[:, None], clock(other_t)[:, None]
    lags = cdist(ticks, other_ticks)
    over_time = scales.constant + (1 - scales.constant) * _matern(lags * np.exp(scales.inverse_duration))
    spread, other_spread = (np.exp(scales.amplitude) * at**scales.growth for at in (t, other_t))
    alike = _matern(cdist(z * pace, other_z * pace))
    return np.asarray(spread[:, None] * other_spread * alike * over_time + TREND**2 * _matern(lags) + BIAS**2)


def _matern(r: Array) -> Array:
    """Matern 3/2 correlation at distances."""
    scaled = FREEDOM**0.5 * r
    return np.asarray((1 + scaled) * np.exp(-scaled))


def noise_covariance(scales: Scales, t: Array, run: NDArray[np.intp]) -> Array:
    """(n, n) covariance of what is not the function: noise of each evaluation, and of each training."""
    spread = seed_spread(scales, t)
    shared = np.outer(spread, spread) * seed_correlation(scales, np.abs(t[:, None] - t))
    return np.where(run[:, None] == run, shared, 0.0) + np.diag(noise_variance(scales, t))


def _prior_function(scales: Scales, d: int, rng: np.random.Generator) -> Network:
    """A function of the prior given the scales, nearly."""
    hidden = prior_hidden(scales, d, _FEATURES, rng)
    outputs = 2 * (sum(hidden[k].shape[-1] for k in range(3))) + 1
    return Network(scales, hidden, rng.standard_normal(outputs).astype(np.float32))


def _correction(function: Network, rows: Rows, rng: np.random.Generator) -> Array:
    """(n,) weights of the covariance with each row."""
    z, t, y, run = rows[:4]
    if not len(y):
        return np.zeros(0)
    noise = noise_covariance(function.scales, t, run)
    luck = np.linalg.cholesky(noise) @ rng.standard_normal(len(y))
    factor = cho_factor(covariance(function.scales, z, t, z, t) + noise, lower=True)
    return np.asarray(cho_solve(factor, y - function(z, t) - luck))
