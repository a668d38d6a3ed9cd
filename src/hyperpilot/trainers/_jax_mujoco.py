"""Gymnasium's MuJoCo environments as JAX programs: Gymnasium's models, moved by MJX, MuJoCo in JAX.

What MJX does not say, rewards, ends and observations, is here as Gymnasium's documentation of version 5 has it. Ant and Humanoid
observe contact forces, Pusher has not been checked: they are not here.

References:
    https://gymnasium.farama.org/environments/mujoco; https://mujoco.readthedocs.io/en/stable/mjx.html
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
from jax import Array

from hyperpilot.environments import EnvSpec
from hyperpilot.trainers._jax_worlds import World

with redirect_stdout(io.StringIO()):  # it says so where the other engine is not installed, which nobody asked for
    from mujoco import mjx


class State(NamedTuple):
    """What the next step depends on.

    Args:
        qpos: positions.
        qvel: velocities.
        warm: accelerations, from which the solver starts.
        steps: of the episode so far.
    """

    qpos: Array
    qvel: Array
    warm: Array
    steps: Array


@dataclass(frozen=True)
class Task:
    """What Gymnasium makes of a model.

    Args:
        observe: simulation -> observation.
        reward: simulation, action, speed forwards, whether it goes on -> reward.
        alive: simulation -> whether the episode goes on.
        noise: of the first positions and velocities.
        normal: whether that of velocities is normal rather than uniform.
        begin: key, positions, velocities -> those that an episode begins with, after the noise.
    """

    observe: Callable[[Any], Array]
    reward: Callable[[Any, Array, Array, Array], Array]
    alive: Callable[[Any], Array] = lambda d: jnp.bool_(True)
    noise: tuple[float, float] = (0.1, 0.1)
    normal: bool = False
    begin: Callable[[Array, Array, Array], tuple[Array, Array]] = lambda key, qpos, qvel: (qpos, qvel)


def mujoco_world(spec: EnvSpec) -> World:
    """The environment of a name that `TASKS` has."""
    known: Any = gymnasium.make(spec.id, **spec.kwargs)
    env = known.unwrapped
    task, skip, seconds, longest = TASKS[spec.id], env.frame_skip, env.dt, known.spec.max_episode_steps
    width = int(known.observation_space.shape[0])
    low, high = jnp.asarray(env.action_space.low), jnp.asarray(env.action_space.high)
    at_rest = jnp.asarray(env.init_qpos, jnp.float32), jnp.asarray(env.init_qvel, jnp.float32)
    model, blank = mjx.put_model(env.model, impl="jax"), mjx.make_data(env.model, impl="jax")
    known.close()

    def reset(key: Array) -> tuple[Array, State]:
        first, second, third = jax.random.split(key, 3)
        spread = jax.random.normal if task.normal else partial(jax.random.uniform, minval=-1.0, maxval=1.0)
        qpos = at_rest[0] + task.noise[0] * jax.random.uniform(first, at_rest[0].shape, minval=-1.0, maxval=1.0)
        qvel = at_rest[1] + task.noise[1] * spread(second, at_rest[1].shape)
        qpos, qvel = task.begin(third, qpos, qvel)
        begun = mjx.forward(model, blank.replace(qpos=qpos, qvel=qvel))
        return task.observe(begun), State(qpos, qvel, begun.qacc_warmstart, jnp.int32(0))

    def step(key: Array, state: State, action: Array) -> tuple[Array, State, Array, Array, Array]:
        pushed = blank.replace(qpos=state.qpos, qvel=state.qvel, qacc_warmstart=state.warm, ctrl=action)
        d = jax.lax.fori_loop(0, skip, lambda _, d: mjx.step(model, d), pushed)
        alive, steps = task.alive(d), state.steps + 1
        reward = task.reward(d, action, (d.qpos[0] - state.qpos[0]) / seconds, alive)
        after = State(d.qpos, d.qvel, d.qacc_warmstart, steps)
        return task.observe(d), after, jnp.float32(reward), ~alive, alive & (steps >= longest)

    return World(reset, step, width, len(low), False, low, high, longest)


def _walker(d: Any) -> Array:
    """All but how far it has come; velocities at most ten."""
    return jnp.concatenate([d.qpos[1:], jnp.clip(d.qvel, -10, 10)])


def _forwards(cost: float, healthy: float, d: Any, action: Array, speed: Array, alive: Array) -> Array:
    return speed + healthy * alive - cost * jnp.sum(action**2)


def _hopper_stands(d: Any) -> Array:
    height, angle, others = d.qpos[1], d.qpos[2], jnp.concatenate([d.qpos[2:], d.qvel])
    stands: Array = (height > 0.7) & (jnp.abs(angle) < 0.2) & jnp.all(jnp.abs(others) < 100)
    return stands


def _walker_stands(d: Any) -> Array:
    height, angle = d.qpos[1], d.qpos[2]
    stands: Array = (height > 0.8) & (height < 2.0) & (jnp.abs(angle) < 1.0)
    return stands


def _pendulum_stands(d: Any) -> Array:
    return jnp.all(jnp.isfinite(d.qpos)) & jnp.all(jnp.isfinite(d.qvel)) & (jnp.abs(d.qpos[1]) <= 0.2)


def _double_pendulum(d: Any) -> Array:
    clipped = jnp.clip(d.qvel, -10, 10), jnp.clip(d.qfrc_constraint, -10, 10)[:1]
    return jnp.concatenate([d.qpos[:1], jnp.sin(d.qpos[1:]), jnp.cos(d.qpos[1:]), *clipped])


def _upright(d: Any, action: Array, speed: Array, alive: Array) -> Array:
    """Ten a step, less for a tip that is not above the cart and for turning."""
    x, _, y = d.site_xpos[0]
    off, turning = 0.01 * x**2 + (y - 2) ** 2, 1e-3 * d.qvel[1] ** 2 + 5e-3 * d.qvel[2] ** 2
    reward: Array = 10.0 * alive - off - turning
    return reward


_FINGERTIP, _TARGET = 3, 4
"""Bodies of the reacher, in the order of its model."""


def _to_target(d: Any) -> Array:
    way: Array = d.xpos[_FINGERTIP] - d.xpos[_TARGET]
    return way


def _reacher(d: Any) -> Array:
    angles = d.qpos[:2]
    return jnp.concatenate([jnp.cos(angles), jnp.sin(angles), d.qpos[2:], d.qvel[:2], _to_target(d)[:2]])


def _target(key: Array, qpos: Array, qvel: Array) -> tuple[Array, Array]:
    """A target anywhere in a disk of .2 around the arm's joint, at rest."""
    radius, angle = jax.random.uniform(key, (2,))
    place = 0.2 * jnp.sqrt(radius) * jnp.array([jnp.cos(2 * jnp.pi * angle), jnp.sin(2 * jnp.pi * angle)])
    return qpos.at[-2:].set(place), qvel.at[-2:].set(0.0)


