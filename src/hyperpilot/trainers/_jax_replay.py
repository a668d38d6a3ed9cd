"""A replay buffer that is an array: transitions of n_envs copies of an environment, the oldest overwritten first."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from hyperpilot.trainers._jax_moments import Moments
from hyperpilot.trainers._jax_worlds import World

LONGEST_RETURN = 16
"""Steps of an n-step return, at most."""


class Replay(NamedTuple):
    """(rows, lanes, ...) of each.

    Args:
        observation: before the step, as the environment gave it.
        following: after it, before any episode begins anew.
        action: taken.
        reward: as the environment gave it.
        terminated: whether nothing follows.
        end: whether the episode ended, cut off or not.
        added: () how many rows were ever written.
    """

    observation: Array
    following: Array
    action: Array
    reward: Array
    terminated: Array
    end: Array
    added: Array


class Batch(NamedTuple):
    """(n, ...) of each, in the units that the networks get.

    Args:
        observation: before.
        action: taken.
        reward: of the steps of an n-step return, discounted.
        following: after the last of them.
        discount: of what follows; 0 where nothing does.
    """

    observation: Array
    action: Array
    reward: Array
    following: Array
    discount: Array


def empty(world: World, rows: int, lanes: int) -> Replay:
    zeros: Any = np.zeros((rows, lanes), np.float32)
    seen: Any = np.zeros((rows, lanes, world.width), np.float32)
    choice: Any = np.zeros((rows, lanes), np.int32)
    action: Any = choice if world.discrete else np.zeros((rows, lanes, world.actions), np.float32)
    added: Any = np.int32(0)
    return Replay(seen, seen, action, zeros, zeros, zeros, added)


def add(h: Any, replay: Replay, new: tuple[Array, ...], on: Array) -> Replay:
    """With one more row, where `on`. `new`: (lanes, ...) of each array but the last, in their order."""
    rows = replay.reward.shape[0]
    at = jnp.where(on, replay.added % h["capacity"], rows)
    arrays = [old.at[at].set(each, mode="drop") for old, each in zip(replay[:-1], new, strict=True)]
    return Replay(*arrays, replay.added + on.astype(jnp.int32))  # type: ignore[call-arg]


def sample(h: Any, replay: Replay, seen: Moments, scale: Moments, key: Array, n: int, longest: int) -> Batch:
    """Transitions drawn with replacement.

    A return of several steps ends with its episode, and with the newest row, as in Stable-Baselines3.
    """
    lanes = replay.reward.shape[1]
    filled = jnp.minimum(replay.added, h["capacity"])
    for_row, for_lane = jax.random.split(key)
    row = (jax.random.uniform(for_row, (n,)) * filled).astype(jnp.int32)
    lane = jax.random.randint(for_lane, (n,), 0, lanes)
    newest = (replay.added - 1) % h["capacity"]
    reward, discount, going = jnp.zeros(n), jnp.ones(n), jnp.ones(n, bool)
    last = row
    for ahead in range(longest):
        at = (row + ahead) % jnp.maximum(filled, 1)
        going = going & (ahead < h["return_steps"])
        reward = reward + jnp.where(going, discount * _reward(h, replay.reward[at, lane], scale), 0.0)
        discount = jnp.where(going, discount * h["gamma"], discount)
        last = jnp.where(going, at, last)
        going = going & (replay.end[at, lane] == 0) & (at != newest)
    return Batch(
        look(h, seen, replay.observation[row, lane]),
        replay.action[row, lane],
        reward,
        look(h, seen, replay.following[last, lane]),
        discount * (1 - replay.terminated[last, lane]),
    )


def look(h: Any, seen: Moments, observation: Array) -> Array:
    """Observations as the networks get them."""
    return jnp.where(h["normalize"], seen.normalised(observation), observation)


def _reward(h: Any, reward: Array, scale: Moments) -> Array:
    return jnp.where(h["normalize"], scale.scaled(reward), reward)
