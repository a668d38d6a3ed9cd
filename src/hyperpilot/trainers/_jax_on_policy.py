"""PPO and A2C as one JAX program for configurations of any rollout, minibatch and number of epochs.

What differs between configurations is a number in the program, not a shape of it, so that few programs serve a whole search:
rollouts are written into rows that suffice for the longest, loops end where a configuration's own do, and gradients are summed
over blocks of rows until a minibatch is complete. Configurations side by side (`vmap` over `MEMBERS`) run the loops together;
whoever is done waits.

A2C is PPO whose minibatch is the rollout, seen once: there the ratio of probabilities is 1 and its gradient A2C's (Huang et al.
2022). Everything else follows Stable-Baselines3: advantages are normalised within a minibatch, the value's loss is halved by
`vf_coef` alone, what a time limit cuts off is bootstrapped, the learning rate and the clip range anneal over the horizon.

References:
    Schulman et al. Proximal policy optimization algorithms. 2017. arXiv:1707.06347
    Huang et al. A2C is a special case of PPO. 2022. arXiv:2205.09123
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax

from hyperpilot.trainers import _jax_episodes as episodes
from hyperpilot.trainers._jax_members import most
from hyperpilot.trainers._jax_moments import Moments
from hyperpilot.trainers._jax_networks import apply, clipped, init, where
from hyperpilot.trainers._jax_replay import look
from hyperpilot.trainers._jax_worlds import World

BLOCK = 64
_SORTED = 256, 2_048, 8_192


class Shape(NamedTuple):
    """What makes a program another one.

    Args:
        lanes: copies of the environment.
        rows: of a rollout, at most.
        widths: of the hidden layers.
        rms_prop: the optimiser: RMSprop or Adam, as in PyTorch.
        orthogonal: how the networks begin.
    """

    lanes: int
    rows: int
    widths: tuple[int, ...]
    rms_prop: bool
    orthogonal: bool


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
    losses: Array


class Rollout(NamedTuple):
    """(rows, ...) of each; row t * n_envs + e is step t of environment e."""

    observation: Array
    action: Array
    log_prob: Array
    value: Array
    reward: Array
    end: Array


LOSSES: tuple[str, ...] = ("policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl")


def optimiser(shape: Shape, h: Any) -> optax.GradientTransformation:
    if shape.rms_prop:
        return optax.scale_by_rms(0.99, h["optimiser_eps"], eps_in_sqrt=False)
    return optax.scale_by_adam(eps=h["optimiser_eps"])


def networks(world: World, shape: Shape, rng: np.random.Generator) -> Any:
    widths = (world.width, *shape.widths)
    return {
        "pi": init(rng, (*widths, world.actions), 0.01, shape.orthogonal),
        "vf": init(rng, (*widths, 1), 1.0, shape.orthogonal),
    }


def fresh(world: World, shape: Shape, h: Any, params: Any, begun: episodes.Begun) -> State:
    """A training before its first step; the networks are NumPy arrays."""
    if not world.discrete:
        params = {**params, "log_std": np.full(world.actions, h["log_std_init"], np.float32)}
    zeros: Any = np.zeros(shape.lanes, np.float32)
    none: Any = np.zeros(len(LOSSES), np.float32)
    begin: Any = np.int32(0)
    return State(
        params,
        optimiser(shape, h).init(params),
        begun.lanes,
        begun.seen,
        zeros,
        Moments.fresh(()),
        begun.key,
        begin,
        none,
    )


def greedy(world: World, h: Any, s: State, observation: Array) -> tuple[Array, Array]:
    """The deterministic policy's action (L, ...), and the entropy (L,) of the policy there."""
    out = apply(s.params["pi"], look(h, s.seen, observation), h["relu"])
    if world.discrete:
        return jnp.argmax(out, -1), _log_probs(world, s.params, out, jnp.argmax(out, -1))[1]
    return jnp.clip(out, world.low, world.high), _log_probs(world, s.params, out, out)[1]


def _log_probs(world: World, params: Any, out: Array, actions: Array) -> tuple[Array, Array]:
    """Of actions (n, ...), and the entropy (n,)."""
    if world.discrete:
        logs = jax.nn.log_softmax(out)
        # a sum in place of a gather, whose gradient is a slow scatter
        chosen = (logs * jax.nn.one_hot(actions, world.actions)).sum(-1)
        return chosen, -(jnp.exp(logs) * logs).sum(-1)
    log_std = params["log_std"]
    half_log = 0.5 * jnp.log(2 * jnp.pi)
    chosen = (-0.5 * ((actions - out) * jnp.exp(-log_std)) ** 2 - log_std - half_log).sum(-1)
    return chosen, jnp.broadcast_to((log_std + half_log + 0.5).sum(), chosen.shape)


def advance(world: World, shape: Shape, h: Any, s: State, todo: Array) -> State:
    """So many rollouts and their updates."""
    after: State = lax.fori_loop(0, most(todo), lambda i, s: _iteration(world, shape, h, s, i < todo), s)
    return after


