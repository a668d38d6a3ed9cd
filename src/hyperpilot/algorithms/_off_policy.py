"""What the algorithms share that learn from a replay buffer.

The ranges follow the samplers of rl-baselines3-zoo (`rl_zoo3/hyperparams_opt.py`), with these differences.
`train_freq` and `gradient_steps` together never ask for more updates than environment steps: -1 is one update a
step, 1 is one update every `train_freq` steps, so no draw updates more often than Stable-Baselines3's own SAC.
Buffer and warm-up are searched, as the zoo's tuned configurations vary them widely. The activation function stays
at ReLU, as in the zoo.

References:
    Raffin. RL Baselines3 Zoo. https://github.com/DLR-RM/rl-baselines3-zoo
    Raffin, Kober, Stulp. Smooth exploration for robotic reinforcement learning. CoRL 2021. (gSDE)
"""

from __future__ import annotations

from hyperpilot.space.values import Constraint, Value

SPACE = {
    "learning_rate": "1e-5..2e-3:log",
    "learning_rate_schedule": "constant|linear",
    "gamma": "0.9|0.95|0.98|0.99|0.995|0.999|0.9999",
    "batch_size": "32..512:pow2",
    "buffer_size": "10000|50000|100000|300000|1000000",
    "learning_starts": "100..10000:log",
    "train_freq": "1|4|16|64",
    "gradient_steps": "1|-1:ordered",
    "net_arch": "64x64|128x128|256x256|400x300:ordered",
}

TARGET_SPACE = {"tau": "0.001..0.08:log"}

NOISE_SPACE = {
    "noise_type": "none|normal|ornstein-uhlenbeck",
    "noise_std": "0.05..0.5",
}
NOISE_CONDITIONS: dict[str, tuple[str, tuple[Value, ...]]] = {
    "noise_std": ("noise_type", ("normal", "ornstein-uhlenbeck")),
}

# `sde_sample_freq` is not searched: off-policy, the noise is drawn anew every `train_freq` steps at the latest.
SDE_SPACE = {
    "use_sde": "true|false",
    "log_std_init": "-4.0..0.0",
}
SDE_CONDITIONS: dict[str, tuple[str, tuple[Value, ...]]] = {"log_std_init": ("use_sde", (True,))}

DEFAULTS: dict[str, Value] = {
    "learning_rate_schedule": "constant",
    "gamma": 0.99,
    "buffer_size": 1_000_000,
    "learning_starts": 100,
    "gradient_steps": 1,
    "n_steps": 1,
    "activation_fn": "relu",
    "n_envs": 1,
    "normalize": False,
}

CONTINUOUS_DEFAULTS: dict[str, Value] = {
    **DEFAULTS,
    "batch_size": 256,
    "train_freq": 1,
    "n_critics": 2,
    "noise_type": "none",
    "noise_std": 0.1,
}

DETERMINISTIC_DEFAULTS: dict[str, Value] = {
    **CONTINUOUS_DEFAULTS,
    "learning_rate": 1e-3,
    "tau": 0.005,
    "net_arch": "400x300",
}
"""Of those whose policy names one action, and explores by the noise on it: DDPG and its descendants."""

ENTROPY_DEFAULTS: dict[str, Value] = {
    **CONTINUOUS_DEFAULTS,
    "net_arch": "256x256",
    "ent_coef": "auto",
    "target_entropy": "auto",
    "use_sde": False,
    "sde_sample_freq": -1,
    "use_sde_at_warmup": False,
    "log_std_init": -3.0,
}
"""Of those that maximise entropy along with the return: SAC and its descendants."""

CONSTRAINTS = (
    Constraint("batch_size <= buffer_size", lambda config: float(config["batch_size"]) <= float(config["buffer_size"])),
    Constraint(
        "learning_starts < buffer_size", lambda config: float(config["learning_starts"]) < float(config["buffer_size"])
    ),
    Constraint(
        "train_freq * n_envs <= buffer_size",
        lambda config: float(config["train_freq"]) * float(config["n_envs"]) <= float(config["buffer_size"]),
    ),
)
