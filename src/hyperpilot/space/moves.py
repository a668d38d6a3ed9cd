"""Steps from a value to one near it."""

from __future__ import annotations

from typing import Any

import ConfigSpace as cs
import numpy as np

from hyperpilot.space.grammar import python
from hyperpilot.space.values import Value

_SPREAD = 0.15
"""Standard deviation of a step in the unit cube."""


def moved(hp: Any, value: Value | None, rng: np.random.Generator) -> Value:
    """A value near the given one; any choice of those without order, and any value where there is none to start from."""
    if value is None or isinstance(hp, cs.CategoricalHyperparameter):
        return python(hp.to_value(hp.sample_vector(seed=np.random.RandomState(int(rng.integers(2**31))))))
    if isinstance(hp, cs.OrdinalHyperparameter):
        index = list(hp.sequence).index(value) + int(rng.choice([-1, 1]))
        return python(hp.sequence[min(max(index, 0), len(hp.sequence) - 1)])
    unit = float(hp.to_vector(value)) + _SPREAD * float(rng.standard_normal())
    return python(hp.to_value(min(max(unit, 0.0), 1.0)))
