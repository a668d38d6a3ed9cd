"""What a user asks of a search, and how several algorithms share it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hyperpilot.errors import InvalidConfiguration, InvalidSpace
from hyperpilot.protocols import Algorithm
from hyperpilot.space import Config, Value
from hyperpilot.space.branches import CHOICE
from hyperpilot.space.rules import Forbidden, suggestion

AskedConditions = Mapping[str, Mapping[str, Value | Sequence[Value]]]
"""child -> {parent: values}, as people write them."""

T = TypeVar("T")

_EXAMPLE = "Name one algorithm's own as"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user asks for, by the names of hyperparameters.

    Args:
        space: ranges that replace or join the algorithm's own.
        fix: values that are not searched.
        conditions: where hyperparameters are active.
        forbid: combinations that are left out.
    """

    space: Mapping[str, str] = field(default_factory=dict)
    fix: Config = field(default_factory=dict)
    conditions: AskedConditions = field(default_factory=dict)
    forbid: Sequence[Forbidden] = ()


def shared_out(asked: Asked, algorithms: Sequence[Algorithm]) -> dict[str, Asked]:
    """What is asked of each algorithm, under its own names.

    `ppo.gamma` is that of PPO; `gamma` is that of every algorithm that has it, unless the longer form says otherwise.

    Raises:
        HyperPilotError: a name is no algorithm's, or not the same thing for all of them.
    """
    for name in (*asked.space, *asked.fix):
        _check_name(name, algorithms)
    shares = {each.name: _ranges_and_values(asked, each) for each in algorithms}
    searched = {each.name: {*each.space, *shares[each.name].space, *shares[each.name].fix} for each in algorithms}
    for child, parents in asked.conditions.items():
        _common("conditions", (child, *parents), searched)
    for combination in asked.forbid:
        _common("forbid", tuple(combination), searched)
    return {name: _with_rules(share, asked, name, searched) for name, share in shares.items()}


def _ranges_and_values(asked: Asked, algorithm: Algorithm) -> Asked:
    every_range, own_range = _of(algorithm, asked.space)
    every_value, own_value = _of(algorithm, asked.fix)
    return Asked(
        space={**{name: text for name, text in every_range.items() if name not in own_value}, **own_range},
        fix={**{name: value for name, value in every_value.items() if name not in own_range}, **own_value},
    )


def _of(algorithm: Algorithm, given: Mapping[str, T]) -> tuple[dict[str, T], dict[str, T]]:
    """What is given for every algorithm and known to this one, and what is given for it alone."""
    prefix = f"{algorithm.name}."
    every = {name: value for name, value in given.items() if name in algorithm.defaults}
    return every, {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}


def _with_rules(share: Asked, asked: Asked, branch: str, searched: Mapping[str, set[str]]) -> Asked:
    """The share with the conditions and forbidden combinations whose names the algorithm all has."""

    def own(name: str) -> str:
        return name.removeprefix(f"{branch}.")

    def has(*names: str) -> bool:
        return all(own(name) in searched[branch] for name in names)

    return Asked(
        share.space,
        share.fix,
        {
            own(child): {own(parent): values for parent, values in parents.items()}
            for child, parents in asked.conditions.items()
            if has(child, *parents)
        },
        [{own(name): values for name, values in each.items()} for each in asked.forbid if has(*each)],
    )


def _check_name(name: str, algorithms: Sequence[Algorithm]) -> None:
    """Passes a name that means one thing.

    Raises:
        InvalidConfiguration: it does not.
    """
    names = ",".join(each.name for each in algorithms)
    if name == CHOICE:
        what = f"{name} is what {names} are: the study searches them all"
        raise InvalidConfiguration(what, "Name the ones to search where you name the algorithm.")
    if any(name.startswith(f"{each.name}.") for each in algorithms):
        return
    known = [each for each in algorithms if name in each.defaults]
    if not known:
        mend = suggestion(name, sorted({key for each in algorithms for key in each.defaults}))
        raise InvalidConfiguration(f"{names}: unknown hyperparameter {name!r}", mend)
    # The one name of Stable-Baselines3 that means two things: a rollout of PPO's is not a return of DQN's.
    of_returns = [each.name for each in known if "buffer_size" in each.defaults]
    if name == "n_steps" and of_returns and len(of_returns) < len(known):
        of_rollouts = ", ".join(each.name for each in known if each.name not in of_returns)
        what = f"n_steps is the length of a rollout for {of_rollouts}, and of a return for {', '.join(of_returns)}"
        raise InvalidConfiguration(what, f"{_EXAMPLE} {known[0].name}.n_steps.")


def _common(setting: str, names: Sequence[str], searched: Mapping[str, set[str]]) -> None:
    """Passes names that an algorithm all has.

    Raises:
        InvalidSpace: none has.
    """
    for branch, own in searched.items():
        if all(name.removeprefix(f"{branch}.") in own for name in names):
            return
    known = sorted({name for own in searched.values() for name in own})
    unknown = [name for name in names if name.removeprefix(f"{name.partition('.')[0]}.") not in known]
    if unknown:
        raise InvalidSpace(f"{setting}: {unknown[0]!r} is not searched", suggestion(unknown[0], known))
    what = f"{setting}: no algorithm searches {' and '.join(names)}, one of them all"
    raise InvalidSpace(what, f"{_EXAMPLE} {next(iter(searched))}.{names[0].rpartition('.')[2]}.")
