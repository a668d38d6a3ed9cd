"""What the evaluations of one training share: a regression that knows it, and how a training will go on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyperpilot.surrogates._evidence import Scales, noise_variance, seed_correlation, seed_spread

Array = NDArray[np.float64]


class Curves:
    """The rows of each training, to handle the noise that they share.

    Trainings of one length are handled together: in a race most are short, and to pad them would triple the work.

    Args:
        run: (n,) number of the training that each row is from, sorted.
    """

    def __init__(self, run: NDArray[np.intp]) -> None:
        starts = np.flatnonzero(np.diff(run, prepend=-1))
        lengths = np.diff(np.append(starts, len(run)))
        self.groups = [starts[lengths == length, None] + np.arange(length) for length in np.unique(lengths)]

    def whiteners(self, scales: Scales, t: Array) -> list[Array]:
        """For each group (trainings, length, length) what makes the noise of a training independent, of variance 1."""
        found = []
        for rows in self.groups:
            times, place = t[rows], np.arange(rows.shape[1])
            spread = seed_spread(scales, times)
            noise = spread[:, :, None] * spread[:, None, :]
            noise *= seed_correlation(scales, np.abs(times[:, :, None] - times[:, None, :]))
            noise[:, place, place] += noise_variance(scales, times)
            found.append(np.linalg.inv(np.linalg.cholesky(noise)))
        return found


def regression(phi: Array, y: Array, whiteners: list[Array], curves: Curves) -> tuple[Array, Array]:
    """Posterior precision of the output weights, and that times their mean.

    The noise of one training is independent of that of others, so that whitening takes a small factor a training and the
    cost stays linear in the rows.
    """
    both = np.column_stack([phi, y])
    products = np.zeros((both.shape[1], both.shape[1]))
    for rows, whitener in zip(curves.groups, whiteners, strict=True):
        white = (whitener @ both[rows]).reshape(-1, both.shape[1])
        products += white.T @ white
    return products[:-1, :-1] + np.eye(phi.shape[1]), products[:-1, -1]


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
