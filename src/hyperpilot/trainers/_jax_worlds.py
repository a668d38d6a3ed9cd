"""Environments that are JAX programs, under Gymnasium's names: gymnax's, and those that MJX moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnax
import jax
import jax.numpy as jnp
import numpy as np
from gymnax.environments import spaces
from jax import Array

from hyperpilot.environments import EnvSpec
from hyperpilot.errors import EnvironmentUnavailable, UnsupportedEnvironment
from hyperpilot.trainers._jax_names import GYMNAX, MUJOCO

_NEVER = 2**30


@dataclass(frozen=True, eq=False)
class World:
    """An environment.

    Args:
        reset: key -> observation (d,), state.
        step: key, state, action -> observation (d,), state, reward, terminated, truncated; nothing begins anew by itself.
        width: d, of a flattened observation.
        actions: how many there are, or of how many numbers one consists.
        discrete: whether they are choices.
        low: (actions,) of continuous actions.
        high: likewise.
        longest: steps after which an episode is cut off.
    """

    reset: Callable[[Array], tuple[Array, Any]]
    step: Callable[[Array, Any, Array], tuple[Array, Any, Array, Array, Array]]
    width: int
    actions: int
    discrete: bool
    low: Array
    high: Array
    longest: int


def world(spec: EnvSpec) -> World:
    """The environment of a name.

    Raises:
        EnvironmentUnavailable: there is none of that name.
        UnsupportedEnvironment: it takes arguments that are not there in JAX, or its actions are of another kind.
    """
    for name in spec.kwargs:
        if name != "max_episode_steps":
            raise UnsupportedEnvironment(f"{spec.id} takes no {name} in JAX", "Leave --trainer jax out.")
    if spec.id in MUJOCO:
        from hyperpilot.trainers._jax_mujoco import mujoco_world  # an extra of its own

        return mujoco_world(spec)
    if spec.id not in gymnax.registered_envs:
        raise EnvironmentUnavailable(
            f"the JAX trainer has no environment {spec.id}", f"It has: {', '.join((*GYMNAX, *MUJOCO))}."
        )
    env, params = gymnax.make(spec.id)
    if "max_episode_steps" in spec.kwargs:
        params = params.replace(max_steps_in_episode=int(spec.kwargs["max_episode_steps"]))
    space = env.action_space(params)
    discrete = isinstance(space, spaces.Discrete)
    if not discrete and not isinstance(space, spaces.Box):
        raise UnsupportedEnvironment(
            f"actions of {spec.id} are neither choices nor numbers", "Leave --trainer jax out."
        )
    actions = int(space.n) if discrete else int(np.prod(space.shape))
    unlimited = params.replace(max_steps_in_episode=_NEVER)

    def reset(key: Array) -> tuple[Array, Any]:
        observation, state = env.reset_env(key, params)
        return _flat(observation), _strong(state)

    def step(key: Array, state: Any, action: Array) -> tuple[Array, Any, Array, Array, Array]:
        taken = action if discrete else action.reshape(space.shape)
        observation, after, reward, done, _ = env.step_env(key, state, taken, params)
        # gymnax says `done` at the time limit, too, where the future still has a value
        terminated = done & env.is_terminal(after, unlimited)
        after = jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype).reshape(old.shape), after, state)
        return _flat(observation), after, jnp.float32(reward).reshape(()), terminated, done & ~terminated

    bounds = (jnp.zeros(0), jnp.zeros(0)) if discrete else (_bound(space.low, actions), _bound(space.high, actions))
    width = int(np.prod(env.observation_space(params).shape))
    return World(reset, step, width, actions, discrete, *bounds, int(params.max_steps_in_episode))


def _flat(observation: Array) -> Array:
    return jnp.asarray(observation, jnp.float32).reshape(-1)


def _strong(state: Any) -> Any:
    """A state whose numbers all have a type, so that a loop may carry it."""
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(x)), state)


def _bound(value: Any, n: int) -> Array:
    return jnp.broadcast_to(jnp.asarray(value, jnp.float32), (n,))
