"""Advantage actor-critic, the synchronous form of A3C.

Updates once a rollout, so short rollouts are worth trying: 5 is Stable-Baselines3's default. gSDE is searched, on
which the zoo's tuned configurations for continuous control rely.

References:
    Mnih et al. Asynchronous methods for deep reinforcement learning. ICML 2016.
    Raffin, Kober, Stulp. Smooth exploration for robotic reinforcement learning. CoRL 2021. (gSDE)
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _jax as jax
from hyperpilot.algorithms import _on_policy as on_policy
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm

DEFAULTS = {
    **on_policy.DEFAULTS,
    "learning_rate": 7e-4,
    "n_steps": 5,
    "gae_lambda": 1.0,
    "ent_coef": 0.0,
    "vf_coef": 0.5,
    "max_grad_norm": 0.5,
    "normalize_advantage": False,
    "use_rms_prop": True,
    "rms_prop_eps": 1e-5,
}

plugin = Algorithm(
    name="a2c",
    title="Advantage Actor-Critic",
    sb3_class="stable_baselines3.A2C",
    actions=on_policy.ACTIONS,
    needs_continuous=on_policy.NEEDS_CONTINUOUS,
    space={
        **on_policy.SPACE,
        **on_policy.LOSS_SPACE,
        "n_steps": "5|8|16|32|64|128|256|512",
        "use_sde": "true|false",
        "sde_sample_freq": "4|16|64|-1:ordered",  # -1: once a rollout
    },
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS),
    conditions={"sde_sample_freq": ("use_sde", (True,))},
    constraints=on_policy.CONSTRAINTS,
    jax=jax.A2C,
)
