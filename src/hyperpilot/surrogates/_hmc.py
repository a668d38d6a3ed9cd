"""Hamiltonian Monte Carlo.

References:
    R. M. Neal (2011). MCMC using Hamiltonian dynamics. Handbook of Markov Chain Monte Carlo, chapter 5.
    D. P. Kingma and J. Ba (2015). Adam: a method for stochastic optimization. ICLR.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Potential = Callable[[Array], tuple[float, Array]]

_CLIMB = 25
_WARM_UP = 10
_LEAPFROGS = 8
_STEP = 0.15
_ACCEPTANCE = 0.8


def sample(potential: Potential, size: int, draws: int, rng: np.random.Generator) -> Array:
    """Successive states of one chain, after a climb towards the mode and a warm-up that sets the step.

    Args:
        potential: minus the log density, up to a constant, and its gradient; coordinates have prior scale 1.
        size: number of coordinates.
        draws: number of states to keep.
        rng: source of randomness.

    Returns:
        (draws, size)
    """
    state = _climb(potential, np.zeros(size))
    energy, gradient = potential(state)
    kept, step = [], _STEP
    for trajectory in range(_WARM_UP + draws):
        momentum = rng.standard_normal(size)
        here = energy + 0.5 * momentum @ momentum
        moved = _leap(potential, state, momentum, gradient, step * rng.uniform(0.7, 1.2))
        accepted = float(np.exp(min(0.0, float(here - moved[0]))))
        if rng.random() < accepted:
            _, state, energy, gradient = moved
        if trajectory < _WARM_UP:
            step *= float(np.exp(0.25 * (accepted - _ACCEPTANCE)))
        else:
            kept.append(state)
    return np.array(kept)


def _leap(
    potential: Potential, state: Array, momentum: Array, gradient: Array, step: float
) -> tuple[float, Array, float, Array]:
    """Total energy, state, potential and gradient at the end of a trajectory; infinite energy where it ran away."""
    energy = np.inf
    for _ in range(_LEAPFROGS):
        momentum = momentum - 0.5 * step * gradient
        state = state + step * momentum
        energy, gradient = potential(state)
        if not np.isfinite(energy):
            return np.inf, state, np.inf, gradient
        momentum = momentum - 0.5 * step * gradient
    return energy + 0.5 * float(momentum @ momentum), state, energy, gradient


def _climb(potential: Potential, state: Array) -> Array:
    """A state of higher density: a chain that starts in the tails would spend its warm-up there."""
    first, second = np.zeros_like(state), np.zeros_like(state)
    for k in range(1, _CLIMB + 1):
        gradient = potential(state)[1]
        first = 0.8 * first + 0.2 * gradient
        second = 0.95 * second + 0.05 * gradient**2
        state = state - _STEP * (first / (1 - 0.8**k)) / (np.sqrt(second / (1 - 0.95**k)) + 1e-8)
    return state
