"""What a study searches: the spaces of its algorithms, joined with what the user asks for and checked before anything trains."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ConfigSpace as cs

from hyperpilot.errors import InvalidConfiguration, InvalidSpace
from hyperpilot.protocols import ActionKind, Algorithm
from hyperpilot.runtime.asked import Asked, AskedConditions, shared_out
from hyperpilot.space import Config, Space, Value
from hyperpilot.space.branches import Branch, joined
from hyperpilot.space.grammar import parse, python
from hyperpilot.space.rules import Conditions, suggestion

_SHARES = (
    "gamma",
    "gae_lambda",
    "tau",
    "exploration_fraction",
    "exploration_initial_eps",
    "exploration_final_eps",
)
_POSITIVE = (
    "learning_rate",
    "batch_size",
    "buffer_size",
    "clip_range",
    "n_envs",
    "n_epochs",
    "n_steps",
    "train_freq",
)


def search_space(algorithms: Sequence[Algorithm], actions: ActionKind, asked: Asked) -> Space:
    """The algorithms' space with the user's ranges, values and rules, fitted to the environment's actions.

    Raises:
        HyperPilotError: naming the hyperparameter and the mend.
    """
    if len(algorithms) == 1:
        return _branch(algorithms[0], actions, asked).space()
    shares = shared_out(asked, algorithms)
    return joined({each.name: _branch(each, actions, shares[each.name]) for each in algorithms})


def _branch(algorithm: Algorithm, actions: ActionKind, asked: Asked) -> Branch:
    """What the space of one algorithm is made of."""
    _check(algorithm, asked.space, asked.fix)
    ranges, fixed = {**algorithm.space, **asked.space}, dict(asked.fix)
    if actions != "continuous":
        fixed = {**{k: v for k, v in algorithm.needs_continuous.items() if k in ranges}, **fixed}
    known = {*ranges, *fixed}
    own = {c: (p, v) for c, (p, v) in algorithm.conditions.items() if c in known and p in known}
    return Branch(
        ranges={name: text for name, text in ranges.items() if name not in fixed},
        fixed=fixed,
        conditions={**own, **conditions_of(algorithm, asked.conditions, ranges, fixed)},
        forbidden=asked.forbid,
        constraints=algorithm.constraints,
        defaults=algorithm.defaults,
    )


def _check(algorithm: Algorithm, space: Mapping[str, str], fix: Config) -> None:
    for name in (*space, *fix):
        if name not in algorithm.defaults:
            raise InvalidConfiguration(
                f"{algorithm.name}: unknown hyperparameter {name!r}", suggestion(name, algorithm.defaults)
            )
    for name in space.keys() & fix.keys():
        raise InvalidSpace(f"{name} has a range and is fixed", "Give it one of the two.")
    for name, value in fix.items():
        _check_value(algorithm, name, value)
    for name, text in space.items():
        for value in _extremes(parse(name, text)):
            _check_value(algorithm, name, value)


def _extremes(hyperparameter: Any) -> Iterator[Value]:
    """The ends of a range, or every choice."""
    if isinstance(hyperparameter, cs.OrdinalHyperparameter):
        return map(python, hyperparameter.sequence)
    if isinstance(hyperparameter, cs.CategoricalHyperparameter):
        return map(python, hyperparameter.choices)
    return map(python, (hyperparameter.lower, hyperparameter.upper))


def _check_value(algorithm: Algorithm, name: str, value: Value) -> None:
    """Passes a value of the kind that the default is of, within the bounds that its name implies."""
    fault = _kind_fault(algorithm.defaults[name], value)
    if not fault and isinstance(value, int | float):
        if name in _SHARES and not 0 <= value <= 1:
            fault = "Write a number from 0 to 1."
        elif name in _POSITIVE and value <= 0:
            fault = "Write a number above zero."
    if fault:
        raise InvalidConfiguration(f"{algorithm.name}: {name} cannot be {value!r}", fault)
    try:
        algorithm.translated({**algorithm.defaults, name: value})
    except (ValueError, TypeError) as error:
        raise InvalidConfiguration(
            f"{algorithm.name}: {name} cannot be {value!r}: {error}", "hyperpilot spaces prints the ranges."
        ) from error


def _kind_fault(default: Value, value: Value) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "Write a finite number."
    if isinstance(default, str) or (isinstance(default, float) and value == "none"):
        return ""  # where the default is `auto` or `none`, a number may stand
    if isinstance(default, bool) or isinstance(value, bool):
        return "" if type(default) is type(value) else f"Write it as {str(default).lower()} is written."
    if isinstance(value, str):
        return "Write a number."
    if isinstance(default, int) and isinstance(value, float):
        return "Write a whole number, without a point or an exponent."
    return ""


def conditions_of(algorithm: Algorithm, asked: AskedConditions, ranges: Mapping[str, str], fixed: Config) -> Conditions:
    """What a user asks for, as a space takes it.

    Raises:
        InvalidSpace: naming what is unknown, or can never be.
    """
    found: dict[str, tuple[str, tuple[Value, ...]]] = {}
    for child, parents in asked.items():
        if len(parents) != 1:
            mend = f"Write it as {child}: {{parent: [value, value]}}."
            raise InvalidSpace(f"conditions: {child} names {len(parents)} parents, not one", mend)
        for name in (child, *parents):
            if name not in ranges and name not in fixed:
                what = f"conditions: {name!r} is not searched"
                raise InvalidSpace(what, suggestion(name, {*ranges, *fixed}))
        (parent, given), *_ = parents.items()
        values = (given,) if isinstance(given, bool | int | float | str) else tuple(given)
        if parent not in fixed:
            _check_parent(child, parent, values, {ranges[parent], algorithm.space.get(parent, ranges[parent])})
        found[child] = (parent, values)
    return found


def _check_parent(child: str, parent: str, values: Sequence[Value], texts: set[str]) -> None:
    """Passes values of a parent that its range allows, or the algorithm's own range, of which it may be a part."""
    known = [parse(parent, text) for text in texts]
    for value in values:
        if not any(hyperparameter.legal_value(value) for hyperparameter in known):
            what = f"conditions: {child}: {parent} can never be {value!r}"
            raise InvalidSpace(what, f"It is searched in {' or '.join(sorted(texts))}.")
    if not values:
        raise InvalidSpace(f"conditions: {child}: {parent} has no value", f"Name values of {parent}.")
