"""Augmented random search: no gradients, only returns of policies near the current one.

One update takes `2 * n_delta` episodes, so `n_delta` ends at 32, half of the zoo's. The learning rate is searched
around the paper's 0.01 to 0.03 and the zoo's tuned 0.018, above the range of the zoo's sampler.
`alive_bonus_offset` is left to the user: -1 mends Hopper and Walker, and takes all reward from CartPole. Stable-
Baselines3 names no default policy; ours is the paper's, a linear one, and `net_arch` brings in layers.

References:
    Mania, Guy, Recht. Simple random search provides a competitive approach to reinforcement learning. NeurIPS 2018.
"""

from __future__ import annotations

from typing import Any

from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm
from hyperpilot.space.values import Config, Constraint, Value

DEFAULTS: dict[str, Value] = {
    "learning_rate": 0.02,
    "learning_rate_schedule": "constant",
    "delta_std": 0.05,
    "delta_std_schedule": "constant",
    "n_delta": 8,
    "n_top": "none",
    "zero_policy": True,
    "alive_bonus_offset": 0.0,
    "n_eval_episodes": 1,
    "net_arch": "linear",
    "activation_fn": "relu",
    "n_envs": 1,
    "normalize": False,
}


def sb3(config: Config) -> dict[str, Any]:
    """Keyword arguments of the class: the linear policy where there are no layers."""
    kwargs = keywords(DEFAULTS, config)
    if not kwargs["policy_kwargs"]["net_arch"]:
        kwargs |= {"policy": "LinearPolicy", "policy_kwargs": {}}
    return kwargs


plugin = Algorithm(
    name="ars",
    title="Augmented Random Search",
    sb3_class="sb3_contrib.ARS",
    actions=("discrete", "continuous"),
    space={
        "learning_rate": "1e-3..0.1:log",
        "learning_rate_schedule": "constant|linear",
        "delta_std": "0.01..0.3:log",
        "delta_std_schedule": "constant|linear",
        "n_delta": "2..32:pow2",
        "n_top": "1|2|4|8|16|32|none:ordered",
        "zero_policy": "true|false",
        "net_arch": "linear|16x16|64x64:ordered",
        "activation_fn": "tanh|relu",
        "normalize": "true|false",
    },
    defaults=DEFAULTS,
    sb3=sb3,
    conditions={"activation_fn": ("net_arch", ("16x16", "64x64"))},
    constraints=(
        Constraint(
            "n_top <= n_delta",
            lambda config: config["n_top"] == "none" or float(config["n_top"]) <= float(config["n_delta"]),
        ),
    ),
)
