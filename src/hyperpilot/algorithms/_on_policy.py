"""What the algorithms share that learn from rollouts of their current policy.

The ranges follow the samplers of rl-baselines3-zoo (`rl_zoo3/hyperparams_opt.py`), with these differences. Discount
and lambda are ordered choices, more of them near 1, where the zoo samples one minus them on a log scale; the weight of
the entropy is one too, so that it can be 0, as in most tuned configurations. Single layers give way to a narrow pair.
The number of environments, observation and reward normalisation and the learning-rate schedule are searched as well:
Andrychowicz et al. found normalised observations, discount and learning rate to be among what matters most, Engstrom
et al. that annealing and reward scaling carry much of PPO's gain.

References:
    Andrychowicz et al. What matters in on-policy reinforcement learning? A large-scale empirical study. ICLR 2021.
    Engstrom et al. Implementation matters in deep policy gradients: a case study on PPO and TRPO. ICLR 2020.
    Raffin. RL Baselines3 Zoo. https://github.com/DLR-RM/rl-baselines3-zoo
"""

from __future__ import annotations

from hyperpilot.protocols import ActionKind
from hyperpilot.space.values import Config, Constraint, Value

ACTIONS: tuple[ActionKind, ...] = ("discrete", "continuous", "multi_discrete", "multi_binary")

SPACE = {
    "learning_rate": "1e-5..2e-3:log",
    "learning_rate_schedule": "constant|linear",
    "gamma": "0.9|0.95|0.98|0.99|0.995|0.999|0.9999",
    "gae_lambda": "0.8|0.9|0.92|0.95|0.98|0.99|1.0",
    "n_steps": "16..2048:pow2",
    "n_envs": "1..16:pow2",
    "net_arch": "32x32|64x64|128x128|256x256:ordered",
    "activation_fn": "tanh|relu",
    "normalize": "true|false",
}

LOSS_SPACE = {
    "ent_coef": "0.0|1e-5|1e-4|1e-3|0.003|0.01|0.03|0.1",
    "vf_coef": "0.2..1.0",
    "max_grad_norm": "0.3..2.0",
}
"""Weights of the loss and the clipping of its gradient, for those that minimise one sum of losses."""

MINIBATCH_SPACE = {
    # The zoo goes down to 4; below 32 the updates of twenty epochs take far longer than most environments.
    "batch_size": "32..1024:pow2",
}

CLIPPING_SPACE = {
    "clip_range": "0.1|0.2|0.3|0.4",
    "n_epochs": "1|3|5|10|20",
}

DEFAULTS: dict[str, Value] = {
    "learning_rate_schedule": "constant",
    "gamma": 0.99,
    "gae_lambda": 0.95,
    "n_envs": 1,
    "net_arch": "64x64",
    "activation_fn": "tanh",
    "normalize": False,
    "normalize_advantage": True,
    "ortho_init": True,
    "log_std_init": 0.0,
    "use_sde": False,
    "sde_sample_freq": -1,
}

CLIPPING_DEFAULTS: dict[str, Value] = {
    "learning_rate": 3e-4,
    "n_epochs": 10,
    "clip_range": 0.2,
    "clip_range_schedule": "constant",
    "clip_range_vf": "none",
    "target_kl": "none",
    "ent_coef": 0.0,
    "vf_coef": 0.5,
    "max_grad_norm": 0.5,
}

NEEDS_CONTINUOUS: dict[str, Value] = {"use_sde": False, "sde_sample_freq": -1, "log_std_init": 0.0}


def rollout(config: Config) -> float:
    """Environment steps between two updates."""
    return float(config["n_steps"]) * float(config["n_envs"])


CONSTRAINTS = (
    Constraint("n_steps * n_envs <= 65536", lambda config: rollout(config) <= 65536),
    Constraint(
        "n_steps * n_envs > 1 where normalize_advantage",
        lambda config: rollout(config) > 1 or not config["normalize_advantage"],
    ),
)

MINIBATCH_CONSTRAINTS = (
    *CONSTRAINTS,
    Constraint(
        "batch_size <= n_steps * n_envs, and divides it",
        lambda config: rollout(config) % float(config["batch_size"]) == 0,
    ),
    Constraint(
        "batch_size > 1 where normalize_advantage",
        lambda config: float(config["batch_size"]) > 1 or not config["normalize_advantage"],
    ),
)
