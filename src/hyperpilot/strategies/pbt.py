"""Population-based training: the worst take over the best, and explore by small changes.

References:
    Jaderberg et al. Population based training of neural networks. arXiv:1711.09846 (2017). We deviate in that members are
    compared at equal steps, also where they do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection

from hyperpilot.protocols import Schedule
from hyperpilot.space import Config, Space
from hyperpilot.strategies._evolving import Evolving, Explorer, population_of
from hyperpilot.strategies._scheduled import Scheduled

REDRAWN = 0.25
"""Probability that a value is drawn anew (Jaderberg et al.)."""


def perturbing(space: Space, kept: Collection[str]) -> Explorer:
    """Children near their parents, who keep the values of some hyperparameters."""
    return lambda history, bred, rng: [space.explored(donor.config, kept, REDRAWN, rng) for donor, _ in bred]


def plugin(
    space: Space,
    schedule: Schedule,
    first: tuple[Config, ...] = (),
    seed: int = 0,
    kept: Collection[str] = (),
    **_: object,
) -> Evolving:
    """Population-based training; a surrogate or an acquisition has no say. `kept` cannot change in a running training."""
    population = population_of(schedule)
    founders = Scheduled(population, lambda history, n, rng: space.sample(n, rng), first, seed)
    return Evolving(population, founders, perturbing(space, kept))
