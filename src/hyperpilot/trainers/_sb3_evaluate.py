"""Plays evaluation episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from hyperpilot.environments import EnvSpec, make
from hyperpilot.records.returns import spread
from hyperpilot.trainers._sb3_explore import Trace
from hyperpilot.trainers._sb3_random import set_aside

LONGEST_EPISODE = 100_000
"""Where an evaluation episode is cut off that does not end."""

Observation = Any
Act = Callable[[Observation, Any, NDArray[np.bool_]], tuple[NDArray[Any], Any]]


@dataclass(frozen=True, slots=True)
class Played:
    """One episode of each environment.

    Args:
        returns: (n,) of the episodes.
        lengths: (n,) their steps.
        successes: what those said that said whether they succeeded; 1 for yes.
        cut_off: how many did not end.
    """

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    successes: tuple[float, ...]
    cut_off: int

    @property
    def score(self) -> float:
        """Mean return."""
        return float(self.returns.mean())

    @property
    def metrics(self) -> dict[str, float]:
        """What else was measured."""
        found = {**spread(self.returns), "episode_length": float(self.lengths.mean())}
        if self.successes:
            found["success_rate"] = float(np.sum(self.successes) / len(self.returns))
        if self.cut_off:
            found["cut_off_episodes"] = float(self.cut_off)
        return found


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
        """Mean return of the deterministic policy, and what else was measured. Nothing that training depends on is touched.

        Args:
            model: whose policy plays.
            normalize: whose statistics the observations are normalised with.
            tick: called at every step of every environment.
        """
        trace = Trace()
        with set_aside(self._seed):
            played = play(self._envs, self._seed, acting(model, normalize, trace=trace), tick)
            return played.score, {**played.metrics, **trace.metrics(model)}

    def close(self) -> None:
        for env in self._envs:
            env.close()  # type: ignore[no-untyped-call]


def acting(
    model: BaseAlgorithm, normalize: VecNormalize | None, deterministic: bool = True, trace: Trace | None = None
) -> Act:
    """What a model's policy does; a trace takes note of it."""

    def act(observation: Observation, state: Any, starts: NDArray[np.bool_]) -> tuple[NDArray[Any], Any]:
        if normalize is not None:
            observation = normalize.normalize_obs(observation)
        actions, after = model.policy.predict(observation, state, starts, deterministic=deterministic)
        if trace is not None:
            trace.note(observation, state, starts, actions)
        return actions, after

    return act


def play(
    envs: Sequence[gymnasium.Env[Any, Any]],
    seed: int,
    act: Act,
    tick: Callable[[], None],
    longest: int = LONGEST_EPISODE,
    options: Mapping[str, Any] | None = None,
) -> Played:
    """One episode in each environment. `options`: what their `reset` is given, where they take any.

    Only environments whose episode goes on are stepped, in one batch, so that a long episode costs no more than itself.
    """
    given: dict[str, Any] = {"options": dict(options)} if options else {}
    observations = [env.reset(seed=seed + i, **given)[0] for i, env in enumerate(envs)]
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
    return Played(returns, lengths, tuple(successes), len(active))


def _stacked(space: gymnasium.Space[Any], observations: list[Observation]) -> Observation:
    """The observations as one, in the types of their space: what a vectorised environment would give."""
    if isinstance(space, spaces.Dict):
        return {key: _stacked(part, [each[key] for each in observations]) for key, part in space.spaces.items()}
    return np.stack([np.asarray(each, dtype=space.dtype) for each in observations])
