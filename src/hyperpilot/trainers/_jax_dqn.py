"""Deep Q-network, as Stable-Baselines3 has it: Huber loss, no double estimator, n-step returns.

References:
    Mnih et al. Human-level control through deep reinforcement learning. Nature 518, 2015.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from hyperpilot.trainers import _jax_off_policy as off_policy
from hyperpilot.trainers._jax_episodes import Begun
from hyperpilot.trainers._jax_networks import apply, init
from hyperpilot.trainers._jax_off_policy import Shape, State
from hyperpilot.trainers._jax_replay import Batch, look
from hyperpilot.trainers._jax_worlds import World

LOSSES: tuple[str, ...] = ("loss",)


def networks(world: World, shape: Shape, rng: np.random.Generator) -> Any:
    q = init(rng, (world.width, *shape.widths, world.actions), None, False)
    return {"q": q, "target": q}


def fresh(world: World, shape: Shape, h: Any, params: Any, begun: Begun) -> State:
    return off_policy.fresh(world, shape, params, optax.scale_by_adam().init(params["q"]), len(LOSSES), begun)


def greedy(world: World, h: Any, s: State, observation: Array) -> tuple[Array, Array]:
    """The deterministic policy's action (L,), and the entropy (L,) of the policy that explores."""
    action = jnp.argmax(apply(s.params["q"], look(h, s.seen, observation), h["relu"]), -1)
    other = epsilon(h, s) / world.actions
    best = 1 - epsilon(h, s) + other
    entropy = -best * jnp.log(best) - (world.actions - 1) * other * jnp.log(jnp.maximum(other, 1e-12))
    return action, jnp.broadcast_to(entropy, action.shape)


def epsilon(h: Any, s: State) -> Array:
    """The share of random actions."""
    done = jnp.minimum(1.0, s.steps / (h["horizon"] * h["exploration_fraction"]))
    share: Array = h["exploration_initial_eps"] + done * (h["exploration_final_eps"] - h["exploration_initial_eps"])
    return share


def advance(world: World, shape: Shape, h: Any, s: State, todo: Array) -> State:
    return off_policy.advance(
        world, shape, partial(_act, world), partial(_learn, shape), partial(_stepped, shape), h, s, todo
    )


def _act(world: World, h: Any, s: State, observation: Array, key: Array) -> tuple[Array, Array]:
    for_choice, for_lot = jax.random.split(key)
    n = observation.shape[0]
    best = jnp.argmax(apply(s.params["q"], look(h, s.seen, observation), h["relu"]), -1)
    lot = jax.random.randint(for_choice, (n,), 0, world.actions)
    random = (jax.random.uniform(for_lot) < epsilon(h, s)) | (s.steps < h["learning_starts"])
    action = jnp.where(random, lot, best)
    return action, action


def _stepped(shape: Shape, h: Any, s: State) -> Any:
    """The target follows by the steps taken, whether or not there were updates."""
    every = jnp.maximum(h["target_update_interval"] // shape.lanes, 1)
    due = (s.steps // shape.lanes) % every == 0
    return {**s.params, "target": off_policy.followed(s.params["target"], s.params["q"], h["tau"], due)}


def _learn(shape: Shape, h: Any, s: State, key: Array, rate: Array) -> State:
    def loss(q: Any, batch: Batch, weight: Array) -> Array:
        following = apply(s.params["target"], batch.following, h["relu"]).max(-1)
        target = batch.reward + batch.discount * following
        values = apply(q, batch.observation, h["relu"])
        value = (values * jax.nn.one_hot(batch.action, values.shape[-1])).sum(-1)
        total: Array = (weight * optax.losses.huber_loss(value, jax.lax.stop_gradient(target))).sum()
        return total

    value, grads = off_policy.batches(
        shape, h, s, key, lambda batch, weight, _: jax.value_and_grad(loss)(s.params["q"], batch, weight)
    )
    q, optimiser = off_policy.descended(grads, s.params["q"], s.optimiser, rate, h["max_grad_norm"])
    return s._replace(params={**s.params, "q": q}, optimiser=optimiser, losses=value[None])
