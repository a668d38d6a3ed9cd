"""The prior of the network's scales, and how well a value of them explains the data.

The evidence is that of the infinitely wide network: with sinusoidal units whose input weights follow a Student t
distribution, its covariance function is Matern's (Meronen et al. 2021), so that the output weights, the biases and the
noise are integrated out in closed form and only the scales are left to sample.

Everything is in the units of standardised scores, and inputs `z` lie in about [-1, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

Array = NDArray[np.float64]

FREEDOM = 3
"""Degrees of freedom of the input weights; 3 gives Matern 3/2, 5 would give Matern 5/2."""

FLOOR = 0.1
"""Standard deviation of the noise that no fit goes below: ties in the training scores must not make it certain."""

BIAS = 0.5
"""Prior standard deviation of the output bias."""

_LIMIT = 12.0
"""Scales further out than this, in prior standard deviations, are refused without a look."""


class Scales(NamedTuple):
    """The hyperparameters of the network's prior.

    Args:
        inverse_lengths: (d,) logarithms: how fast the function may vary with each input (relevance determination).
        amplitude: logarithm of the standard deviation of the function.
        noise: logarithm of the noise of a single evaluation, at the centre of the inputs.
        offset: logarithm of the noise that all evaluations of one training share, at the centre of the inputs.
        slopes: (d,) weights of the unit that says how the noise varies with the inputs.
    """

    inverse_lengths: Array
    amplitude: float
    noise: float
    offset: float
    slopes: Array


@dataclass(frozen=True, slots=True)
class Prior:
    """Independent normal distributions of the scales of a network with d inputs.

    Inverse lengths shrink with the root of d, or else the function would be rougher the more inputs there are
    (Hvarfner et al. 2024); their wide spread lets most inputs be irrelevant.
    """

    d: int

    @property
    def size(self) -> int:
        return 2 * self.d + 3

    def scales(self, phi: Array) -> Scales:
        """The scales at (size,) standard normal coordinates."""
        d = self.d
        return Scales(
            inverse_lengths=-0.18 - 0.5 * np.log(d) + 1.2 * phi[:d],
            amplitude=0.3 + 0.5 * phi[d],
            noise=-1.2 + 0.7 * phi[d + 1],
            offset=-1.2 + 0.7 * phi[d + 2],
            slopes=phi[d + 3 :] / np.sqrt(d),
        )

    def spreads(self) -> Array:
        """(size,) derivatives of the scales to their coordinates."""
        d = self.d
        return np.concatenate([np.full(d, 1.2), [0.5, 0.7, 0.7], np.full(d, d**-0.5)])


def noise_unit(scales: Scales, z: Array) -> Array:
    """(n,) what the logarithm of the noise departs from its value at the centre by, in (-1, 1)."""
    return np.asarray(np.tanh(z @ scales.slopes))


def noise_parts(scales: Scales, z: Array) -> tuple[Array, Array]:
    """Variance (n,) of each evaluation's own noise, and standard deviation (n,) of what those of a training share."""
    unit = noise_unit(scales, z)
    return np.exp(2 * (scales.noise + unit)) + FLOOR**2, np.exp(scales.offset + unit)


class Evidence:
    """Minus the logarithm of the posterior density of the scales, with its gradient.

    Args:
        prior: of the scales.
        z: (n, d) inputs.
        y: (n,) standardised scores.
        run: (n,) number of the training that each row is from.
    """

    def __init__(self, prior: Prior, z: Array, y: Array, run: NDArray[np.intp]) -> None:
        self._prior, self._z, self._y = prior, z, y
        self._left, self._right = np.nonzero(run[:, None] == run)  # few, as a training has few rows

    def __call__(self, phi: Array) -> tuple[float, Array]:
        """The potential at standard normal coordinates and its gradient; infinite where it cannot be computed."""
        if not np.abs(phi).max() < _LIMIT:
            return np.inf, phi
        scales = self._prior.scales(phi)
        variance, shared = noise_parts(scales, self._z)
        pairs = shared[self._left] * shared[self._right]
        scaled = self._z * np.exp(scales.inverse_lengths)
        kernel, decay = _matern(scaled)
        power = np.exp(2 * scales.amplitude)
        covariance = kernel * power + BIAS**2
        covariance[self._left, self._right] += pairs
        covariance.flat[:: len(kernel) + 1] += variance
        factor, fault = lapack.dpotrf(covariance.T, lower=1, overwrite_a=1, clean=1)
        if fault:
            return np.inf, phi
        log_root = np.log(factor.diagonal()).sum()
        inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
        lower = inverse.T  # upper triangle in C order: the transpose of what Lapack calls lower
        weights = lower @ self._y + self._y @ lower - lower.diagonal() * self._y
        potential = 0.5 * self._y @ weights + log_root + 0.5 * phi @ phi
        slope = self._slope(scales, scaled, kernel, decay, lower, weights, variance - FLOOR**2, pairs)
        return float(potential), slope * self._prior.spreads() + phi

    def _slope(
        self,
        scales: Scales,
        scaled: Array,
        kernel: Array,
        decay: Array,
        inverse: Array,
        weights: Array,
        own: Array,
        pairs: Array,
    ) -> Array:
        """(size,) derivatives to the scales: sums of Q * dK with Q = (inverse of K - weights weights') / 2.

        Only the upper triangle of the inverse is filled: a sum over a symmetric matrix counts it twice, less the
        diagonal. `decay` is overwritten.
        """
        power, n, diagonal = np.exp(2 * scales.amplitude), len(weights), inverse.diagonal()
        amplitude = 2 * power * (np.vdot(inverse, kernel) - 0.5 * diagonal.sum() - 0.5 * weights @ kernel @ weights)
        # sum_ij M_ij (z_i - z_j)^2 = 2 (m z^2 - z M z), m the row sums of M; M here is decay + decay', halved.
        decay *= inverse - 0.5 * np.multiply.outer(weights, weights)
        decay *= -0.75 * power
        row = decay.sum(0) + decay.sum(1)
        lengths = 4 * (row @ scaled**2 - (scaled * (decay @ scaled + decay.T @ scaled)).sum(0))
        i, j = np.minimum(self._left, self._right), np.maximum(self._left, self._right)
        noise = own * (diagonal - weights**2)
        offset = np.bincount(self._left, (inverse[i, j] - weights[i] * weights[j]) * pairs, minlength=n)
        unit = (noise + offset) * (1 - noise_unit(scales, self._z) ** 2)
        return np.concatenate([lengths, [amplitude, noise.sum(), offset.sum()], unit @ self._z])


def _matern(scaled: Array) -> tuple[Array, Array]:
    """Matern 3/2 correlations (n, n) of scaled inputs, and exp(-r): -2/3 of their derivative to squared distance."""
    squares = np.einsum("ij,ij->i", scaled, scaled)
    r = scaled @ scaled.T
    r *= -2
    r += squares[:, None]
    r += squares
    np.maximum(r, 0, out=r)
    r *= FREEDOM
    np.sqrt(r, out=r)
    decay = np.exp(-r)
    r += 1
    r *= decay
    return r, decay
