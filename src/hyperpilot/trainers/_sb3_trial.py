"""Puts a trained agent to the test: drawn actions, disturbed observations or actions, other environments.

References:
    Machado, Bellemare, Talvitie, Veness, Hausknecht, Bowling: Revisiting the Arcade Learning Environment. JAIR 61 (2018):
    sticky actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import StickyAction
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.vec_env import VecNormalize, VecTransposeImage

from hyperpilot.environments import EnvSpec, alike, make
from hyperpilot.errors import UnsupportedEnvironment
from hyperpilot.records import RunId
from hyperpilot.trainers._run_folder import RunFolder
from hyperpilot.trainers._sb3_checkpoint import load_agent
from hyperpilot.trainers._sb3_evaluate import Played, acting, play
from hyperpilot.trainers._sb3_random import set_aside

_FIRST_SEED = 30_000_000
"""Seed of the first episode; far from those of trainings, evaluations and tests."""

_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Condition:
    """How an agent is put to the test.

    Args:
        name: how people call it.
        spec: the environment.
        deterministic: whether it takes the likeliest action instead of drawing one.
        noise: standard deviation of what is added to its observations, in their own units.
        sticky: probability that the environment repeats the last action instead.
        start: what the environment's `reset` is told: in some, where episodes start.
    """

    name: str
    spec: EnvSpec
    deterministic: bool = True
    noise: float = 0.0
    sticky: float = 0.0
    start: Mapping[str, Any] = field(default_factory=dict)


def played_under(condition: Condition, model: BaseAlgorithm, normalize: VecNormalize | None, episodes: int) -> Played:
    """So many episodes of an agent under a condition, the same ones for every agent.

    Raises:
        EnvironmentUnavailable: the environment cannot be made.
        UnsupportedEnvironment: its spaces are not the agent's, or its observations take no noise.
    """
    envs: list[gymnasium.Env[Any, Any]] = []
    parts: list[Played] = []
    try:
        for _ in range(min(episodes, _AT_ONCE)):
            envs.append(_disturbed(make(condition.spec), condition))
        _check_spaces(envs[0], model, condition.spec)
        act = acting(model, normalize, condition.deterministic)
        with set_aside(_FIRST_SEED):
            for first in range(0, episodes, _AT_ONCE):
                some = envs[: episodes - first]
                parts.append(play(some, _FIRST_SEED + first, act, lambda: None, options=condition.start))
    finally:
        for env in envs:
            env.close()  # type: ignore[no-untyped-call]
    return Played(
        np.concatenate([part.returns for part in parts]),
        np.concatenate([part.lengths for part in parts]),
        tuple(success for part in parts for success in part.successes),
        sum(part.cut_off for part in parts),
    )


def returns_in(study: Path, run: RunId, step: int, spec: EnvSpec, episodes: int) -> float:
    """Mean return of the agent that a run of a study had at a step, in another environment.

    Raises:
        MissingCheckpoint: nothing was saved there.
        EnvironmentUnavailable: the environment cannot be made.
        UnsupportedEnvironment: its spaces are not the agent's.
    """
    model, normalize = load_agent(RunFolder.of(study, run).at(step).folder)
    return played_under(Condition(spec.id, spec), model, normalize, episodes).score


class _Noisy(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Adds normal noise to observations made of numbers; whole numbers are rounded and stay within their bounds."""

    def __init__(self, env: gymnasium.Env[Any, Any], sigma: float) -> None:
        super().__init__(env)
        self._sigma, self._rng = sigma, np.random.default_rng(0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._rng = np.random.default_rng(seed)
        return super().reset(seed=seed, **({"options": options} if options else {}))

    def observation(self, observation: Any) -> Any:
        return self._blurred(self.observation_space, observation)

    def _blurred(self, space: spaces.Space[Any], value: Any) -> Any:
        if isinstance(space, spaces.Dict):
            return {key: self._blurred(part, value[key]) for key, part in space.spaces.items()}
        if not isinstance(space, spaces.Box):
            return value
        seen: NDArray[Any] = np.asarray(value) + self._rng.normal(scale=self._sigma, size=space.shape)
        if np.issubdtype(space.dtype, np.integer):
            seen = np.clip(np.rint(seen), space.low, space.high)
        return seen.astype(space.dtype)


def _disturbed(env: gymnasium.Env[Any, Any], condition: Condition) -> gymnasium.Env[Any, Any]:
    if condition.sticky:
        env = StickyAction(env, condition.sticky)
    if not condition.noise:
        return env
    space = env.observation_space
    parts = space.spaces.values() if isinstance(space, spaces.Dict) else [space]
    if not any(isinstance(part, spaces.Box) for part in parts):
        what = f"the observations of {condition.spec.id} are {space}, to which no noise can be added"
        raise UnsupportedEnvironment(what, "Leave --noise out.")
    return _Noisy(env, condition.noise)


def _check_spaces(env: gymnasium.Env[Any, Any], model: BaseAlgorithm, spec: EnvSpec) -> None:
    seen = env.observation_space
    if is_image_space(seen) and not alike(seen, model.observation_space):
        seen = VecTransposeImage.transpose_space(seen)  # type: ignore[arg-type]
    for what, theirs, own, fits in (
        ("observations", seen, model.observation_space, alike(seen, model.observation_space)),
        ("actions", env.action_space, model.action_space, env.action_space == model.action_space),
    ):
        if not fits:
            fault = f"the agent's {what} are {own}, those of {spec.id} are {theirs}"
            raise UnsupportedEnvironment(fault, "Name an environment with the spaces that it was trained in.")
