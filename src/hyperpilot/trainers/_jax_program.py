"""From a configuration to the program that trains it and the numbers that the program is given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from hyperpilot.environments import EnvSpec
from hyperpilot.protocols import Algorithm
from hyperpilot.space import Config
from hyperpilot.trainers import _jax_dqn, _jax_evaluate, _jax_on_policy, _jax_sac
from hyperpilot.trainers import _jax_episodes as episodes
from hyperpilot.trainers._jax_pool import Pool
from hyperpilot.trainers._jax_worlds import World, world

Numbers = dict[str, NDArray[Any]]
"""Hyperparameters, each an array without axes."""


class View(NamedTuple):
    """What of a state an evaluation needs."""

    params: Any
    seen: Any
    steps: Any


@dataclass(frozen=True)
class Program:
    """A program, without the numbers of a configuration. Equal ones are compiled once, and serve configurations side by side.

    Args:
        name: of the module that has it.
        env: id of the environment, and its arguments as text.
        shape: what the algorithm's module wants of it.
    """

    name: str
    env: tuple[str, str]
    shape: Any

    def fresh(self, pool: Pool, world: World, h: Numbers, seed: int) -> Any:
        """A training before its first step."""
        module = _MODULES[self.name]
        lanes = self.shape.lanes
        begun = pool(
            (self.env, "begin", lanes), lambda: partial(episodes.begin, world, lanes), h["n_envs"], keyed(seed)
        )
        networks = module.networks(world, self.shape, np.random.default_rng(seed))
        return module.fresh(world, self.shape, h, networks, begun)

    def advance(self, pool: Pool, world: World, h: Numbers, state: Any, todo: int) -> Any:
        """A state after so many more iterations."""
        module = _MODULES[self.name]
        return pool((self, "advance"), lambda: partial(module.advance, world, self.shape), h, state, np.int32(todo))

    def evaluate(self, pool: Pool, world: World, h: Numbers, state: Any, seed: int, n: int) -> _jax_evaluate.Played:
        """n episodes of the deterministic policy; the same ones for the same seed."""
        module = _MODULES[self.name]

        def play(h: Any, view: View, key: Any) -> _jax_evaluate.Played:
            return _jax_evaluate.played(world, lambda seen: module.greedy(world, h, view, seen), key, n)

        # The policy's layers alone tell evaluations apart.
        key = self.name, self.env, self.shape.widths, "evaluate", n
        played: _jax_evaluate.Played = pool(
            key, lambda: play, h, View(state.params, state.seen, state.steps), keyed(seed)
        )
        return played

    @property
    def losses(self) -> tuple[str, ...]:
        """Names of the state's `losses`."""
        names: tuple[str, ...] = _MODULES[self.name].LOSSES
        return names


_MODULES: dict[str, Any] = {"on_policy": _jax_on_policy, "dqn": _jax_dqn, "sac": _jax_sac}
_WORLDS: dict[tuple[str, str], World] = {}


def world_of(spec: EnvSpec) -> World:
    """The environment; the same object for the same name, as others would have programs of their own."""
    name = spec.id, repr(sorted(spec.kwargs.items()))
    if name not in _WORLDS:
        _WORLDS[name] = world(spec)
    return _WORLDS[name]


def program_of(algorithm: Algorithm, config: Config, spec: EnvSpec, horizon: int) -> tuple[Program, Numbers]:
    """What trains a complete configuration.

    Raises:
        InvalidConfiguration: a value that the program cannot take.
    """
    assert algorithm.jax is not None
    shape, numbers = algorithm.jax.settings(config, horizon)
    h = {name: np.asarray(value, _type(value)) for name, value in numbers.items()}
    if "target_entropy" in h and np.isnan(h["target_entropy"]):
        h["target_entropy"] = np.asarray(-world_of(spec).actions, np.float32)
    name = algorithm.jax.program
    return Program(name, (spec.id, repr(sorted(spec.kwargs.items()))), _MODULES[name].Shape(**shape)), h


def iteration_steps(h: Numbers) -> int:
    """Environment steps between two updates."""
    return int(h["n_envs"]) * int(h["n_steps"] if "n_steps" in h else h["train_freq"])


def _type(value: Any) -> Any:
    return bool if isinstance(value, bool | np.bool_) else np.int32 if isinstance(value, int) else np.float32


def keyed(seed: int, *more: int) -> Any:
    """A key of random numbers, of its own for every tuple of integers."""
    words = np.random.SeedSequence([seed, *more]).generate_state(2)
    return jax.random.wrap_key_data(jnp.asarray(words, jnp.uint32))
