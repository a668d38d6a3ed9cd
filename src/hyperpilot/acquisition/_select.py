"""Greedy selection of a batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyperpilot.protocols import Acquisition

Array = NDArray[np.float64]


def select(draws: Array, floor: Array, k: int, acquisition: Acquisition, rng: np.random.Generator) -> list[int]:
    """Indices of up to k different candidates, the best first.

    After each pick the floor rises to what the picked candidate would reach in each draw, so that the next one must
    add something where it fails. What is already running belongs in `floor` in the same way. For a submodular
    acquisition, such as expected improvement, the batch is within 1 - 1/e of the best one (Wilson et al. 2018).

    Args:
        draws: (S, n) posterior draws at the candidates.
        floor: (S,) the best value of each draw among what is known or running.
        k: how many to pick; all are picked where there are fewer.
        acquisition: worth of a candidate.
        rng: source of randomness.

    Raises:
        ValueError: shapes disagree, a draw is NaN, or k is negative.

    References:
        J. Wilson, F. Hutter and M. Deisenroth (2018). Maximizing acquisition functions for Bayesian optimization.
        NeurIPS.
    """
    if draws.ndim != 2 or floor.shape != draws.shape[:1]:
        raise ValueError(f"draws (S, n) and floor (S,) disagree: {draws.shape} and {floor.shape}")
    if np.isnan(draws).any() or np.isnan(floor).any():
        raise ValueError("draws or floor hold NaN")
    if k < 0:
        raise ValueError(f"k must not be negative, not {k}")
    left = np.arange(draws.shape[1])
    picked: list[int] = []
    for _ in range(min(k, len(left))):
        best = int(left[np.argmax(acquisition(draws[:, left], floor, rng))])
        picked.append(best)
        left = left[left != best]
        floor = np.maximum(floor, draws[:, best])
    return picked
