"""Optuna's distributions as one of our spaces, and values both ways.

Optuna has no space: an objective asks for one hyperparameter after the other, and may ask for another set every time. What has
been asked for so far is the space, and where a hyperparameter was asked for in some trials only, the record usually tells on
what that depends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from hyperpilot.space import Config, Space, Value
from hyperpilot.space.rules import Conditions

_COUNTABLE = 64
"""Integers with up to so many values may decide whether another hyperparameter is asked for, as `n_layers` does."""


@dataclass(frozen=True)
class Dimension:
    """A hyperparameter of Optuna as one of ours.

    A grid is searched by the number of the step, choices by their place: numbers in ascending order as ordered ones, all else
    under names of our own, so that None, mixed types and equal values of different types need no rule.
    """

    distribution: BaseDistribution

    @cached_property
    def text(self) -> str:
        """The range in our grammar."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return "|".join(str(value) for value in self._places)
        assert isinstance(d, FloatDistribution | IntDistribution)
        if self._steps:
            return f"0..{self._steps}"
        low, high = (int(d.low), int(d.high)) if isinstance(d, IntDistribution) else (float(d.low), float(d.high))
        return f"{low!r}..{high!r}" + (":log" if d.log else "")

    def ours(self, value: Any) -> Value:
        """A value of Optuna's; numbers may lie outside the range, which can change from trial to trial."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return self._places[int(d.to_internal_repr(value))]
        assert isinstance(d, FloatDistribution | IntDistribution)
        number = float(value)
        if self._steps:
            return min(max(round((number - d.low) / (d.step or 1)), 0), self._steps)
        number = min(max(number, d.low), d.high)
        return int(number) if isinstance(d, IntDistribution) else float(number)

    def theirs(self, value: Value) -> Any:
        """The same for Optuna."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return d.choices[self._places.index(value)]
        assert isinstance(d, FloatDistribution | IntDistribution)
        assert not isinstance(value, str)
        if self._steps:
            value = d.low + value * (d.step or 1)
        return int(value) if isinstance(d, IntDistribution) else min(max(float(value), d.low), d.high)

    @property
    def values(self) -> tuple[Value, ...]:
        """Every value where they can be counted, else none."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return self._places
        if isinstance(d, IntDistribution) and (d.high - d.low) // d.step < _COUNTABLE:
            return tuple(range(self._steps + 1) if self._steps else range(d.low, d.high + 1))
        return ()

    @cached_property
    def _steps(self) -> int:
        """The number of the last step of a grid; 0 where there is none."""
        d = self.distribution
        assert isinstance(d, FloatDistribution | IntDistribution)
        if d.step is None or (isinstance(d, IntDistribution) and d.step == 1):
            return 0
        return round((d.high - d.low) / (d.step or 1))

    @cached_property
    def _places(self) -> tuple[Value, ...]:
        assert isinstance(self.distribution, CategoricalDistribution)
        choices = self.distribution.choices
        numbers = [c for c in choices if isinstance(c, int | float) and not isinstance(c, bool)]
        ascending = len(numbers) == len(choices) and all(a < b for a, b in zip(numbers, numbers[1:], strict=False))
        return tuple(place if ascending else f"choice {place}" for place in range(len(choices)))


@dataclass(frozen=True)
class Asked:
    """A space that Optuna's trials have asked for.

    Args:
        distributions: by name, none of which has a single value.
        conditions: where they are active, as far as the record tells.
    """

    distributions: Mapping[str, BaseDistribution]
    conditions: Conditions = field(default_factory=dict)

    @cached_property
    def dimensions(self) -> Mapping[str, Dimension]:
        return {name: Dimension(self.distributions[name]) for name in sorted(self.distributions)}

    @cached_property
    def space(self) -> Space:
        return Space({name: each.text for name, each in self.dimensions.items()}, conditions=self.conditions)

    def ours(self, params: Mapping[str, Any]) -> Config:
        """The part of a trial's parameters that the space has."""
        return {name: each.ours(params[name]) for name, each in self.dimensions.items() if name in params}

    def theirs(self, config: Config) -> dict[str, Any]:
        return {name: self.dimensions[name].theirs(value) for name, value in config.items()}

    @classmethod
    def of(cls, trials: Sequence[FrozenTrial], distributions: Mapping[str, BaseDistribution]) -> Asked:
        """The space of some distributions, with the conditions that trials show."""
        varied = {name: each for name, each in distributions.items() if not each.single()}
        return cls(varied, _conditions(trials, varied))


def draw(distribution: BaseDistribution, rng: np.random.Generator) -> Any:
    """A random value of one hyperparameter, on its scale."""
    asked = Asked({"value": distribution})
    return asked.theirs(asked.space.sample(1, rng)[0])["value"]


def asked_for(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """Everything that any trial has asked for, with the range that the newest had."""
    return {name: each for trial in trials for name, each in trial.distributions.items()}


def _conditions(trials: Sequence[FrozenTrial], varied: Mapping[str, BaseDistribution]) -> Conditions:
    """For a hyperparameter that some trials lack, what it depends on: the parent whose value alone decides in every trial."""
    # Others may have ended, or be, before they have asked for everything.
    whole = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    having = {name: frozenset(i for i, trial in enumerate(whole) if name in trial.params) for name in sorted(varied)}
    parents = sorted(having, key=lambda name: -len(having[name]))  # what more trials have explains more
    found = {}
    for child, rows in having.items():
        if not rows or len(rows) == len(whole):
            continue
        for parent in (name for name in parents if having[name] > rows):
            if values := _deciding(Dimension(varied[parent]), parent, having[parent], rows, whole):
                found[child] = (parent, values)
                break
    return found


def _deciding(
    parent: Dimension, name: str, rows: frozenset[int], active: frozenset[int], trials: Sequence[FrozenTrial]
) -> tuple[Value, ...]:
    """The parent's values with which the child is active; none where they do not decide it."""
    seen: dict[Value, bool] = {}
    for i in rows:
        if seen.setdefault(parent.ours(trials[i].params[name]), i in active) != (i in active):
            return ()
    if isinstance(parent.distribution, CategoricalDistribution):
        return tuple(value for value in parent.values if seen.get(value))
    # Integers in between are taken to do as the nearest that was seen.
    return tuple(v for v in parent.values if seen[min(seen, key=lambda known: abs(float(known) - float(v)))])
