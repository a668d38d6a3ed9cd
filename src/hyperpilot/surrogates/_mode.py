"""The most likely state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from hyperpilot.surrogates._hmc import Potential

Array = NDArray[np.float64]

_WITHIN = 6.0
"""How far from the middle is looked, in prior standard deviations."""


def mode(potential: Potential, size: int, starts: int, rng: np.random.Generator) -> Array:
    """The state of the least potential that quasi-Newton climbs reach: one from the prior's mode, others from near it.

    Args:
        potential: minus the log density, up to a constant, and its gradient; coordinates have prior scale 1.
        size: number of coordinates.
        starts: number of climbs.
        rng: source of randomness.

    Returns:
        (size,)
    """
    froms = [np.zeros(size), *(0.5 * rng.standard_normal((starts - 1, size)))]
    bounds = [(-_WITHIN, _WITHIN)] * size
    ends = [minimize(potential, start, jac=True, method="L-BFGS-B", bounds=bounds) for start in froms]
    return np.asarray(min(ends, key=lambda end: float(end.fun)).x, dtype=float)