def _iteration(world: World, shape: Shape, h: Any, s: State, on: Array) -> State:
    s, rollout = _collect(world, shape, h, s, on)
    with_advantages = _advantages(world, shape, h, s, rollout, on)
    return _update(world, shape, h, s, rollout, with_advantages, on)


def _collect(world: World, shape: Shape, h: Any, s: State, on: Array) -> tuple[State, Rollout]:
    lanes_on = jnp.arange(shape.lanes) < h["n_envs"]
    n = shape.rows
    empty = Rollout(
        jnp.zeros((n, world.width)),
        jnp.zeros(n, jnp.int32) if world.discrete else jnp.zeros((n, world.actions)),
        *(jnp.zeros(n) for _ in range(4)),
    )

    def body(t: Array, carry: tuple[State, Rollout]) -> tuple[State, Rollout]:
        s, rows = carry
        here = lanes_on & on & (t < h["n_steps"])
        key, for_action, for_world = jax.random.split(s.key, 3)
        x = look(h, s.seen, s.lanes.observation)
        out = apply(s.params["pi"], x, h["relu"])
        value = apply(s.params["vf"], x, h["relu"])[:, 0]
        if world.discrete:
            action = taken = jax.random.categorical(for_action, out)
        else:
            action = out + jnp.exp(s.params["log_std"]) * jax.random.normal(for_action, out.shape)
            taken = jnp.clip(action, world.low, world.high)
        log_prob, _ = _log_probs(world, s.params, out, action)
        lanes, step = episodes.step(world, s.lanes, taken, for_world, here)
        seen = s.seen.seen(lanes.observation, here)
        returns = jnp.where(here, s.returns * h["gamma"] + step.reward, s.returns)
        scale = s.scale.seen(returns, here)
        done = step.terminated | step.truncated
        reward = jnp.where(h["normalize"], scale.scaled(step.reward), step.reward)
        cut = step.truncated & here
        # An episode is seldom cut off, and then for everybody who is asked: no forward pass for nothing.
        beyond = lax.cond(
            most(cut.any()),
            lambda: apply(s.params["vf"], look(h, seen, step.last), h["relu"])[:, 0],
            lambda: jnp.zeros(shape.lanes),
        )
        reward = reward + jnp.where(cut, h["gamma"] * beyond, 0.0)
        at = jnp.where(here, t * h["n_envs"] + jnp.arange(shape.lanes), n)
        new = Rollout(x, action, log_prob, value, reward, done.astype(jnp.float32))
        rows = Rollout(*(old.at[at].set(each, mode="drop") for old, each in zip(rows, new, strict=True)))
        after = State(
            s.params,
            s.optimiser,
            lanes,
            seen,
            jnp.where(done, 0.0, returns),
            scale,
            key,
            s.steps + here.sum(),
            s.losses,
        )
        kept = where(on & (t < h["n_steps"]), (seen, scale, key), (s.seen, s.scale, s.key))
        return after._replace(seen=kept[0], scale=kept[1], key=kept[2]), rows

    turns = most(jnp.where(on, h["n_steps"], 0))
    collected: tuple[State, Rollout] = lax.fori_loop(0, turns, body, (s, empty))
    return collected


