"""Plays evaluation episodes with the deterministic policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from hyperpilot.environments import EnvSpec, make
from hyperpilot.trainers._sb3_random import set_aside

LONGEST_EPISODE = 100_000
"""Where an evaluation episode is cut off that does not end."""

Observation = Any
Act = Callable[[Observation, Any, NDArray[np.bool_]], tuple[NDArray[Any], Any]]


class Evaluation:
    """Environments of its own, one an episode, that are used for every evaluation.

    Args:
        spec: the environment.
        episodes: how many episodes are played.
        seed: of the first episode; the others have the following ones.
    """

    def __init__(self, spec: EnvSpec, episodes: int, seed: int) -> None:
        self._seed = seed
        self._envs = [make(spec) for _ in range(episodes)]

    def score(
        self, model: BaseAlgorithm, normalize: VecNormalize | None, tick: Callable[[], None]
    ) -> tuple[float, dict[str, float]]:
        """Mean return, and what else was measured. Nothing that training depends on is touched.

        Args:
            model: whose policy plays.
            normalize: whose statistics the observations are normalised with.
            tick: called at every step of every environment.
        """

        def act(observation: Observation, state: Any, starts: NDArray[np.bool_]) -> tuple[NDArray[Any], Any]:
            if normalize is not None:
                observation = normalize.normalize_obs(observation)
            return model.policy.predict(observation, state, starts, deterministic=True)

        with set_aside(self._seed):
            return play(self._envs, self._seed, act, tick)

    def close(self) -> None:
        for env in self._envs:
            env.close()  # type: ignore[no-untyped-call]


def play(
    envs: Sequence[gymnasium.Env[Any, Any]],
    seed: int,
    act: Act,
    tick: Callable[[], None],
    longest: int = LONGEST_EPISODE,
) -> tuple[float, dict[str, float]]:
    """Mean return over one episode in each environment, and further metrics.

    Only environments whose episode goes on are stepped, in one batch, so that a long episode costs no more than itself.
    """
    observations = [env.reset(seed=seed + i)[0] for i, env in enumerate(envs)]
    returns, lengths = np.zeros(len(envs)), np.zeros(len(envs), dtype=int)
    successes: list[float] = []
    active = list(range(len(envs)))
    state, starts = None, np.ones(len(envs), dtype=bool)
    while active and lengths.max() < longest:
        actions, state = act(_stacked(envs[0].observation_space, [observations[i] for i in active]), state, starts)
        going_on = np.ones(len(active), dtype=bool)
        for row, i in enumerate(active):
            observations[i], reward, terminated, truncated, info = envs[i].step(actions[row])
            returns[i] += float(reward)
            lengths[i] += 1
            tick()
            if terminated or truncated:
                going_on[row] = False
                successes += [float(info["is_success"])] if "is_success" in info else []
        active = [i for i, more in zip(active, going_on, strict=True) if more]
        state = None if state is None else tuple(part[:, going_on] for part in state)
        starts = np.zeros(len(active), dtype=bool)
    metrics = {"return_std": float(returns.std()), "episode_length": float(lengths.mean())}
    if successes:
        metrics["success_rate"] = float(np.sum(successes) / len(envs))
    if active:
        metrics["cut_off_episodes"] = float(len(active))
    return float(returns.mean()), metrics


def _stacked(space: gymnasium.Space[Any], observations: list[Observation]) -> Observation:
    """The observations as one, in the types of their space: what a vectorised environment would give."""
    if isinstance(space, spaces.Dict):
        return {key: _stacked(part, [each[key] for each in observations]) for key, part in space.spaces.items()}
    return np.stack([np.asarray(each, dtype=space.dtype) for each in observations])
