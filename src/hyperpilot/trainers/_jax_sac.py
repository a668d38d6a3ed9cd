"""Soft actor-critic, as Stable-Baselines3 has it, with a learned or a fixed weight of the entropy.

References:
    Haarnoja et al. Soft actor-critic algorithms and applications. 2018. arXiv:1812.05905
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

LOSSES: tuple[str, ...] = ("actor_loss", "critic_loss", "ent_coef_loss")
_LOG_STD = -20.0, 2.0


def networks(world: World, shape: Shape, rng: np.random.Generator) -> Any:
    pi = init(rng, (world.width, *shape.widths, 2 * world.actions), None, False)
    qs = [init(rng, (world.width + world.actions, *shape.widths, 1), None, False) for _ in range(shape.critics)]
    return {"pi": pi, "qs": qs, "target": qs}


def fresh(world: World, shape: Shape, h: Any, params: Any, begun: Begun) -> State:
    params = {**params, "log_ent_coef": np.log(h["ent_coef"])}
    optimiser = {name: optax.scale_by_adam().init(params[name]) for name in ("pi", "qs", "log_ent_coef")}
    return off_policy.fresh(world, shape, params, optimiser, len(LOSSES), begun)


def greedy(world: World, h: Any, s: State, observation: Array) -> tuple[Array, Array]:
    """The deterministic policy's action (L, ...), and the entropy (L,) of the Gaussian policy before it is squashed."""
    mean, log_std = _gaussian(s.params["pi"], look(h, s.seen, observation), h)
    entropy = (log_std + 0.5 * jnp.log(2 * jnp.pi) + 0.5).sum(-1)
    return _unscaled(world, jnp.tanh(mean)), entropy


def advance(world: World, shape: Shape, h: Any, s: State, todo: Array) -> State:
    return off_policy.advance(
        world, shape, partial(_act, world), partial(_learn, shape), lambda h, s: s.params, h, s, todo
    )


def _unscaled(world: World, action: Array) -> Array:
    """From [-1, 1] to what the environment takes."""
    return world.low + 0.5 * (action + 1.0) * (world.high - world.low)


def _gaussian(pi: Any, x: Array, h: Any) -> tuple[Array, Array]:
    mean, log_std = jnp.split(apply(pi, x, h["relu"]), 2, axis=-1)
    return mean, jnp.clip(log_std, *_LOG_STD)


def _drawn(pi: Any, x: Array, h: Any, key: Array) -> tuple[Array, Array]:
    """Squashed actions (n, ...) and the logarithm (n,) of their density."""
    mean, log_std = _gaussian(pi, x, h)
    noise = jax.random.normal(key, mean.shape)
    action = jnp.tanh(mean + jnp.exp(log_std) * noise)
    log_prob = (-0.5 * noise**2 - log_std - 0.5 * jnp.log(2 * jnp.pi) - jnp.log(1 - action**2 + 1e-6)).sum(-1)
    return action, log_prob


def _act(world: World, h: Any, s: State, observation: Array, key: Array) -> tuple[Array, Array]:
    for_policy, for_lot = jax.random.split(key)
    action, _ = _drawn(s.params["pi"], look(h, s.seen, observation), h, for_policy)
    lot = jax.random.uniform(for_lot, action.shape, minval=-1.0)
    action = jnp.where(s.steps < h["learning_starts"], lot, action)
    return action, _unscaled(world, action)


def _values(qs: Any, x: Array, action: Array, h: Any) -> Array:
    """(critics, n)"""
    both = jnp.concatenate([x, action], -1)
    return jnp.stack([apply(q, both, h["relu"])[:, 0] for q in qs])


def _learn(shape: Shape, h: Any, s: State, key: Array, rate: Array) -> State:
    weight_of_entropy = jnp.exp(s.params["log_ent_coef"])

    def critic_loss(qs: Any, batch: Batch, weight: Array, key: Array) -> Array:
        action, log_prob = _drawn(s.params["pi"], batch.following, h, key)
        following = _values(s.params["target"], batch.following, action, h).min(0) - weight_of_entropy * log_prob
        target = jax.lax.stop_gradient(batch.reward + batch.discount * following)
        return 0.5 * (weight * (_values(qs, batch.observation, batch.action, h) - target) ** 2).sum()

    # The same key draws the same minibatch for both losses.
    critic, by_critic = off_policy.batches(
        shape, h, s, key, lambda b, w, k: jax.value_and_grad(critic_loss)(s.params["qs"], b, w, k)
    )
    qs, of_qs = off_policy.descended(by_critic, s.params["qs"], s.optimiser["qs"], rate)

    def actor_loss(pi: Any, batch: Batch, weight: Array, key: Array) -> tuple[Array, Array]:
        action, log_prob = _drawn(pi, batch.observation, h, jax.random.fold_in(key, 1))
        value = _values(qs, batch.observation, action, h).min(0)
        surplus = (weight * (log_prob + h["target_entropy"])).sum()
        return (weight * (weight_of_entropy * log_prob - value)).sum(), surplus

    (actor, surplus), by_actor = off_policy.batches(
        shape, h, s, key, lambda b, w, k: jax.value_and_grad(actor_loss, has_aux=True)(s.params["pi"], b, w, k)
    )
    pi, of_pi = off_policy.descended(by_actor, s.params["pi"], s.optimiser["pi"], rate)
    # the loss is -log_ent_coef * surplus, so that its slope is -surplus
    moved, of_weight = off_policy.descended(-surplus, s.params["log_ent_coef"], s.optimiser["log_ent_coef"], rate)
    log_ent_coef = jnp.where(h["ent_coef_auto"], moved, s.params["log_ent_coef"])
    due = s.updates % h["target_update_interval"] == 0
    target = off_policy.followed(s.params["target"], qs, h["tau"], due)
    return s._replace(
        params={"pi": pi, "qs": qs, "target": target, "log_ent_coef": log_ent_coef},
        optimiser={"pi": of_pi, "qs": of_qs, "log_ent_coef": of_weight},
        losses=jnp.stack([actor, critic, -s.params["log_ent_coef"] * surplus]),
    )
