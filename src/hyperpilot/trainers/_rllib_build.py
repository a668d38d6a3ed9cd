"""Builds RLlib's algorithms from configurations, and plays with their modules. New API stack throughout."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gymnasium
import numpy as np
import ray
import torch
from gymnasium import spaces
from gymnasium.wrappers import FlattenObservation
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.utils.spaces.space_utils import unsquash_action
from ray.tune.registry import register_env
from stable_baselines3.common.preprocessing import is_image_space

from hyperpilot.environments import EnvSpec, make
from hyperpilot.errors import UnsupportedEnvironment
from hyperpilot.protocols import Algorithm
from hyperpilot.space import Config
from hyperpilot.trainers._sb3_evaluate import Act

_STORE_BYTES = 80 * 2**20


def start_ray() -> None:
    """RLlib cannot do without Ray, also where everything happens in one process: a small one of this process's own."""
    if not ray.is_initialized():
        ray.init(
            address="local",
            num_cpus=1,
            include_dashboard=False,
            object_store_memory=_STORE_BYTES,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )


def flat(spec: EnvSpec) -> gymnasium.Env[Any, Any]:
    """The environment with observations that are vectors.

    Raises:
        UnsupportedEnvironment: they are images.
    """
    env = make(spec)
    space = env.observation_space
    if is_image_space(space):
        raise UnsupportedEnvironment(f"{spec.id} shows images, which are not trained on with RLlib here", "Use sb3.")
    plain = isinstance(space, spaces.Box) and len(space.shape) == 1
    return env if plain else FlattenObservation(env)


def build(algorithm: Algorithm, config: Config, spec: EnvSpec, horizon: int, seed: int, device: str) -> Any:
    """An untrained `ray.rllib.algorithms.Algorithm`, whose rollouts and updates happen in this process.

    Every `train()` of it is one rollout and the updates that follow.
    """
    assert algorithm.rllib is not None
    start_ray()
    register_env("hyperpilot", lambda context: flat(spec))
    module, _, name = algorithm.rllib.config.rpartition(".")
    settings = algorithm.rllib.settings(config, horizon)
    built: Any = getattr(import_module(module), name)()
    if name == "SACConfig":
        built.lr = None
    built.environment("hyperpilot", disable_env_checking=True)
    built.env_runners(num_env_runners=0, create_local_env_runner=True, **settings["env_runners"])
    built.learners(num_learners=0, num_gpus_per_learner=int(device.startswith("cuda")))
    built.training(**settings["training"])
    built.rl_module(model_config=settings["model"])
    built.reporting(min_time_s_per_iteration=0, min_sample_timesteps_per_iteration=0)
    built.debugging(seed=seed, log_level="ERROR")
    return built.build_algo()


def learner_of(algo: Any) -> Any:
    """The learner, which is in this process."""
    return algo.learner_group._learner


def module_of(algo: Any) -> Any:
    """The newest policy: what acts while training may lag behind."""
    return learner_of(algo).module[DEFAULT_MODULE_ID]


def deterministic(module: Any, space: gymnasium.Space[Any], noted: Callable[[Any, Any], None]) -> Act:
    """What a policy does where it does not draw. `noted` is shown observations and the actions' distribution."""
    kind = module.get_inference_action_dist_cls()
    device = next(module.parameters()).device

    def act(observation: Any, state: Any, starts: Any) -> tuple[Any, Any]:
        with torch.no_grad():
            seen = torch.as_tensor(np.asarray(observation, dtype=np.float32), device=device)
            out = module.forward_inference({"obs": seen})
            if "action_dist_inputs" in out:
                distribution = kind.from_logits(out["action_dist_inputs"])
                noted(seen, distribution)
                out = {"actions": distribution.to_deterministic().sample()}
        actions = out["actions"].cpu().numpy()
        if isinstance(space, spaces.Box):  # policies act between -1 and 1
            actions = unsquash_action(actions, space)  # type: ignore[no-untyped-call]
        return actions, None

    return act


def save_module(algo: Any, path: Path) -> None:
    """Writes the policy as RLlib saves modules, in one archive."""
    with TemporaryDirectory() as scratch:
        module_of(algo).save_to_path(scratch)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(Path(scratch).rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(scratch))


def set_hyperparameters_again(algo: Any, steps: int) -> None:
    """Puts the learning rates and schedules of its configuration into a learner whose state was restored.

    Restored optimisers bring the learning rates that they were saved with (Ray issue 62173); those of the configuration
    would come back after the next update at the earliest.
    """
    learner = learner_of(algo)
    for optimizer, schedule in learner._optimizer_lr_schedules.items():
        rate = schedule.update(timestep=steps)
        learner._set_optimizer_lr(optimizer, lr=float(rate))
    for schedule in getattr(learner, "entropy_coeff_schedulers_per_module", {}).values():
        schedule.update(timestep=steps)
