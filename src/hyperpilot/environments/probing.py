"""What an environment is like, from a short walk with random actions.

Nothing is learnt here, and nothing of an environment's source is known: what is seen is how long episodes are, how rewards are
spread, what random behaviour is worth, how much of the state space it meets, and how smoothly states follow each other.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from hyperpilot.environments.describing import traits
from hyperpilot.environments.making import make
from hyperpilot.environments.spec import EnvSpec

Array = NDArray[np.float64]

_BITS = 12
"""Random projections whose signs make the code of a state."""

_STATES = 2_000
"""States that are kept for what is asked of pairs of them."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a walk has shown.

    Args:
        actions, observation: the kinds of the spaces.
        action_size: number of actions, or of their dimensions.
        observation_size: numbers in an observation.
        limit: steps after which an episode is cut off; None where there is no limit.
        length: mean steps of an episode; that of the walk where none has ended.
        cut: share of the episodes that were cut off.
        reward_scale: mean size of the rewards that are not 0; 0 without any.
        reward_share: share of the steps whose reward differs from the most frequent one: 0 is as sparse as can be.
        reward_negative: share of the steps with a reward below 0.
        returns: 10%, 50% and 90% quantiles of the random policy's returns.
        coverage: different states for each step, by a hash of 12 random projections.
        smoothness: from 0, where a step leads anywhere, to 1, where it leads next door.
        steps: that were walked.
    """

    actions: str
    observation: str
    action_size: int
    observation_size: int
    limit: int | None
    length: float
    cut: float
    reward_scale: float
    reward_share: float
    reward_negative: float
    returns: tuple[float, float, float]
    coverage: float
    smoothness: float
    steps: int

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "returns": list(self.returns)}


def probe(spec: EnvSpec, steps: int = 5_000, seconds: float = 60.0, seed: int = 0) -> Fingerprint:
    """The fingerprint of an environment, from so many steps with random actions, or as many as fit into a time.

    Raises:
        EnvironmentUnavailable: it cannot be made.
        UnsupportedEnvironment: no algorithm could serve its spaces.
    """
    kinds, env = traits(spec), make(spec)
    try:
        walk = _walk(env, steps, seconds, seed)
        limit = env.spec.max_episode_steps if env.spec else None
        states, rewards = np.array(walk.states), np.array(walk.rewards)
        low, middle, high = np.quantile(walk.returns or [float(rewards.sum())], [0.1, 0.5, 0.9])
        values, counts = np.unique(np.round(rewards, 6), return_counts=True)
        apart = np.abs(rewards[rewards != 0])
        return Fingerprint(
            actions=kinds.actions,
            observation=kinds.observation,
            action_size=_size(env.action_space, actions=True),
            observation_size=states.shape[1],
            limit=limit,
            length=float(np.mean(walk.lengths)) if walk.lengths else float(len(rewards)),
            cut=walk.cut / max(1, len(walk.lengths)),
            reward_scale=float(apart.mean()) if len(apart) else 0.0,
            reward_share=float(1 - counts.max() / len(rewards)),
            reward_negative=float((rewards < 0).mean()),
            returns=(float(low), float(middle), float(high)),
            coverage=_coverage(states, seed),
            smoothness=_smoothness(states, np.array(walk.starts)),
            steps=len(rewards),
        )
    finally:
        env.close()  # type: ignore[no-untyped-call]


@dataclass
class _Walk:
    """What was seen: states and rewards step by step, and what is known of the episodes that ended."""

    states: list[Array]
    rewards: list[float]
    starts: list[bool]
    returns: list[float]
    lengths: list[int]
    cut: int = 0


def _walk(env: gymnasium.Env[Any, Any], steps: int, seconds: float, seed: int) -> _Walk:
    walk, ends = _Walk([], [], [], [], []), time.monotonic() + seconds
    env.action_space.seed(seed)
    env.reset(seed=seed)
    total, length = 0.0, 0
    for _ in range(steps):
        observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        walk.states.append(_flat(env.observation_space, observation))
        walk.rewards.append(float(reward))
        walk.starts.append(length == 0)
        total, length = total + float(reward), length + 1
        if terminated or truncated:
            walk.returns.append(total)
            walk.lengths.append(length)
            walk.cut += bool(truncated and not terminated)
            total, length = 0.0, 0
            env.reset()
        if time.monotonic() > ends:
            break
    return walk


def _flat(space: gymnasium.Space[Any], observation: Any) -> Array:
    """An observation as numbers; of an image every eighth pixel of each row and column."""
    if isinstance(space, spaces.Box) and len(space.shape) == 3:
        observation = np.asarray(observation)[::8, ::8]
        return np.asarray(observation, dtype=float).ravel()
    return np.asarray(spaces.flatten(space, observation), dtype=float).ravel()


def _size(space: gymnasium.Space[Any], actions: bool) -> int:
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.MultiDiscrete):
        return int(space.nvec.sum())
    return int(np.prod(space.shape or (1,)))


def _coverage(states: Array, seed: int) -> float:
    """Different codes for each state, out of as many as there can be."""
    spread = states.std(axis=0)
    standard = (states - states.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    signs = standard @ np.random.default_rng(seed).standard_normal((states.shape[1], _BITS)) > 0
    codes = len(np.unique(signs @ (1 << np.arange(_BITS))))
    return codes / min(len(states), 1 << _BITS)


def _smoothness(states: Array, starts: NDArray[np.bool_]) -> float:
    """1 less the size of a step, as a share of the distance of two random states."""
    few = states[:_STATES]
    spread = few.std(axis=0)
    standard = few / np.where(spread > 1e-9, spread, 1.0)
    steps = np.linalg.norm(np.diff(standard, axis=0), axis=1)[~starts[1 : len(few)]]
    apart = np.linalg.norm(standard - standard[np.random.default_rng(0).permutation(len(few))], axis=1)
    if not len(steps) or apart.mean() < 1e-9:
        return 0.0
    return float(np.clip(1 - np.median(steps) / apart.mean(), 0.0, 1.0))


def distance(one: Fingerprint, other: Fingerprint) -> dict[str, float]:
    """How far apart two environments are, by what they are compared in; each part is between 0 and about 2."""
    return {
        "actions": float(one.actions != other.actions) + _ratio(one.action_size, other.action_size, 0.3),
        "observations": float(one.observation != other.observation)
        + _ratio(one.observation_size, other.observation_size, 0.2),
        "horizon": _ratio(one.length, other.length, 0.3) + _ratio(one.limit or 1e4, other.limit or 1e4, 0.2),
        "endings": abs(one.cut - other.cut),
        "rewards": _ratio(one.reward_scale, other.reward_scale, 0.2)
        + abs(one.reward_share - other.reward_share)
        + abs(one.reward_negative - other.reward_negative) / 2,
        "returns": abs(_shape(one) - _shape(other)),
        "coverage": _ratio(one.coverage, other.coverage, 0.3),
        "smoothness": 2 * abs(one.smoothness - other.smoothness),
    }


def _shape(of: Fingerprint) -> float:
    """How much random returns vary, beside how large they are: 0 where all are equal, up to 1."""
    low, middle, high = of.returns
    return (high - low) / (high - low + abs(middle) + 1e-9)


def _ratio(a: float, b: float, weight: float) -> float:
    """A difference on a log scale: weight for a factor of e, at most 1."""
    if a <= 0 or b <= 0:
        return float(a != b)
    return min(1.0, weight * abs(math.log(a / b)))
