"""The prior of the network's scales, and how well a value of them explains the data.

A score is a trend over training, plus a function of configuration and training time, plus what is particular to one training,
plus the noise of one evaluation:

    y = trend(t) + s(t) h(x, t) + r(t) u_run(t) + noise(t)

The spreads s, r and of the noise are powers of t: early in training all configurations are alike. Part of h does not depend on
t, so that early scores tell something of the last one. What is particular to a training (its seed) drifts over time and is
shared by neighbouring evaluations of a curve: ten points of one seed are not ten pieces of evidence.

The evidence is that of the infinitely wide network: with sinusoidal units whose input weights follow a Student t
distribution, its covariance function is Matern's (Meronen et al. 2021), so that the output weights, the biases and the
noise are integrated out in closed form and only the scales are left to sample.

Everything is in the units of standardised scores; inputs `z` lie in [-1, 1] and t in (0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.special import expit

from hyperpilot.surrogates._known import expected, features
from hyperpilot.surrogates._rows import Rows

Array = NDArray[np.float64]

FREEDOM = 3
"""Degrees of freedom of the input weights; 3 gives Matern 3/2, 5 would give Matern 5/2."""

FLOOR = 0.1
"""Standard deviation of the noise that no fit goes below: ties in the training scores must not make it certain."""

BIAS = 0.5
"""Prior standard deviation of the output bias."""

TREND = 0.5**0.5
"""Prior standard deviation of the trend, whose length in `clock` is 1."""

_LIMIT = 12.0
"""Scales further out than this, in prior standard deviations, are refused without a look."""


class Scales(NamedTuple):
    """The hyperparameters of the network's prior; l(.) is a logarithm.

    Args:
        inverse_lengths: (d,) l(how fast the function may vary with each input): relevance determination.
        amplitude, growth: s(t) = exp(amplitude) t^growth.
        constant: share of the function's variance that does not depend on t, in (0, 1).
        inverse_duration: l(how fast the rest may vary with `clock`).
        noise, noise_growth: the standard deviation of one evaluation is exp(noise) t^noise_growth.
        seed, seed_growth: r(t) = exp(seed) t^seed_growth.
        drift: l(how fast what is particular to a training forgets, in t).
    """

    inverse_lengths: Array
    amplitude: float
    growth: float
    constant: float
    inverse_duration: float
    noise: float
    noise_growth: float
    seed: float
    seed_growth: float
    drift: float


@dataclass(frozen=True, slots=True)
class Prior:
    """Independent normal distributions of the scales of a network with d inputs besides time.

    Inverse lengths shrink with the root of d, or else the function would be rougher the more inputs there are
    (Hvarfner et al. 2024); their wide spread lets most inputs be irrelevant.
    """

    d: int

    @property
    def size(self) -> int:
        return self.d + 9

    def scales(self, phi: Array) -> Scales:
        """The scales at (size,) standard normal coordinates."""
        amplitude, growth, constant, duration, noise, noise_growth, seed, seed_growth, drift = phi[self.d :]
        return Scales(
            inverse_lengths=-0.18 - 0.5 * np.log(self.d) + 1.2 * phi[: self.d],
            amplitude=0.5 * amplitude,
            growth=0.5 * growth,
            constant=float(expit(0.5 + constant)),
            inverse_duration=0.7 * duration,
            noise=-1.5 + 0.7 * noise,
            noise_growth=0.5 * noise_growth,
            seed=-1.0 + 0.7 * seed,
            seed_growth=0.5 + 0.5 * seed_growth,
            drift=0.7 + 0.7 * drift,
        )

    def spreads(self, scales: Scales) -> Array:
        """(size,) derivatives of the scales to their coordinates."""
        logistic = scales.constant * (1 - scales.constant)
        return np.concatenate([np.full(self.d, 1.2), [0.5, 0.5, logistic, 0.7, 0.7, 0.5, 0.7, 0.5, 0.7]])


def clock(t: Array) -> Array:
    """Training time as the network sees it: a decade is 2, as wide as the range of any other input."""
    return np.asarray(2 * np.log10(t))


def noise_variance(scales: Scales, t: Array) -> Array:
    """(n,) of each evaluation's own noise."""
    return np.asarray(np.exp(2 * scales.noise) * t ** (2 * scales.noise_growth) + FLOOR**2)