def _advantages(world: World, shape: Shape, h: Any, s: State, rows: Rollout, on: Array) -> tuple[Array, Array]:
    """(rows,) advantages by generalised estimation, and the returns that the value is to learn."""
    value = apply(s.params["vf"], look(h, s.seen, s.lanes.observation), h["relu"])[:, 0]

    def body(i: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        advantage, following, advantages = carry
        t = h["n_steps"] - 1 - i
        at = jnp.where(
            (t >= 0) & (jnp.arange(shape.lanes) < h["n_envs"]), t * h["n_envs"] + jnp.arange(shape.lanes), shape.rows
        )
        reward, value, end = (
            jnp.take(each, at, mode="fill", fill_value=0.0) for each in (rows.reward, rows.value, rows.end)
        )
        delta = reward + h["gamma"] * following * (1 - end) - value
        advantage = delta + h["gamma"] * h["gae_lambda"] * (1 - end) * advantage
        return advantage, value, advantages.at[at].set(advantage, mode="drop")

    turns = most(jnp.where(on, h["n_steps"], 0))
    _, _, advantages = lax.fori_loop(0, turns, body, (jnp.zeros(shape.lanes), value, jnp.zeros(shape.rows)))
    return advantages, advantages + rows.value


def _update(
    world: World, shape: Shape, h: Any, s: State, rows: Rollout, learnt: tuple[Array, Array], on: Array
) -> State:
    n = h["n_steps"] * h["n_envs"]
    size = jnp.minimum(h["batch_size"], n)
    parts = -(-size // BLOCK)
    batches = -(-n // size)
    left = jnp.maximum(0.0, 1.0 - s.steps / h["horizon"])  # of the horizon, as the schedules see it
    rate = h["learning_rate"] * jnp.where(h["learning_rate_linear"], left, 1.0)
    clip = h["clip_range"] * jnp.where(h["clip_range_linear"], left, 1.0)
    transform = optimiser(shape, h)
    advantages, targets = learnt
    # Ordering all rows where a rollout fills a few would take longer than the updates.
    sizes = [*(each for each in _SORTED if each < shape.rows), shape.rows]
    which = most(jnp.searchsorted(jnp.array(sizes), jnp.where(on, n, 0)))

    def loss(params: Any, at: Array, used: Array, count: Array, advantage: Array) -> tuple[Array, Array]:
        x = rows.observation[at]
        log_prob, entropy = _log_probs(world, params, apply(params["pi"], x, h["relu"]), rows.action[at])
        value = apply(params["vf"], x, h["relu"])[:, 0]
        ratio_log = jnp.where(used, log_prob - rows.log_prob[at], 0.0)
        ratio = jnp.exp(ratio_log)
        gain = jnp.minimum(advantage * ratio, advantage * jnp.clip(ratio, 1 - clip, 1 + clip))
        near = rows.value[at] + jnp.clip(value - rows.value[at], -h["clip_range_vf"], h["clip_range_vf"])
        parts = jnp.stack([-gain, (targets[at] - near) ** 2, -entropy, ratio - 1 - ratio_log])
        sums = jnp.where(used, parts, 0.0).sum(1) / count
        return sums[0] + h["vf_coef"] * sums[1] + h["ent_coef"] * sums[2], sums

    def step(params: Any, opt: Any, grads: Any) -> tuple[Any, Any]:
        steps, after = transform.update(clipped(grads, h["max_grad_norm"]), opt, params)
        return jax.tree.map(lambda p, u: p - rate * u, params, steps), after

    def block(b: Array, carry: tuple[Any, ...], order: Array, normal: Array, going: Array) -> tuple[Any, ...]:
        params, opt, grads, sums, last, stopped = carry
        batch, part = b // parts, b % parts
        within = part * BLOCK + jnp.arange(BLOCK)
        place = batch * size + within
        here = going & (b < batches * parts) & ~stopped
        used = (within < size) & (place < n) & here
        at = order[jnp.minimum(place, shape.rows - 1)]
        count = jnp.maximum(1.0, jnp.minimum(size, n - batch * size).astype(jnp.float32))
        new, more = jax.grad(loss, has_aux=True)(params, at, used, count, normal[jnp.minimum(place, shape.rows - 1)])
        grads = jax.tree.map(jnp.add, grads, new)
        sums = sums + more
        complete = here & (part == parts - 1)
        far = complete & (sums[3] > 1.5 * h["target_kl"])
        params, opt = lax.cond(complete & ~far, step, lambda params, opt, grads: (params, opt), params, opt, grads)
        last = jnp.where(complete, sums, last)
        grads, sums = where(complete, jax.tree.map(jnp.zeros_like, (grads, sums)), (grads, sums))
        return params, opt, grads, sums, last, stopped | far

    def epoch(e: Array, carry: tuple[Any, ...]) -> tuple[Any, ...]:
        key, *rest = carry
        going = on & (e < h["n_epochs"]) & ~rest[-1]
        new, for_order = jax.random.split(key)
        order, normal = lax.switch(which, [partial(_lot, h, n, size, advantages, rows) for rows in sizes], for_order)
        turns = most(jnp.where(going, batches * parts, 0))
        rest = lax.fori_loop(0, turns, lambda b, c: block(b, c, order, normal, going), tuple(rest))
        return jnp.where(going, new, key), *rest

    zeros = jax.tree.map(jnp.zeros_like, s.params)
    none = jnp.zeros(len(LOSSES))
    turns = most(jnp.where(on, h["n_epochs"], 0))
    begun = (s.key, s.params, s.optimiser, zeros, none, s.losses, jnp.bool_(False))
    key, params, opt, _, _, losses, _ = lax.fori_loop(0, turns, epoch, begun)
    return s._replace(params=params, optimiser=opt, key=key, losses=losses)


def _lot(h: Any, n: Array, size: Array, advantages: Array, rows: int, key: Array) -> tuple[Array, Array]:
    """An order (all rows) of the first n rows, which are among the first `rows`, and the advantages in that order."""
    row = jnp.arange(rows)
    lot = jnp.where(row < n, jax.random.uniform(key, (rows,)), 2.0)
    order = jnp.where(h["shuffle"], jnp.argsort(lot), row)
    normal = _normalised(advantages[order], row // size, row < n, h["normalize_advantage"])
    rest = advantages.shape[0] - rows
    return jnp.pad(order, (0, rest)), jnp.pad(normal, (0, rest))


def _normalised(x: Array, group: Array, real: Array, wanted: Array) -> Array:
    """(rows,) advantages less the mean of their minibatch, over its standard deviation."""
    zeros = jnp.zeros_like(x)
    weight = real.astype(x.dtype)
    count = zeros.at[group].add(weight)
    mean = (zeros.at[group].add(x * weight) / jnp.maximum(count, 1))[group]
    spread = (zeros.at[group].add((x - mean) ** 2 * weight) / jnp.maximum(count - 1, 1))[group]
    return jnp.where(wanted & (count[group] > 1), (x - mean) / (jnp.sqrt(spread) + 1e-8), x)
