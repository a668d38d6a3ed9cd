"""What the algorithms share that learn from rollouts of a policy that lags behind, corrected by V-trace.

Ranges are those of the on-policy algorithms; defaults are RLlib's.

References:
    Espeholt et al. IMPALA: Scalable distributed deep-RL with importance weighted actor-learner architectures. ICML 2018.
"""

from __future__ import annotations

from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import ActionKind
from hyperpilot.space.values import Config, Constraint, Value

ACTIONS: tuple[ActionKind, ...] = ("discrete", "continuous")

SPACE = {
    "learning_rate": "1e-5..5e-3:log",
    "learning_rate_schedule": "constant|linear",
    "gamma": "0.9|0.95|0.98|0.99|0.995|0.999|0.9999",
    "n_steps": "16..128:pow2",
    "n_envs": "1..16:pow2",
    "batch_size": "128..2048:pow2",
    "net_arch": "32x32|64x64|128x128|256x256:ordered",
    "activation_fn": "tanh|relu",
    "ent_coef": "0.0|1e-4|1e-3|0.003|0.01|0.03",
    "vf_coef": "0.2..1.0",
    "max_grad_norm": "0.3..40.0:log",
}

DEFAULTS: dict[str, Value] = {
    "learning_rate": 5e-4,
    "learning_rate_schedule": "constant",
    "gamma": 0.99,
    "n_steps": 50,
    "n_envs": 1,
    "batch_size": 500,
    "net_arch": "256x256",
    "activation_fn": "tanh",
    "ent_coef": 0.01,
    "vf_coef": 0.5,
    "max_grad_norm": 40.0,
}

CONSTRAINTS = (
    Constraint(
        "batch_size is a multiple of n_steps",
        lambda config: float(config["batch_size"]) % float(config["n_steps"]) == 0,
    ),
)


def no_sb3(config: Config) -> dict[str, object]:
    """Says that Stable-Baselines3 has no such algorithm."""
    raise InvalidStudy("Stable-Baselines3 has no such algorithm", "Add --trainer rllib.")
