"""From the configuration of one training to that of another that goes on from its state.

References:
    Jaderberg et al. Population based training of neural networks. arXiv:1711.09846 (2017): what is taken over is multiplied by
    0.8 or 1.2, or drawn anew. Choices have no product: here ordered ones move to a neighbour, and those without order
    stay unless they are drawn anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import ConfigSpace as cs
import numpy as np

from hyperpilot.space.grammar import python
from hyperpilot.space.moves import moved
from hyperpilot.space.values import Config, Value

if TYPE_CHECKING:
    from hyperpilot.space.space import Space

_FACTORS = (0.8, 1.2)
_TRIES = 50


def explored(
    space: Space,
    hyperparameters: Mapping[str, Any],
    config: Config,
    kept: Collection[str],
    redrawn: float,
    rng: np.random.Generator,
) -> Config:
    """A legal configuration near a given one, which keeps some of its values.

    Args:
        space: the space.
        hyperparameters: ConfigSpace's, of every name that is searched.
        config: where to start from; it may lie outside the ranges.
        kept: names whose values stay, and which stay inactive where they are.
        redrawn: probability that a value is drawn anew instead of moved.
        rng: source of randomness.

    Returns:
        The configuration; the given one where no change was found that breaks no rule.
    """
    free = {name: hp for name, hp in hyperparameters.items() if name not in kept}
    for _ in range(_TRIES):
        values = dict(config)
        for name, hp in free.items():
            # What is inactive needs a value, too: a parent that moves may bring it in.
            anew = name not in config or rng.random() < redrawn
            values[name] = _drawn(hp, rng) if anew else _moved(hp, config[name], rng)
        near = space.activate(values)
        if near != config and space.legal(near):
            return near
    return dict(config)


def _drawn(hp: Any, rng: np.random.Generator) -> Value:
    return python(hp.to_value(hp.sample_vector(seed=np.random.RandomState(int(rng.integers(2**31))))))


def _moved(hp: Any, value: Value, rng: np.random.Generator) -> Value:
    if isinstance(hp, cs.OrdinalHyperparameter):
        return moved(hp, _nearest(hp, value), 1, rng)[0]
    if isinstance(hp, cs.CategoricalHyperparameter):
        return value if hp.legal_value(value) else _drawn(hp, rng)
    if isinstance(value, str):
        return _drawn(hp, rng)  # a word such as `none`, outside the range
    factor = float(rng.choice(_FACTORS))
    number = value * factor
    if isinstance(hp, cs.UniformIntegerHyperparameter):  # 2 times 1.2 rounds to 2
        number = max(round(number), value + 1) if (factor > 1) == (value > 0) else min(round(number), value - 1)
    if number == value:  # zero has no product
        number = float(moved(hp, min(max(value, hp.lower), hp.upper), 1, rng)[0])
    number = min(max(number, hp.lower), hp.upper)
    return int(number) if isinstance(hp, cs.UniformIntegerHyperparameter) else float(number)


def _nearest(hp: cs.OrdinalHyperparameter, value: Value) -> Value:
    """The value itself, or the choice nearest to a number that is none of them."""
    choices = [python(choice) for choice in hp.sequence]
    if value in choices:
        return value
    numbers = [choice for choice in choices if isinstance(choice, int | float)]
    if isinstance(value, str) or len(numbers) < len(choices):
        return choices[len(choices) // 2]
    return min(numbers, key=lambda number: abs(number - value))
