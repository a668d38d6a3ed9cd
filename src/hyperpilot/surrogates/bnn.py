"""A Bayesian neural network over configurations and training time, with noise that changes over training.

One hidden layer of sinusoidal units: some see the configuration, some see it and the training time, a few see the time alone.
The prior is hierarchical, after Neal (1996): every input has its own scale, large where the input matters, and the scales, the
amplitude, its growth over training and the noise are unknown themselves. Each draw of the posterior is a whole network with
its own scales, its own hidden layer and its own output layer:

1. the scales come from their posterior by Hamiltonian Monte Carlo, everything else integrated out (`_evidence`);
2. the hidden layer comes from its prior given the scales: Student t weights, which with sinusoidal units make a
   stationary prior, so that away from data a network is as uncertain as before any (Meronen et al. 2021);
3. the output layer comes from its exact posterior given both, a linear regression.

The noise has two parts that both change over training: one of each evaluation, and one that is particular to a training and
drifts slowly, because a curve of ten points from one seed is not ten pieces of evidence.

We deviate from Neal in step 2: hidden weights stay at their prior given the scales. In a wide layer their posterior is
close to it, and the output layer adapts instead, as in random features (Rahimi and Recht 2007). What is left to sample
is small enough to be sampled well in under a second. On recorded RL curves this ranked unseen configurations far better
than ensembles of networks trained by gradient descent from anchored priors (Osband et al. 2018, Pearce et al. 2020),
whose many weights overfit some tens of configurations; and sampling the scales gave a better log score than setting
them to their most likely value, as is usual for Gaussian processes.

References:
    R. M. Neal (1996). Bayesian learning for neural networks. Springer.
    L. Meronen, M. Trapp and A. Solin (2021). Periodic activation functions induce stationarity. NeurIPS.
    A. Rahimi and B. Recht (2007). Random features for large-scale kernel machines. NeurIPS.
    C. Hvarfner, E. O. Hellsten and L. Nardi (2024). Vanilla Bayesian optimization performs great in high dimensions.
    ICML.
    I. Osband, J. Aslanides and A. Cassirer (2018). Randomized prior functions for deep reinforcement learning. NeurIPS.
    T. Pearce, F. Leibfried and A. Brintrup (2020). Uncertainty in neural networks: approximately Bayesian ensembling.
    AISTATS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._checks import check_inputs, few, inputs, shares
from hyperpilot.surrogates._curves import Curves, course, regression
from hyperpilot.surrogates._evidence import (
    BIAS,
    FREEDOM,
    TREND,
    Evidence,
    Prior,
    Scales,
    clock,
    noise_variance,
    seed_spread,
)
from hyperpilot.surrogates._hmc import sample
from hyperpilot.surrogates._known import expected, features
from hyperpilot.surrogates._rows import rows_of

Array = NDArray[np.float64]
Single = NDArray[np.float32]

TREND_UNITS = 4
"""Hidden units that see the time alone."""


_BLOCK = 200
"""Rows that are predicted at once: so few that the activations stay in the cache."""


@dataclass(frozen=True, slots=True)
class BNN:
    """A Bayesian neural network.

    Args:
        draws: number of networks drawn.
        width: hidden units of each network that see the configuration, a multiple of four.
        rows: rows that the scales are learnt from when there are more, at a cost that grows with the cube of it; the output
            layers always see every row.
        known: so many last columns say what is promised elsewhere, and enter as they are (`_known`).
    """

    draws: int = 32
    width: int = 128
    rows: int = 120
    known: int = 0

    def __post_init__(self) -> None:
        if self.draws < 1 or self.rows < 1 or self.width < 4 or self.width % 4:
            raise ValueError("draws and rows must be at least 1, width a multiple of four")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Networks:
        """Networks drawn from the posterior; from the prior where there are no rows.

        Raises:
            ValueError: shapes disagree, a value is not finite, or rows are of another task.
        """
        rows = rows_of(data, self.known)
        prior, (z, t, y, run) = Prior(rows.z.shape[1]), rows[:4]
        if len(y):
            phis = sample(Evidence(prior, rows.some(few(run, t, self.rows, rng))), prior.size, self.draws, rng)
        else:
            phis = rng.standard_normal((self.draws, prior.size))
        curves, given = Curves(run), None if rows.known is None else features(rows.known, t)
        networks = [_network(prior.scales(phi), z, t, y, curves, self.width, rng, given) for phi in phis]
        return Networks(tuple(networks), rows.mean, rows.scale)


plugin = BNN


class Hidden(NamedTuple):
    """Input weights; each unit's serve a cosine and a sine, which spares the hidden biases.

    Args:
        still: (d, width / 4) of the units that see the configuration.
        moving: (d + 1, width / 4) of those that see the time, too.
        trend: (TREND_UNITS,) of those that see the time alone.
    """

    still: Array
    moving: Array
    trend: Array


@dataclass(frozen=True, slots=True)
class Network:
    """One draw.

    Args:
        scales: of its prior.
        hidden: the input weights.
        output: (width + 2 TREND_UNITS + 1,) output weights, the bias last.
        trusted: (k,) weights of the columns that say what is promised elsewhere.
    """

    scales: Scales
    hidden: Hidden
    output: Single
    trusted: Array = field(default_factory=lambda: np.zeros(0))

    def __call__(self, z: Array, t: Array) -> Single:
        """(n,) standardised scores at z (n, d + k), the last columns those that `trusted` weighs."""
        own, given = self._split(z)
        values = np.asarray(_features(self.scales, self.hidden, own, t) @ self.output)
        return (
            values + features(given, t).astype(np.float32) @ self.trusted.astype(np.float32) if given.size else values
        )

    def _split(self, z: Array) -> tuple[Array, Array]:
        d = z.shape[1] - len(self.trusted)
        return z[:, :d], z[:, d:]

    def slopes(self, z: Array, t: Array) -> Array:
        """(n, d) derivatives of the scores to z."""
        own, given = self._split(z)
        hidden, activations, place = self.hidden, _features(self.scales, self.hidden, own, t), 0
        total = np.zeros(own.shape)
        for paces in (hidden.still, hidden.moving[:-1]):
            units = paces.shape[1]
            cosines, sines = slice(place, place + units), slice(place + units, place + 2 * units)
            # The sine is minus the derivative of the cosine, and both are features already.
            phases = activations[:, cosines] * self.output[sines] - activations[:, sines] * self.output[cosines]
            total, place = total + phases @ paces.T, place + 2 * units
        return np.hstack([total, features(np.ones(given.shape), t) * self.trusted])


@dataclass(frozen=True, slots=True)
class Networks:
    """A posterior: functions of configuration and share of the horizon.

    Args:
        networks: the draws.
        mean: what the scores of the data were centred at.
        scale: what they were divided by.
    """

    networks: tuple[Network, ...]
    mean: float
    scale: float

    def __call__(self, x: Array, t: Array) -> Array:
        """Values of the draws: (S, n) at x (n, d) and t (n,)."""
        z, t = self._checked(x, t)
        values = np.empty((len(self.networks), len(z)))
        for start in range(0, len(z), _BLOCK):
            rows = slice(start, start + _BLOCK)
            values[:, rows] = [network(z[rows], t[rows]) for network in self.networks]
        return self.mean + self.scale * values

    def forecast(self, x: Array, t: Array, y: Array, later: Array) -> tuple[Array, Array]:
        """Mean and standard deviation (S, m) of single evaluations of one training, at `later` (m,) shares of the horizon.

        It has configuration x (d,), and scores y (k,) at t (k,) so far.
        """
        z, times = self._checked(np.repeat(x[None], len(t) + len(later), axis=0), np.append(t, later))
        standard, (past, future) = (y - self.mean) / self.scale, np.split(times, [len(t)])
        means, variances = [], []
        for network in self.networks:
            known, ahead = np.split(network(z, times), [len(t)])
            mean, variance = course(network.scales, past, standard - known, future)
            means.append(ahead + mean)
            variances.append(variance)
        return self.mean + self.scale * np.array(means), self.scale * np.sqrt(variances)

    def gradient(self, x: Array, t: Array, weights: Array) -> Array:
        """(n, d) derivatives to x of the sum of weights (S, n) times the draws."""
        z, t = self._checked(x, t)
        slopes = (each.slopes(z, t) * row[:, None] for each, row in zip(self.networks, weights, strict=True))
        return np.asarray(2 * self.scale * sum(slopes, np.zeros(z.shape)))  # dz/dx = 2

    def noise(self, x: Array, t: Array) -> Array:
        """Standard deviation (S, n) of the score of one seed about each draw, at x (n, d) and t (n,)."""
        _, t = self._checked(x, t)
        scales = (network.scales for network in self.networks)
        return self.scale * np.array([np.sqrt(noise_variance(each, t) + seed_spread(each, t) ** 2) for each in scales])

    def _checked(self, x: Array, t: Array) -> tuple[Array, Array]:
        first = self.networks[0]
        check_inputs(x, t, columns=len(first.hidden.still) + len(first.trusted))
        return inputs(x), shares(t)


def _network(
    scales: Scales,
    z: Array,
    t: Array,
    y: Array,
    curves: Curves,
    width: int,
    rng: np.random.Generator,
    given: Array | None = None,
) -> Network:
    """A network given its scales: hidden layer from the prior, output layer from its posterior."""
    return with_output(scales, prior_hidden(scales, z.shape[1], width, rng), z, t, y, curves, rng, given)


def prior_hidden(scales: Scales, d: int, width: int, rng: np.random.Generator) -> Hidden:
    """A hidden layer drawn from its prior given the scales."""
    pace, units = paces(scales), width // 4
    return Hidden(
        still=pace[:d] * _student(d, units, rng),
        moving=pace * np.vstack([_student(d, units, rng), _student(1, units, rng)]),
        trend=_student(1, TREND_UNITS, rng)[0],
    )


def paces(scales: Scales) -> Array:
    """(d + 1, 1) factors of the input weights, that of time the last."""
    return np.asarray(np.exp(np.append(scales.inverse_lengths, scales.inverse_duration))[:, None])


def with_output(
    scales: Scales,
    hidden: Hidden,
    z: Array,
    t: Array,
    y: Array,
    curves: Curves,
    rng: np.random.Generator,
    given: Array | None = None,
) -> Network:
    """A network given its scales and hidden layer, its output layer drawn from the posterior.

    `given` (n, k) are linear inputs, as `_known.features` makes them.
    """
    phi, k = _features(scales, hidden, z, t).astype(float), 0
    if given is not None:
        k = given.shape[1]
        y, phi = y - expected(k) * given.sum(axis=1), np.hstack([phi, given])
    precision, target = regression(phi, y, curves.whiteners(scales, t), curves)
    factor = cholesky(precision, lower=True)
    # N(P^-1 b, P^-1) with P = L L': L'^-1 (L^-1 b + e).
    white = solve_triangular(factor, target, lower=True) + rng.standard_normal(len(target))
    output = solve_triangular(factor, white, lower=True, trans="T")
    own, trusted = np.split(output, [len(output) - k])
    return Network(scales, hidden, own.astype(np.float32), trusted + expected(k))


def _student(d: int, units: int, rng: np.random.Generator) -> Array:
    """(d, units) weights, multivariate t in each column: normal over the root of a chi square."""
    normal = rng.standard_normal((d, units))
    return np.asarray(normal * np.sqrt(FREEDOM / rng.chisquare(FREEDOM, units)))


def _features(scales: Scales, hidden: Hidden, z: Array, t: Array) -> Single:
    """(n, width + 2 TREND_UNITS + 1) activations, scaled so that every output weight has prior variance 1."""
    ticks = clock(t)[:, None]
    inputs = (z @ hidden.still, z @ hidden.moving[:-1] + ticks * hidden.moving[-1], ticks * hidden.trend)
    spread = np.exp(scales.amplitude) * t**scales.growth
    shares = (spread * np.sqrt(scales.constant), spread * np.sqrt(1 - scales.constant), np.full(len(t), TREND))
    blocks = []
    for phases, share in zip(inputs, shares, strict=True):
        weight = (share / np.sqrt(phases.shape[1])).astype(np.float32)[:, None]
        angles = phases.astype(np.float32)  # whose sines take a third of the time
        blocks += [weight * np.cos(angles), weight * np.sin(angles)]
    return np.hstack([*blocks, np.full((len(t), 1), BIAS, dtype=np.float32)])