def seed_spread(scales: Scales, t: Array) -> Array:
    """(n,) standard deviation of what is particular to a training."""
    return np.asarray(np.exp(scales.seed) * t**scales.seed_growth)


def seed_correlation(scales: Scales, gaps: Array) -> Array:
    """Of what is particular to one training, at times so far apart."""
    return np.asarray(np.exp(-np.exp(scales.drift) * gaps))


class Evidence:
    """Minus the logarithm of the posterior density of the scales, with its gradient.

    What depends on the times alone is computed once for each pair of different times, which are few, and spread over the rows.

    Args:
        prior: of the scales.
        rows: of the data.
        precision: of the matrices. In single, which a sampler does not notice, they take half the time.
    """

    def __init__(self, prior: Prior, rows: Rows, precision: type[np.floating[Any]] = np.float32) -> None:
        z, t, y, run = rows[:4]
        if rows.known is not None:
            given = features(rows.known, t)
            y = y - expected(given.shape[1]) * given.sum(axis=1)
        self._prior, self._z, self._t, self._y = prior, z.astype(precision), t, y
        self._left, self._right = np.nonzero(run[:, None] == run)  # few, as a training has few rows
        self._gaps = np.abs(t[self._left] - t[self._right])
        self._ages = np.log(t[self._left]) + np.log(t[self._right])
        self._times, at = np.unique(t, return_inverse=True)
        self._at = at[:, None] * len(self._times) + at
        self._when = (at[:, None] == np.arange(len(self._times))).astype(precision)
        ticks = clock(self._times)
        self._lags = FREEDOM**0.5 * np.abs(ticks[:, None] - ticks)
        trend = BIAS**2 + TREND**2 * (1 + self._lags) * np.exp(-self._lags)
        self._trend = trend.astype(precision).ravel()[self._at]
        if rows.known is not None:
            self._trend += given @ given.T
        # Fresh matrices would be asked of the system and handed back in every call, which takes longer than the arithmetic.
        self._kernel, self._decay, self._mixed, self._covariance, self._outer = np.empty(
            (5, len(y), len(y)), dtype=precision
        )

    def __call__(self, phi: Array) -> tuple[float, Array]:
        """The potential at standard normal coordinates and its gradient; infinite where it cannot be computed."""
        if not np.abs(phi).max() < _LIMIT:
            return np.inf, phi
        scales = self._prior.scales(phi)
        parts = self._fill(scales)
        log_root = _invert(self._covariance)
        if log_root is None:
            return np.inf, phi
        weights = self._covariance @ self._y
        potential = 0.5 * self._y @ weights + log_root + 0.5 * phi @ phi
        # Derivatives are sums of q * dK, with q = (inverse of K - weights weights') / 2.
        np.multiply.outer(weights, weights, out=self._outer, casting="same_kind")
        q = np.subtract(self._covariance, self._outer, out=self._covariance)
        q *= 0.5
        return float(potential), self._slopes(scales, parts, q) * self._prior.spreads(scales) + phi

    def _fill(self, scales: Scales) -> _Parts:
        """Computes the matrices, the covariance of the scores the last of them."""
        scaled = self._z * np.exp(scales.inverse_lengths).astype(self._z.dtype)
        _matern(scaled, self._kernel, self._decay)
        lags = self._lags * np.exp(scales.inverse_duration)
        fading = np.exp(-lags)
        spread = np.exp(scales.amplitude) * self._times**scales.growth
        spreads = np.multiply.outer(spread, spread)
        varying = (1 - scales.constant) * (1 + lags) * fading
        mixed = spreads * (scales.constant + varying)
        np.take(mixed.astype(self._mixed.dtype), self._at, out=self._mixed)
        of_seed = seed_spread(scales, self._t)
        shared = of_seed[self._left] * of_seed[self._right] * seed_correlation(scales, self._gaps)
        own = noise_variance(scales, self._t)
        np.multiply(self._kernel, self._mixed, out=self._covariance)
        self._covariance += self._trend
        self._covariance[self._left, self._right] += shared
        self._covariance.flat[:: len(own) + 1] += own
        return _Parts(scaled, spreads, varying, lags**2 * fading, shared, own)

    def _slopes(self, scales: Scales, parts: _Parts, q: Array) -> Array:
        """(size,) sums of q * dK for every scale; q and the matrices are overwritten."""
        noise = 2 * q.diagonal() * (parts.own - FLOOR**2)
        together = q[self._left, self._right] * parts.shared
        self._decay *= q
        self._decay *= self._mixed
        q *= self._kernel
        # What is left to multiply with depends on the times alone: sums over the rows of each pair of times.
        paired = (self._when.T @ q @ self._when) * parts.spreads
        function = (paired * (scales.constant + parts.varying)).sum(axis=1)
        rest = [
            2 * function.sum(),
            2 * np.log(self._times) @ function,
            paired.sum() - np.vdot(paired, parts.varying) / (1 - scales.constant),
            -(1 - scales.constant) * np.vdot(paired, parts.faded),
            noise.sum(),
            noise @ np.log(self._t),
            2 * together.sum(),
            together @ self._ages,
            -np.exp(scales.drift) * (together @ self._gaps),
        ]
        return np.concatenate([_length_slopes(self._decay, parts.scaled), rest])


