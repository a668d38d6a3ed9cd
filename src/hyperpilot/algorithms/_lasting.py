"""What a training keeps from its first step to its last, and what may change on the way.

A value may change where it ends up in a keyword of the class that is read anew at every update. What shapes networks
(`policy`, `policy_kwargs`) or environments (which the class is never told) may not, and is found by asking: the keywords of
two values are compared. Of the keywords some are read once, at the beginning; those are named here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hyperpilot.protocols import Algorithm
from hyperpilot.space.values import Config, Value

_SHAPES = ("policy", "policy_kwargs")

_ONCE = (
    "buffer_size",  # memory is set aside once
    "exploration_initial_eps",  # that of the first step
    "learning_starts",  # it is over: a larger one would bring random actions back
    "use_sde",  # another distribution of actions, with parameters of its own
    "zero_policy",  # ARS: where it begins
)

_LEARNED = "auto"
"""A weight that is learned has a parameter and an optimiser, which one that is set has not."""


def lasts(algorithm: Algorithm, name: str, values: Sequence[Value]) -> bool:
    """Whether a training has to keep the value of a hyperparameter.

    Args:
        algorithm: the algorithm.
        name: the hyperparameter.
        values: two values that it can take, at least.
    """
    if name in _ONCE or any(isinstance(value, str) and value.startswith(_LEARNED) for value in values):
        return True
    parent, needed = algorithm.conditions.get(name, ("", ()))
    given: Config = {**algorithm.defaults, **({parent: needed[0]} if parent in algorithm.defaults else {})}
    told = [algorithm.sb3({**given, name: value}) for value in values]
    changed = {key for other in told for key in other if other[key] != told[0].get(key)}
    return not changed or any(key in changed for key in _SHAPES)


def lasting(algorithm: Algorithm, values: Mapping[str, Sequence[Value]]) -> frozenset[str]:
    """The hyperparameters that a training keeps, of those whose values are given."""
    return frozenset(name for name, each in values.items() if lasts(algorithm, name, each))
