"""Evaluation episodes, all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from hyperpilot.trainers._jax_members import most
from hyperpilot.trainers._jax_networks import where
from hyperpilot.trainers._jax_worlds import World

CHOICES = 64
"""Choices of an action whose shares are counted, at most."""


class Played(NamedTuple):
    """One episode in each copy of the environment.

    Args:
        returns: (episodes,) of the rewards.
        lengths: (episodes,) their steps.
        entropy: of the policy, summed over the steps.
        counts: (CHOICES,) how often each choice was made.
        sums: (2, actions) of continuous actions and of their squares.
    """

    returns: Array
    lengths: Array
    entropy: Array
    counts: Array
    sums: Array


def played(world: World, act: Callable[[Array], tuple[Array, Array]], key: Array, episodes: int) -> Played:
    """Plays a policy until every episode has ended.

    Args:
        world: the environment.
        act: observations (n, d) -> actions, and the entropy (n,) of the policy there.
        key: of the episodes.
        episodes: how many.
    """
    for_reset, for_steps = jax.random.split(key)
    observation, state = jax.vmap(world.reset)(jax.random.split(for_reset, episodes))
    none = Played(
        jnp.zeros(episodes),
        jnp.zeros(episodes, jnp.int32),
        jnp.float32(0),
        jnp.zeros(CHOICES),
        jnp.zeros((2, 1 if world.discrete else world.actions)),
    )

    def going(carry: tuple[Any, ...]) -> Array:
        t, _, _, alive, _ = carry
        unfinished: Array = most(alive.any()) & (t < world.longest)
        return unfinished

    def step(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        t, observation, state, alive, so_far = carry
        action, entropy = act(observation)
        keys = jax.random.split(jax.random.fold_in(for_steps, t), episodes)
        after, new, reward, terminated, truncated = jax.vmap(world.step)(keys, state, action)
        on = alive.astype(jnp.float32)
        if world.discrete:
            counts = so_far.counts.at[jnp.minimum(action, CHOICES - 1)].add(on)
            sums = so_far.sums
        else:
            counts = so_far.counts
            flat = action.reshape(episodes, -1)
            sums = so_far.sums + jnp.stack([(flat * on[:, None]).sum(0), (flat**2 * on[:, None]).sum(0)])
        found = Played(
            so_far.returns + reward * on,
            so_far.lengths + alive,
            so_far.entropy + (entropy * on).sum(),
            counts,
            sums,
        )
        observation, state = jax.vmap(where)(alive, (after, new), (observation, state))
        return t + 1, observation, state, alive & ~(terminated | truncated), found

    begun = (jnp.int32(0), observation, state, jnp.ones(episodes, bool), none)
    found: Played = lax.while_loop(going, step, begun)[-1]
    return found