class _Parts(NamedTuple):
    """What the gradient needs besides the matrices.

    Args:
        scaled: (n, d) inputs over their lengths.
        spreads, varying, faded: (m, m) for each pair of times, s(t) s(t'), the part of the correlation that time takes away,
            and what the derivative of that to its duration is multiplied by.
        shared, own: noise of a training, for each pair of its rows, and of each row.
    """

    scaled: Array
    spreads: Array
    varying: Array
    faded: Array
    shared: Array
    own: Array


def _length_slopes(m: Array, scaled: Array) -> Array:
    """(d,) sums of m * dk/dlog(inverse length), where m (n, n) holds a factor exp(-r).

    dk = -3 exp(-r) (z_i - z_j)^2 for Matern 3/2, and sum_ij m_ij (z_i - z_j)^2 = 2 (row sums of m z^2 - z m z).
    """
    return np.asarray(-6 * (m.sum(axis=1) @ scaled**2 - (scaled * (m @ scaled)).sum(axis=0)))


def _invert(covariance: Array) -> float | None:
    """Half the log determinant of a matrix that is overwritten with its inverse; None where it is not positive definite."""
    single = covariance.dtype == np.float32
    root, inverse = (lapack.spotrf, lapack.spotri) if single else (lapack.dpotrf, lapack.dpotri)
    factor, fault = root(covariance.T, lower=1, overwrite_a=1, clean=1)
    if fault:
        return None
    log_root = float(np.log(factor.diagonal()).sum())
    lower, _ = inverse(factor, lower=1, overwrite_c=1)
    diagonal = lower.diagonal().copy()
    np.add(lower, lower.T, out=covariance)
    covariance.flat[:: len(covariance) + 1] = diagonal
    return log_root


def _matern(scaled: Array, r: Array, decay: Array) -> None:
    """Fills the first matrix with the Matern 3/2 correlations of scaled inputs, the second with exp(-r)."""
    squares = np.einsum("ij,ij->i", scaled, scaled)
    np.matmul(scaled, scaled.T, out=r)
    r *= -2
    r += squares[:, None]
    r += squares
    np.maximum(r, 0, out=r)
    r *= FREEDOM
    np.sqrt(r, out=r)
    np.exp(np.negative(r, out=decay), out=decay)
    r += 1
    r *= decay
