"""Logarithm of the expected improvement, from draws.

The mean over draws of max(draw - floor, 0) is exactly 0 for every candidate that no draw lifts over the floor, and
most candidates are such. A softplus in place of the maximum keeps them apart, and working in logarithms keeps the
softplus from underflowing however far below the floor a candidate lies.

We deviate from Ament et al. in that the floor is each draw's own (scores are noisy: nobody knows the best value), and
in that the temperature is a share of the spread of the draws, so that the units of the score do not matter.

References:
    S. Ament, S. Daulton, D. Eriksson, M. Balandat and E. Bakshy (2023). Unexpected improvements to expected
    improvement for Bayesian optimization. NeurIPS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Array = NDArray[np.float64]

_TEMPERATURE = 0.01
"""Of the softplus, in standard deviations of the draws: its error at the floor is then some 1e-4 of them."""


def log_ei(draws: Array, floor: Array, rng: np.random.Generator) -> Array:
    """(n,) logarithms of the expected improvement; finite.

    Args:
        draws: (S, n) posterior draws at the candidates.
        floor: (S,) the value that each draw has to beat.
        rng: not used.

    Raises:
        ValueError: a floor is not finite, so that every candidate or none would improve on it.
    """
    if not np.isfinite(floor).all():
        raise ValueError("floor holds a value that is not finite")
    gain = draws - floor[:, None]
    temperature = _TEMPERATURE * (float(draws.std()) or 1.0)
    worth = logsumexp(_log_softplus(gain / temperature), axis=0)
    return np.asarray(worth + np.log(temperature / len(draws)))


def _log_softplus(u: Array) -> Array:
    """log(log(1 + exp(u))): u itself to double precision below -40 (Ament et al., appendix A)."""
    return np.where(u < -40, u, np.log(np.logaddexp(0, np.maximum(u, -40))))


plugin = log_ei
