"""Columns that say what is promised of a configuration elsewhere: linear inputs with a prior that believes them.

    y = network(x, t) + t^1/2 sum_j w_j p_j(x),    w_j ~ N(MEAN / k, SPREAD^2 / k)

where p_j is the promise of source j of k, a standard normal score. The weights belong to the output layer: they are integrated
out for the evidence and drawn from their exact posterior with the rest. So sources whose ranking disagrees with what is
seen lose their weight, to below zero if need be, and the network learns what they leave unexplained.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MEAN = 0.8
"""Prior mean of the sum of the weights. Between the families of the development tables it was .9 for PPO and SAC, .2 for DQN."""

SPREAD = 0.8
"""Prior standard deviation of the root of k times a weight."""

RANGE = 4.0
"""The ends of a column of the unit cube stand for so many standard deviations to either side."""


def encoded(promised: Array) -> Array:
    """Promises (n, k) as columns of the unit cube."""
    return np.asarray(np.clip(0.5 + promised / (2 * RANGE), 0.0, 1.0))


def features(z: Array, t: Array) -> Array:
    """(n, k) inputs whose weights have prior variance 1, from columns z (n, k) in [-1, 1]."""
    return np.asarray(RANGE * z * (SPREAD / max(z.shape[1], 1) ** 0.5 * t**0.5)[:, None])


def expected(k: int) -> float:
    """Prior mean of those weights."""
    return MEAN / (SPREAD * float(max(k, 1) ** 0.5))
