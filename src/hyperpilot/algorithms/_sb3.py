"""From a configuration to the keyword arguments of a Stable-Baselines3 class, as plain data."""

from __future__ import annotations

from typing import Any

from hyperpilot.errors import InvalidConfiguration
from hyperpilot.space.values import Config, Value

_TRAINER = ("n_envs", "normalize")
"""What the trainer takes straight from the configuration: it builds the environments."""

_POLICY = (
    "activation_fn",
    "ortho_init",
    "log_std_init",
    "n_critics",
    "n_quantiles",
    "batch_norm_momentum",
    "renorm_warmup_steps",
    "lstm_hidden_size",
    "n_lstm_layers",
    "shared_lstm",
    "enable_critic_lstm",
)
"""What Stable-Baselines3 wants in `policy_kwargs` rather than beside it."""

_ACTIVATIONS = {"tanh": "Tanh", "relu": "ReLU", "elu": "ELU", "leaky_relu": "LeakyReLU"}
"""Classes of `torch.nn`."""

_SCHEDULE = "_schedule"
_NOISES = ("normal", "ornstein-uhlenbeck")


def keywords(defaults: Config, config: Config, *, policy: str = "MlpPolicy") -> dict[str, Any]:
    """Keyword arguments of the class, but for the environment, the seed, the device and the logging.

    A schedule is `{"linear": start}`, a constant a plain number; `action_noise` is None or its type and its standard
    deviation; layers are lists of widths; classes are named. Every other name of the configuration is passed on as
    it is.

    Args:
        defaults: every hyperparameter that the algorithm knows.
        config: the values that differ from them.
        policy: name of the policy among the class's aliases.

    Raises:
        InvalidConfiguration: a name that the algorithm does not know, or a value that cannot be translated.
    """
    unknown = sorted(config.keys() - defaults.keys())
    if unknown:
        raise InvalidConfiguration(f"unknown hyperparameter {unknown[0]!r}", f"Known: {', '.join(sorted(defaults))}.")
    values = {**defaults, **config}
    policy_kwargs = _layers(values) | {name: values.pop(name) for name in _POLICY if name in values}
    if "activation_fn" in policy_kwargs:
        policy_kwargs["activation_fn"] = _activation(policy_kwargs["activation_fn"])
    translated = _schedules(values) | _noise(values)
    rest = {name: _optional(value) for name, value in values.items() if name not in _TRAINER}
    return {"policy": policy, "policy_kwargs": policy_kwargs} | rest | translated


def _activation(value: Value) -> str:
    if value not in _ACTIVATIONS:
        raise InvalidConfiguration(f"unknown activation_fn {value!r}", f"Known: {', '.join(_ACTIVATIONS)}.")
    return _ACTIVATIONS[str(value)]


def _layers(values: dict[str, Value]) -> dict[str, Any]:
    actor = widths("net_arch", values.pop("net_arch"))
    if "critic_net_arch" not in values:
        return {"net_arch": actor}
    return {"net_arch": {"pi": actor, "qf": widths("critic_net_arch", values.pop("critic_net_arch"))}}


def widths(name: str, value: Value) -> list[int]:
    words = [] if value == "linear" else str(value).split("x")
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise InvalidConfiguration(
            f"{name}={value!r} names no layers", "Write their widths as 64x64, or linear for none."
        )
    return [int(word) for word in words]


def _schedules(values: dict[str, Value]) -> dict[str, Any]:
    """Takes out each schedule together with the number that it anneals."""
    found: dict[str, Any] = {}
    for schedule in [name for name in values if name.endswith(_SCHEDULE)]:
        name, shape = schedule.removesuffix(_SCHEDULE), values.pop(schedule)
        start = float(values.pop(name))
        if shape not in ("constant", "linear"):
            raise InvalidConfiguration(f"{schedule}={shape!r} is no schedule", "Known: constant, linear.")
        found[name] = {"linear": start} if shape == "linear" else start
    return found


def _noise(values: dict[str, Value]) -> dict[str, Any]:
    if "noise_type" not in values:
        return {}
    kind, std = values.pop("noise_type"), float(values.pop("noise_std"))
    if kind == "none":
        return {"action_noise": None}
    if kind not in _NOISES:
        raise InvalidConfiguration(f"noise_type={kind!r} is no action noise", f"Known: none, {', '.join(_NOISES)}.")
    return {"action_noise": {"type": kind, "std": std}}


def _optional(value: Value) -> Value | None:
    """The value, or None where the configuration says `none`: a configuration holds no None."""
    return None if value == "none" else value
