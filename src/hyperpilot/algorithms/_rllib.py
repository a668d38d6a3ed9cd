"""From a configuration to the settings of RLlib's configuration classes, as plain data.

Names of hyperparameters are Stable-Baselines3's. What RLlib has under another name is renamed, what it has not is neither
searched nor accepted, and what it adds of its own accord (a loss for the divergence, clipped value losses, dueling networks,
prioritised replay) is switched off where Stable-Baselines3 does without, so that both train the same algorithm.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hyperpilot.algorithms._part import without
from hyperpilot.algorithms._sb3 import widths
from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Algorithm
from hyperpilot.space.values import Config

Settings = dict[str, dict[str, Any]]

_COMMON = ("normalize", "use_sde", "sde_sample_freq", "log_std_init")

WITHOUT_ON_POLICY = (
    *_COMMON,
    *("clip_range_schedule", "clip_range_vf", "target_kl", "normalize_advantage", "ortho_init"),
)
WITHOUT_OFF_POLICY = _COMMON
WITHOUT_SAC = (
    *_COMMON,
    *(
        "use_sde_at_warmup",
        "n_critics",
        "noise_type",
        "noise_std",
        "ent_coef",
        "target_entropy",
        "target_update_interval",
    ),
)


def as_rllib(algorithm: Algorithm) -> Algorithm:
    """The algorithm with what RLlib has of it.

    Raises:
        InvalidStudy: RLlib does not train it here.
    """
    if algorithm.rllib is None:
        what = f"algorithm: RLlib does not train {algorithm.name} here"
        raise InvalidStudy(what, "It trains ppo, dqn, sac, appo and impala; leave --trainer out for the others.")
    part = without(algorithm, algorithm.rllib.without)
    # RLlib always normalises advantages, and knows no noise that depends on the state
    rules = tuple(rule for rule in part.constraints if "normalize_advantage" not in rule.text)
    return replace(part, actions=algorithm.rllib.actions, sb3_class="", constraints=rules, needs_continuous={})


def ppo(config: Config, horizon: int) -> Settings:
    """Settings of `PPOConfig`."""
    training = {
        **_on_policy(config, horizon),
        "lambda_": float(config["gae_lambda"]),
        "clip_param": float(config["clip_range"]),
        "train_batch_size_per_learner": int(config["n_steps"]) * int(config["n_envs"]),
        "minibatch_size": int(config["batch_size"]),
        "num_epochs": int(config["n_epochs"]),
        "use_kl_loss": False,
        "vf_clip_param": float("inf"),
    }
    return {"training": training, "env_runners": _rollouts(config), "model": _model(config)}


def impala(config: Config, horizon: int) -> Settings:
    """Settings of `IMPALAConfig`."""
    training = {**_on_policy(config, horizon), "train_batch_size_per_learner": int(config["batch_size"])}
    return {"training": training, "env_runners": _rollouts(config), "model": _model(config)}


def appo(config: Config, horizon: int) -> Settings:
    """Settings of `APPOConfig`."""
    found = impala(config, horizon)
    found["training"] |= {
        "lambda_": float(config["gae_lambda"]),
        "clip_param": float(config["clip_range"]),
        "tau": float(config["tau"]),
        "target_network_update_freq": int(config["target_update_interval"]),
        "circular_buffer_iterations_per_batch": int(config["n_epochs"]),
    }
    return found


def dqn(config: Config, horizon: int) -> Settings:
    """Settings of `DQNConfig`."""
    start, end = float(config["exploration_initial_eps"]), float(config["exploration_final_eps"])
    reached = max(1, round(float(config["exploration_fraction"]) * horizon))
    training = {
        **_off_policy(config),
        "lr": _annealed(config, "learning_rate", horizon),
        "grad_clip": float(config["max_grad_norm"]),
        "grad_clip_by": "global_norm",
        "target_network_update_freq": int(config["target_update_interval"]),
        "epsilon": [[0, start], [reached, end]],
        "double_q": False,
        "dueling": False,
    }
    return {"training": training, "env_runners": _collected(config), "model": _model(config)}


def sac(config: Config, horizon: int) -> Settings:
    """Settings of `SACConfig`: one learning rate for actor, critics and the weight of the entropy."""
    rates = dict.fromkeys(("actor_lr", "critic_lr", "alpha_lr"), _annealed(config, "learning_rate", horizon))
    training = {**_off_policy(config), **rates}
    model = _model(config)
    # RLlib keeps the last layer for the heads.
    model["head_fcnet_hiddens"], model["head_fcnet_activation"] = model["fcnet_hiddens"][-1:], model["fcnet_activation"]
    return {"training": training, "env_runners": _collected(config), "model": model}


def _on_policy(config: Config, horizon: int) -> dict[str, Any]:
    return {
        "lr": _annealed(config, "learning_rate", horizon),
        "gamma": float(config["gamma"]),
        "entropy_coeff": float(config["ent_coef"]),
        "vf_loss_coeff": float(config["vf_coef"]),
        "grad_clip": float(config["max_grad_norm"]),
        "grad_clip_by": "global_norm",
    }


def _off_policy(config: Config) -> dict[str, Any]:
    length, envs = _length(config), int(config["n_envs"])
    collected = int(config["train_freq"]) * envs
    updates = collected if config["gradient_steps"] == -1 else int(config["gradient_steps"])
    batch = int(config["batch_size"])
    return {
        "gamma": float(config["gamma"]),
        "tau": float(config["tau"]),
        "n_step": int(config["n_steps"]),
        "train_batch_size_per_learner": batch,
        # How many steps are learned from for each that is taken; updates are whole, so that it is met in rounds.
        "training_intensity": max(1, round(updates * length / int(config["train_freq"]))) * batch / (length * envs),
        "num_steps_sampled_before_learning_starts": int(config["learning_starts"]),
        "replay_buffer_config": {"type": "EpisodeReplayBuffer", "capacity": int(config["buffer_size"])},
        "store_buffer_in_checkpoints": False,
    }


def _collected(config: Config) -> dict[str, Any]:
    return {"num_envs_per_env_runner": int(config["n_envs"]), "rollout_fragment_length": _length(config)}


def _length(config: Config) -> int:
    """Steps of each environment between updates: no fewer than a return takes, which RLlib wants."""
    return max(int(config["train_freq"]), int(config["n_steps"]))


def _rollouts(config: Config) -> dict[str, Any]:
    return {"num_envs_per_env_runner": int(config["n_envs"]), "rollout_fragment_length": int(config["n_steps"])}


def _model(config: Config) -> dict[str, Any]:
    return {
        "fcnet_hiddens": widths("net_arch", config["net_arch"]),
        "fcnet_activation": str(config["activation_fn"]),
        "head_fcnet_hiddens": [],
        "vf_share_layers": False,
    }


def _annealed(config: Config, name: str, horizon: int) -> Any:
    """A number, or a schedule of RLlib's that ends at zero with the horizon."""
    start = float(config[name])
    return [[0, start], [horizon, 0.0]] if config[f"{name}_schedule"] == "linear" else start
