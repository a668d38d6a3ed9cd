"""Builds Stable-Baselines3's models and training environments from configurations."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

import gymnasium
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.noise import ActionNoise, NormalActionNoise, OrnsteinUhlenbeckActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.type_aliases import TrainFreq, TrainFrequencyUnit
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn
from torch import nn

from hyperpilot.environments import EnvSpec, make
from hyperpilot.protocols import Algorithm
from hyperpilot.space import Config
from hyperpilot.trainers._sb3_explore import Visits

Gate = Callable[[BaseAlgorithm], None]


def class_of(algorithm: Algorithm) -> type[BaseAlgorithm]:
    """The class that trains an algorithm."""
    module, _, name = algorithm.sb3_class.rpartition(".")
    cls: type[BaseAlgorithm] = getattr(import_module(module), name)
    return cls


class EpisodeEnvs(DummyVecEnv):
    """Environments that keep the summaries of episodes that ended until somebody takes them, and what states there were.

    The monitor's own file would do the same, but an environment that holds an open file cannot be pickled.
    """

    def __init__(self, envs: Sequence[gymnasium.Env[Any, Any]]) -> None:
        self.ended: list[dict[str, float]] = []
        super().__init__([lambda env=env: env for env in envs])  # type: ignore[misc]
        self.visits = Visits(self.observation_space)

    def step_wait(self) -> VecEnvStepReturn:
        result = super().step_wait()
        self.visits.note(result[0])
        self.ended += [info["episode"] for info in result[3] if "episode" in info]
        return result


def training_envs(spec: EnvSpec, n: int) -> list[gymnasium.Env[Any, Any]]:
    """New environments to train on, each summing up its episodes."""
    return [Monitor(make(spec)) for _ in range(n)]


def vectorised(envs: Sequence[gymnasium.Env[Any, Any]], config: Config) -> VecEnv:
    """The environments as one, normalised where the configuration says so; images are left as they are."""
    # Images are transposed below the normalisation: above it, replay buffers would be handed the untransposed ones.
    stacked = BaseAlgorithm._wrap_env(EpisodeEnvs(envs), monitor_wrapper=False)
    if not config.get("normalize", False):
        return stacked
    space, keys = stacked.observation_space, None
    norm_obs = isinstance(space, spaces.Box) and not is_image_space(space)
    if isinstance(space, spaces.Dict):
        keys = [key for key, part in space.items() if isinstance(part, spaces.Box) and not is_image_space(part)]
        norm_obs = bool(keys)
    gamma = float(config.get("gamma", 0.99))
    return VecNormalize(stacked, norm_obs=norm_obs, norm_obs_keys=keys, gamma=gamma)


def build(
    algorithm: Algorithm,
    config: Config,
    env: VecEnv,
    seed: int,
    device: str,
    gate: Gate,
    log_interval: int | None = None,
) -> BaseAlgorithm:
    """An untrained model. `gate` is called with it before each of its rollouts, and leaves `learn` by raising."""
    cls = class_of(algorithm)
    kwargs = {name: _resolved(value) for name, value in algorithm.sb3(config).items()}
    policy = _policy(str(kwargs.pop("policy", "MlpPolicy")), env.observation_space)
    policy_kwargs = dict(kwargs.pop("policy_kwargs", {}))
    if isinstance(policy_kwargs.get("activation_fn"), str):
        policy_kwargs["activation_fn"] = getattr(nn, policy_kwargs["activation_fn"])
    if isinstance(kwargs.get("action_noise"), Mapping):
        kwargs["action_noise"] = _noise(kwargs["action_noise"], env.action_space)
    if isinstance(kwargs.get("train_freq"), list):
        kwargs["train_freq"] = tuple(kwargs["train_freq"])
    paused = cast(Callable[..., BaseAlgorithm], pausable(cls, gate, log_interval))
    return paused(policy, env, policy_kwargs=policy_kwargs, seed=seed, device=device, **kwargs)


def pausable(cls: type[BaseAlgorithm], gate: Gate, log_interval: int | None = None) -> type[BaseAlgorithm]:
    """The class with a gate before each rollout, and with a `learn` that can be entered again where it was left.

    Nothing is added to the instances: what `save` writes is the plain class's.
    """
    rollout = "collect_rollouts" if hasattr(cls, "collect_rollouts") else "_do_one_update"
    every = log_interval or inspect.signature(cls.learn).parameters["log_interval"].default

    def gated(self: BaseAlgorithm, *args: Any, **kwargs: Any) -> Any:
        gate(self)
        return getattr(cls, rollout)(self, *args, **kwargs)

    def setup_learn(self: BaseAlgorithm, *args: Any, **kwargs: Any) -> Any:
        noise = copy.deepcopy(self.action_noise) if self.num_timesteps else None
        result = cls._setup_learn(self, *args, **kwargs)
        if noise is not None:  # it was reset, but the episode goes on
            self.action_noise = noise
        return result

    def update_progress(self: BaseAlgorithm, num_timesteps: int, total_timesteps: int) -> None:
        # ARS passes what is left instead of the total
        cls._update_current_progress_remaining(self, num_timesteps, self._total_timesteps)

    def dump_logs(self: BaseAlgorithm, iteration: int = 0) -> None:
        # `learn` counts its iterations from where it was entered
        iteration = self.num_timesteps // max(1, rollout_size(self))
        if iteration % every == 0:
            cast(Any, cls).dump_logs(self, iteration)

    methods: dict[str, Any] = {
        rollout: gated,
        "_setup_learn": setup_learn,
        "_update_current_progress_remaining": update_progress,
    }
    if issubclass(cls, OnPolicyAlgorithm):
        methods["dump_logs"] = dump_logs
    return type(cls.__name__, (cls,), methods)


def rollout_size(model: BaseAlgorithm) -> int:
    """Environment steps of the next rollout; 0 where it ends with an episode, hence nobody knows."""
    if isinstance(model, OnPolicyAlgorithm):
        return model.n_steps * model.n_envs
    freq = model.train_freq if isinstance(model, OffPolicyAlgorithm) else None
    if isinstance(freq, TrainFreq) and freq.unit == TrainFrequencyUnit.STEP:
        return freq.frequency * model.n_envs
    return 0


def _resolved(value: Any) -> Any:
    """A schedule that is Stable-Baselines3's own, so that a saved model refers to nothing of ours."""
    if isinstance(value, Mapping) and value.keys() == {"linear"}:
        return LinearSchedule(float(value["linear"]), 0.0, 1.0)
    return value


def _policy(policy: str, space: gymnasium.Space[Any]) -> str:
    if isinstance(space, spaces.Dict):
        return policy.replace("MlpLstm", "MultiInputLstm").replace("MlpPolicy", "MultiInputPolicy")
    if is_image_space(space):
        return policy.replace("MlpLstm", "CnnLstm").replace("MlpPolicy", "CnnPolicy")
    return policy


def _noise(noise: Mapping[str, Any], space: gymnasium.Space[Any]) -> ActionNoise:
    assert space.shape is not None
    mean, sigma = np.zeros(space.shape), np.full(space.shape, float(noise["std"]))
    if noise["type"] == "normal":
        return NormalActionNoise(mean, sigma)
    return OrnsteinUhlenbeckActionNoise(mean, sigma)
