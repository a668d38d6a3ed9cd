"""One of our spaces, asked for through a trial of Optuna or written down as its distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ConfigSpace as cs
from optuna import Trial
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from hyperpilot.space import Config, Space, Value
from hyperpilot.space.grammar import parse, python


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """What each searched hyperparameter is for Optuna; choices in order are choices, as it has none that are ordered."""
    return {name: distribution(parse(name, text)) for name, text in space.ranges().items()}


def distribution(hp: Any) -> BaseDistribution:
    """The same of one hyperparameter."""
    if isinstance(hp, cs.OrdinalHyperparameter):
        return CategoricalDistribution([python(value) for value in hp.sequence])
    if isinstance(hp, cs.CategoricalHyperparameter):
        return CategoricalDistribution([python(value) for value in hp.choices])
    if isinstance(hp, cs.UniformIntegerHyperparameter):
        return IntDistribution(int(hp.lower), int(hp.upper), log=hp.log)
    return FloatDistribution(float(hp.lower), float(hp.upper), log=hp.log)


def suggested(trial: Trial, space: Space) -> Config:
    """A configuration of the space as a trial suggests it; it may break a rule between hyperparameters.

    What is inactive is not asked for.
    """
    known: Mapping[str, BaseDistribution] = distributions(space)
    found: dict[str, Value] = dict(space.fixed)
    left = list(known)
    while left:
        # A parent that is conditional itself comes first; where it is inactive, so is the child.
        ready = [name for name in left if name not in space.conditions or space.conditions[name][0] not in left]
        for name in ready:
            left.remove(name)
            if name in space.activate({**found, name: True}):
                found[name] = _suggest(trial, name, known[name])
    return space.activate(found)


def _suggest(trial: Trial, name: str, of: BaseDistribution) -> Any:
    if isinstance(of, FloatDistribution):
        return trial.suggest_float(name, of.low, of.high, log=of.log)
    if isinstance(of, IntDistribution):
        return trial.suggest_int(name, of.low, of.high, log=of.log)
    assert isinstance(of, CategoricalDistribution)
    return trial.suggest_categorical(name, of.choices)