TASKS: dict[str, Task] = {
    "InvertedPendulum-v5": Task(
        lambda d: jnp.concatenate([d.qpos, d.qvel]),
        lambda d, action, speed, alive: alive.astype(jnp.float32),
        _pendulum_stands,
        (0.01, 0.01),
    ),
    "InvertedDoublePendulum-v5": Task(_double_pendulum, _upright, lambda d: d.site_xpos[0, 2] > 1, normal=True),
    "Reacher-v5": Task(
        _reacher,
        lambda d, action, speed, alive: -jnp.linalg.norm(_to_target(d)) - jnp.sum(action**2),
        noise=(0.1, 0.005),
        begin=_target,
    ),
    "Swimmer-v5": Task(lambda d: jnp.concatenate([d.qpos[2:], d.qvel]), partial(_forwards, 1e-4, 0.0)),
    "HalfCheetah-v5": Task(lambda d: jnp.concatenate([d.qpos[1:], d.qvel]), partial(_forwards, 0.1, 0.0), normal=True),
    "Hopper-v5": Task(_walker, partial(_forwards, 1e-3, 1.0), _hopper_stands, (5e-3, 5e-3)),
    "Walker2d-v5": Task(_walker, partial(_forwards, 1e-3, 1.0), _walker_stands, (5e-3, 5e-3)),
}
