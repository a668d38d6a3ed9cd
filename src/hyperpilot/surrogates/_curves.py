"""What the evaluations of one training share: a regression that knows it, and how a training will go on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyperpilot.surrogates._evidence import Scales, noise_variance, seed_correlation, seed_spread

Array = NDArray[np.float64]


class Curves:
    """The rows of each training, to handle the noise that they share; padded to the longest.

    Args:
        run: (n,) number of the training that each row is from, sorted.
    """

    def __init__(self, run: NDArray[np.intp]) -> None:
        starts = np.flatnonzero(np.diff(run, prepend=-1))
        lengths = np.diff(np.append(starts, len(run)))
        place = np.arange(lengths.max(initial=0))
        self.real = place < lengths[:, None]
        self.rows = np.where(self.real, starts[:, None] + place, 0)

    def roots(self, scales: Scales, t: Array) -> Array:
        """(runs, length, length) Cholesky factors of the noise of each training; the identity where padded."""
        times, size = t[self.rows], self.rows.shape[1]
        spread = seed_spread(scales, times) * self.real
        noise = spread[:, :, None] * spread[:, None, :]
        noise *= seed_correlation(scales, np.abs(times[:, :, None] - times[:, None, :]))
        noise[:, np.arange(size), np.arange(size)] += np.where(self.real, noise_variance(scales, times), 1.0)
        return np.asarray(np.linalg.cholesky(noise), dtype=float)


def regression(phi: Array, y: Array, roots: Array, curves: Curves) -> tuple[Array, Array]:
    """Posterior precision of the output weights, and that times their mean.

    The noise of one training is independent of that of others, so that whitening takes a small factor a training and the
    cost stays linear in the rows.
    """
    if not len(y):
        return np.eye(phi.shape[1]), np.zeros(phi.shape[1])
    rows = np.column_stack([phi, y])[curves.rows] * curves.real[:, :, None]
    white = np.linalg.solve(roots, rows).reshape(-1, rows.shape[2])
    products = white[:, :-1].T @ white
    return products[:, :-1] + np.eye(phi.shape[1]), products[:, -1]


def course(scales: Scales, t: Array, residual: Array, later: Array) -> tuple[Array, Array]:
    """What one training will differ from the function by, given what it has differed by so far.

    Args:
        scales: of the noise.
        t: (k,) shares of the horizon at which it was evaluated.
        residual: (k,) its scores less the function.
        later: (m,) shares of the horizon.

    Returns:
        mean and variance (m,) of single evaluations.
    """
    times, k = np.append(t, later), len(t)
    spread = seed_spread(scales, times)
    shared = spread[:, None] * spread * seed_correlation(scales, np.abs(times[:, None] - times))
    known = shared[:k, :k] + np.diag(noise_variance(scales, t))
    weights = np.linalg.solve(known, shared[:k, k:]).T
    left = shared.diagonal()[k:] - np.einsum("mk,mk->m", weights, shared[k:, :k])
    return weights @ residual, left + noise_variance(scales, later)
