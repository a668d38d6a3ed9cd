"""A linear regression whose noise is shared by the evaluations of a training."""

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
