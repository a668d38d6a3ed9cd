"""The algorithms that a study names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from hyperpilot.algorithms._jax import as_jax
from hyperpilot.algorithms._rllib import as_rllib
from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Algorithm
from hyperpilot.registry import load, require
from hyperpilot.space import Config
from hyperpilot.space.branches import split

_LIBRARIES = {"rllib": "ray", "jax": "gymnax"}


def as_text(names: Any) -> Any:
    """One way to write several names: those of a list joined by commas, without spaces."""
    if isinstance(names, list | tuple) and names and all(isinstance(name, str) for name in names):
        names = ",".join(names)
    return ",".join(name.strip() for name in names.split(",")) if isinstance(names, str) else names


@lru_cache  # looking for entry points takes milliseconds each time
def named(text: str) -> tuple[Algorithm, ...]:
    """The algorithms of names that are joined by commas, in their order.

    Raises:
        UnknownPlugin: there is none of a name.
        InvalidStudy: a name is empty or comes twice.
    """
    names = text.split(",")
    if len(names) > 1 and "" in names:
        raise InvalidStudy(f"algorithm: {text!r} has an empty name", "Join names by commas: ppo,a2c,dqn.")
    algorithms: list[Algorithm] = [load("algorithms", name) for name in names]
    twice = [name for name, count in Counter(each.name for each in algorithms).items() if count > 1]
    if twice:
        raise InvalidStudy(f"algorithm: {twice[0]} is named twice in {text!r}", "Name each algorithm once.")
    return tuple(algorithms)


def trained_by(trainer: str, algorithms: Sequence[Algorithm]) -> tuple[Algorithm, ...]:
    """The algorithms as a trainer has them.

    Raises:
        InvalidStudy: the trainer has not one of them.
    """
    part = {"rllib": as_rllib, "jax": as_jax}.get(trainer)
    return tuple(algorithms) if part is None else tuple(map(part, algorithms))


def check_trainer(trainer: str, algorithms: Sequence[Algorithm]) -> None:
    """Passes algorithms that Stable-Baselines3 has, where it is the trainer.

    Raises:
        InvalidStudy: it has not one of them.
        MissingExtra: the trainer's library is not installed.
    """
    if trainer in _LIBRARIES:
        require(_LIBRARIES[trainer])
    foreign = [each.name for each in algorithms if not each.sb3_class]
    if foreign and trainer == "sb3":
        raise InvalidStudy(f"algorithm: Stable-Baselines3 has no {foreign[0]}", "Add --trainer rllib.")


def resolved(algorithms: Sequence[Algorithm], config: Config) -> tuple[Algorithm, Config]:
    """The algorithm that a configuration is for, and its hyperparameters under their own names."""
    if len(algorithms) == 1:
        return algorithms[0], config
    branch, own = split(config)
    return next(each for each in algorithms if each.name == branch), own
