"""From a configuration to a JAX program: what shapes it, and the numbers that it is given. Plain data; nothing imports JAX.

Names of hyperparameters and their meanings are Stable-Baselines3's; only noise that depends on the state is not there. Sizes are
rounded up to few ones, so that few programs are compiled: what is beyond a configuration's own stays unused.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from hyperpilot.algorithms._part import without
from hyperpilot.algorithms._sb3 import widths
from hyperpilot.errors import InvalidConfiguration, InvalidStudy
from hyperpilot.protocols import Algorithm, OnJax
from hyperpilot.space.values import Config, Value

Settings = tuple[dict[str, Any], dict[str, float | int | bool]]

_LANES = 1, 16, 64, 256, 1_024
_ROLLOUT = 32_768, 262_144
_REPLAY = 16_384, 131_072, 1_048_576, 8_388_608
_RETURNS = 1, 5, 16

_SDE = ("use_sde", "sde_sample_freq")
_NOISE = ("noise_type", "noise_std")


def as_jax(algorithm: Algorithm) -> Algorithm:
    """The algorithm with what the JAX trainer has of it.

    Raises:
        InvalidStudy: it does not train it.
    """
    if algorithm.jax is None:
        what = f"algorithm: the JAX trainer has no {algorithm.name}"
        raise InvalidStudy(what, "It has ppo, a2c, dqn and sac; leave --trainer out for the others.")
    return replace(without(algorithm, algorithm.jax.without), actions=algorithm.jax.actions)


def ppo(config: Config, horizon: int) -> Settings:
    """Of PPO."""
    shape, numbers = _on_policy(config, horizon)
    return {**shape, "rms_prop": False}, {
        **numbers,
        "optimiser_eps": 1e-5,
        "batch_size": int(config["batch_size"]),
        "n_epochs": int(config["n_epochs"]),
        "shuffle": True,
        "clip_range": float(config["clip_range"]),
        "clip_range_linear": config["clip_range_schedule"] == "linear",
        "clip_range_vf": _unless_none(config["clip_range_vf"]),
        "target_kl": _unless_none(config["target_kl"]),
    }


def a2c(config: Config, horizon: int) -> Settings:
    """Of A2C: one look at the whole rollout, in order, and nothing is clipped."""
    shape, numbers = _on_policy(config, horizon)
    return {**shape, "rms_prop": bool(config["use_rms_prop"])}, {
        **numbers,
        "optimiser_eps": float(config["rms_prop_eps"]),
        "batch_size": int(config["n_steps"]) * int(config["n_envs"]),
        "n_epochs": 1,
        "shuffle": False,
        "clip_range": math.inf,
        "clip_range_linear": False,
        "clip_range_vf": math.inf,
        "target_kl": math.inf,
    }


def dqn(config: Config, horizon: int) -> Settings:
    """Of DQN."""
    shape, numbers = _off_policy(config, horizon)
    names = ("exploration_fraction", "exploration_initial_eps", "exploration_final_eps", "max_grad_norm")
    return {**shape, "critics": 1}, {**numbers, **{name: float(config[name]) for name in names}}


def sac(config: Config, horizon: int) -> Settings:
    """Of SAC; a target entropy that is not a number is the program's to choose."""
    shape, numbers = _off_policy(config, horizon)
    weight, target = str(config["ent_coef"]), config["target_entropy"]
    return {**shape, "critics": int(config["n_critics"])}, {
        **numbers,
        "ent_coef": float(weight.removeprefix("auto").removeprefix("_") or 1.0),
        "ent_coef_auto": weight.startswith("auto"),
        "target_entropy": math.nan if target == "auto" else float(target),
    }


def _common(config: Config, horizon: int) -> dict[str, float | int | bool]:
    if config["activation_fn"] not in ("tanh", "relu"):
        what = f"activation_fn={config['activation_fn']!r} is not there in JAX"
        raise InvalidConfiguration(what, "Use tanh or relu.")
    return {
        "learning_rate": float(config["learning_rate"]),
        "learning_rate_linear": config["learning_rate_schedule"] == "linear",
        "gamma": float(config["gamma"]),
        "n_envs": int(config["n_envs"]),
        "relu": config["activation_fn"] == "relu",
        "normalize": bool(config["normalize"]),
        "horizon": float(horizon),
    }


def _on_policy(config: Config, horizon: int) -> Settings:
    n_envs, n_steps = int(config["n_envs"]), int(config["n_steps"])
    shape = {
        "lanes": _least("n_envs", n_envs, _LANES),
        "rows": _least("n_steps * n_envs", n_steps * n_envs, _ROLLOUT),
        "widths": tuple(widths("net_arch", config["net_arch"])),
        "orthogonal": bool(config["ortho_init"]),
    }
    return shape, {
        **_common(config, horizon),
        "n_steps": n_steps,
        **{
            name: float(config[name]) for name in ("gae_lambda", "ent_coef", "vf_coef", "max_grad_norm", "log_std_init")
        },
        "normalize_advantage": bool(config["normalize_advantage"]),
    }


def _off_policy(config: Config, horizon: int) -> Settings:
    n_envs, train_freq, steps = (int(config[name]) for name in ("n_envs", "train_freq", "n_steps"))
    capacity = max(1, int(config["buffer_size"]) // n_envs)
    used = min(capacity, -(-horizon // n_envs) + train_freq)
    shape = {
        "lanes": n_envs,
        "rows": _least("buffer_size", used, _REPLAY),
        "widths": tuple(widths("net_arch", config["net_arch"])),
        "longest": _least("n_steps", steps, _RETURNS),
    }
    return shape, {
        **_common(config, horizon),
        "capacity": capacity,
        "return_steps": steps,
        "tau": float(config["tau"]),
        **{
            name: int(config[name])
            for name in ("batch_size", "train_freq", "gradient_steps", "learning_starts", "target_update_interval")
        },
    }


def _least(name: str, needed: int, sizes: tuple[int, ...]) -> int:
    """The least size that suffices."""
    found = next((size for size in sizes if size >= needed), None)
    if found is None:
        raise InvalidConfiguration(f"{name}: {needed} is too large", f"The JAX trainer goes up to {sizes[-1]}.")
    return found


def _unless_none(value: Value) -> float:
    return math.inf if value == "none" else float(value)


PPO = OnJax("on_policy", ppo, _SDE)
A2C = OnJax("on_policy", a2c, _SDE)
DQN = OnJax("dqn", dqn, actions=("discrete",))
SAC = OnJax("sac", sac, (*_SDE, *_NOISE, "use_sde_at_warmup", "log_std_init"), ("continuous",))
