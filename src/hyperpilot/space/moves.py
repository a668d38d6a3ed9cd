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


def moved(hp: Any, value: Value, n: int, rng: np.random.Generator) -> list[Value]:
    """n values near the given one; any choices of those without order."""
    if isinstance(hp, cs.CategoricalHyperparameter):
        return [python(hp.choices[k]) for k in rng.integers(len(hp.choices), size=n)]
    if isinstance(hp, cs.OrdinalHyperparameter):
        places = list(hp.sequence).index(value) + rng.choice([-1, 1], n)
        return [python(hp.sequence[k]) for k in places.clip(0, len(hp.sequence) - 1)]
    units = float(hp.to_vector(value)) + _SPREAD * rng.standard_normal(n)
    return [python(near) for near in hp.to_value(units.clip(0.0, 1.0))]


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
