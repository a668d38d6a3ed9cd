"""What DQN and SAC share: steps into a replay buffer, then so many updates from it, as Stable-Baselines3 alternates them.

As on-policy, numbers and not shapes tell configurations apart: a minibatch is drawn and summed in blocks, and buffers have
rows for more than is asked of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax

from hyperpilot.trainers import _jax_episodes as episodes
from hyperpilot.trainers import _jax_replay as replays
from hyperpilot.trainers._jax_members import most
from hyperpilot.trainers._jax_moments import Moments
from hyperpilot.trainers._jax_networks import clipped, where
from hyperpilot.trainers._jax_worlds import World

BLOCK = 64


class Shape(NamedTuple):
    """What makes a program another one.

    Args:
        lanes: copies of the environment.
        rows: of the replay buffer, at least.
        widths: of the hidden layers.
        critics: how many.
        longest: steps of an n-step return, at most.
    """

    lanes: int
    rows: int
    widths: tuple[int, ...]
    critics: int
    longest: int


class State(NamedTuple):
    """All that a training is, apart from its hyperparameters."""

    params: Any
    optimiser: Any
    lanes: episodes.Lanes
    seen: Moments
    returns: Array
    scale: Moments
    key: Array
    steps: Array
    updates: Array
    losses: Array
    replay: replays.Replay


Act = Callable[[Any, State, Array, Array], tuple[Array, Array]]
"""Hyperparameters, state, observations and key -> actions as they are learnt from, and as the environment takes them."""

Learn = Callable[[Any, State, Array, Array], State]
"""One update from a key, with a learning rate."""

Stepped = Callable[[Any, State], Any]
"""The parameters after a step of the environments, which an update has not changed."""


def fresh(world: World, shape: Shape, params: Any, optimiser: Any, losses: int, begun: episodes.Begun) -> State:
    """A training before its first step."""
    zero: Any = np.int32(0)
    none: Any = np.zeros(losses, np.float32)
    returns: Any = np.zeros(shape.lanes, np.float32)
    return State(
        params,
        optimiser,
        begun.lanes,
        begun.seen,
        returns,
        Moments.fresh(()),
        begun.key,
        zero,
        zero,
        none,
        replays.empty(world, shape.rows, shape.lanes),
    )


def advance(
    world: World, shape: Shape, act: Act, learn: Learn, stepped: Stepped, h: Any, s: State, todo: Array
) -> State:
    """So many rollouts of `train_freq` steps, and their updates."""

    def step(s: State, on: Array) -> State:
        s = _step(world, shape, act, h, s, on)
        return s._replace(params=where(on, stepped(h, s), s.params))

    def iteration(i: Array, s: State) -> State:
        on = i < todo
        turns = most(jnp.where(on, h["train_freq"], 0))
        s = lax.fori_loop(0, turns, lambda t, s: step(s, on & (t < h["train_freq"])), s)
        wanted = jnp.where(h["gradient_steps"] < 0, h["train_freq"] * shape.lanes, h["gradient_steps"])
        updates = jnp.where(on & (s.steps > h["learning_starts"]), wanted, 0)
        left = jnp.maximum(0.0, 1.0 - s.steps / h["horizon"])  # of the horizon, as the schedules see it
        rate = h["learning_rate"] * jnp.where(h["learning_rate_linear"], left, 1.0)

        def update(u: Array, s: State) -> State:
            key, for_update = jax.random.split(s.key)
            after = learn(h, s._replace(key=key, updates=s.updates + 1), for_update, rate)
            return _kept(u < updates, after, s)

        updated: State = lax.fori_loop(0, most(updates), update, s)
        return updated

    after: State = lax.fori_loop(0, most(todo), iteration, s)
    return after


def _kept(on: Array, new: State, old: State) -> State:
    """The new state where `on`; updates leave the replay buffer alone, so that it need not be chosen."""
    return new._replace(
        params=where(on, new.params, old.params),
        optimiser=where(on, new.optimiser, old.optimiser),
        key=where(on, new.key, old.key),
        updates=jnp.where(on, new.updates, old.updates),
        losses=jnp.where(on, new.losses, old.losses),
    )


def _step(world: World, shape: Shape, act: Act, h: Any, s: State, on: Array) -> State:
    key, for_action, for_world = jax.random.split(s.key, 3)
    learnt, taken = act(h, s, s.lanes.observation, for_action)
    here = jnp.broadcast_to(on, (shape.lanes,))
    lanes, step = episodes.step(world, s.lanes, taken, for_world, here)
    done = step.terminated | step.truncated
    row = (
        s.lanes.observation,
        step.last,
        learnt,
        step.reward,
        step.terminated.astype(jnp.float32),
        done.astype(jnp.float32),
    )
    returns = jnp.where(here, s.returns * h["gamma"] + step.reward, s.returns)
    kept = where(on, (s.seen.seen(lanes.observation, here), s.scale.seen(returns, here), key), (s.seen, s.scale, s.key))
    return s._replace(
        lanes=lanes,
        seen=kept[0],
        returns=jnp.where(done & here, 0.0, returns),
        scale=kept[1],
        key=kept[2],
        steps=s.steps + here.sum(),
        replay=replays.add(h, s.replay, row, on),
    )


def batches(shape: Shape, h: Any, s: State, key: Array, part: Callable[[replays.Batch, Array, Array], Any]) -> Any:
    """What `part` makes of the blocks of one minibatch, summed and divided by its size.

    Args:
        shape: of the program.
        h: hyperparameters.
        s: the state.
        key: of the draw; the same key draws the same minibatch.
        part: of a block, its weights (n,) and a key.
    """

    def of_block(b: Array) -> Any:
        for_rows, for_part = jax.random.split(jax.random.fold_in(key, b))
        batch = replays.sample(h, s.replay, s.seen, s.scale, for_rows, BLOCK, shape.longest)
        weight = jnp.where(b * BLOCK + jnp.arange(BLOCK) < h["batch_size"], 1.0 / h["batch_size"], 0.0)
        return part(batch, weight, for_part)

    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(of_block, jnp.int32(0)))
    turns = most(-(-h["batch_size"] // BLOCK))
    return lax.fori_loop(0, turns, lambda b, total: jax.tree.map(jnp.add, total, of_block(b)), zeros)


def descended(grads: Any, params: Any, optimiser: Any, rate: Array, max_norm: Array | None = None) -> tuple[Any, Any]:
    """Parameters and optimiser after a step of Adam, as PyTorch's."""
    grads = grads if max_norm is None else clipped(grads, max_norm)
    steps, after = optax.scale_by_adam(eps=1e-8).update(grads, optimiser, params)
    return jax.tree.map(lambda p, u: p - rate * u, params, steps), after


def followed(targets: Any, params: Any, tau: Array, due: Array) -> Any:
    """Targets moved towards the parameters (Polyak averaging) where due."""
    return jax.tree.map(lambda t, p: jnp.where(due, (1 - tau) * t + tau * p, t), targets, params)
