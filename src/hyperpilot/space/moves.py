"""From a value to one near it, and from values that break a rule to a configuration near them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ConfigSpace as cs
import numpy as np
from numpy.typing import NDArray

from hyperpilot.space.grammar import python
from hyperpilot.space.values import Config, Value

if TYPE_CHECKING:
    from hyperpilot.space.space import Space

_SPREAD = 0.15
"""Standard deviation of a step in the unit cube."""

_GRID, _RANDOM = 32, 256
"""Values of a number, and random configurations, that may mend a broken rule."""


def moved(hp: Any, value: Value | None, rng: np.random.Generator) -> Value:
    """A value near the given one; any choice of those without order, and any value where there is none to start from."""
    if value is None or isinstance(hp, cs.CategoricalHyperparameter):
        return python(hp.to_value(hp.sample_vector(seed=np.random.RandomState(int(rng.integers(2**31))))))
    if isinstance(hp, cs.OrdinalHyperparameter):
        index = list(hp.sequence).index(value) + int(rng.choice([-1, 1]))
        return python(hp.sequence[min(max(index, 0), len(hp.sequence) - 1)])
    unit = float(hp.to_vector(value)) + _SPREAD * float(rng.standard_normal())
    return python(hp.to_value(min(max(unit, 0.0), 1.0)))


def mended(space: Space, values: Config, row: NDArray[np.float64], rng: np.random.Generator) -> Config:
    """A valid configuration near a point of the unit cube, from values that may break a rule.

    Another value of one hyperparameter mends it, the nearest to the point that does; where none does, the nearest of some
    random configurations takes its place.
    """
    if space.legal(config := space.activate(values)):
        return config
    others = ({**values, name: value} for name in space.names for value in space.grid(name, _GRID))
    near = [config for config in map(space.activate, others) if space.legal(config)] or space.sample(_RANDOM, rng)
    return near[int(np.square(space.encode(near) - row).sum(axis=1).argmin())]
