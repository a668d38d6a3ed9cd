"""Steps of many copies of an environment, each beginning anew where its episode ends."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from hyperpilot.trainers._jax_moments import Moments
from hyperpilot.trainers._jax_networks import where
from hyperpilot.trainers._jax_worlds import World

WINDOW = 100
"""So many last episodes tell the return in training, as in Stable-Baselines3."""


class Lanes(NamedTuple):
    """Where L copies of an environment stand.

    Args:
        state: of the environments.
        observation: (L, d), as they are.
        total: (L,) return of the running episodes.
        returns: (WINDOW,) of the last episodes.
        ended: how many have ended.
    """

    state: Any
    observation: Array
    total: Array
    returns: Array
    ended: Array


class Step(NamedTuple):
    """What one step led to, each (L, ...).

    Args:
        last: the observations that it led to, before any episode begins anew.
        reward: as the environment gives it.
        terminated: whether the episode ended and its future has no value.
        truncated: whether it was cut off.
    """

    last: Array
    reward: Array
    terminated: Array
    truncated: Array


class Begun(NamedTuple):
    """Where a training begins: its environments, the moments of their observations, and its random numbers."""

    lanes: Lanes
    seen: Moments
    key: Array


def begin(world: World, lanes: int, n_envs: Array, key: Array) -> Begun:
    """Copies of an environment, of which the first `n_envs` count."""
    for_world, key = jax.random.split(key)
    observation, state = jax.vmap(world.reset)(jax.random.split(for_world, lanes))
    begun = Lanes(state, observation, jnp.zeros(lanes), jnp.zeros(WINDOW), jnp.int32(0))
    return Begun(begun, Moments.fresh((world.width,)).seen(observation, jnp.arange(lanes) < n_envs), key)


def step(world: World, lanes: Lanes, actions: Array, key: Array, on: Array) -> tuple[Lanes, Step]:
    """Takes a step in the copies where `on` (L,) says so; the others stay."""
    n = on.shape[0]
    keys = jax.random.split(key, 2 * n)
    last, state, reward, terminated, truncated = jax.vmap(world.step)(keys[:n], lanes.state, actions)
    done = terminated | truncated
    fresh, fresh_state = jax.vmap(world.reset)(keys[n:])
    total = lanes.total + reward
    finished = done & on
    at = jnp.where(finished, (lanes.ended + jnp.cumsum(finished) - 1) % WINDOW, WINDOW)
    after = Lanes(
        jax.vmap(where)(done, fresh_state, state),
        jnp.where(done[:, None], fresh, last),
        jnp.where(done, 0.0, total),
        lanes.returns.at[at].set(total, mode="drop"),
        lanes.ended + finished.sum(),
    )
    state, observation, total = jax.vmap(where)(
        on, (after.state, after.observation, after.total), (lanes.state, lanes.observation, lanes.total)
    )
    return Lanes(state, observation, total, after.returns, after.ended), Step(last, reward, terminated, truncated)
