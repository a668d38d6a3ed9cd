"""Proximal policy optimization.

`vf_coef` is searched around Stable-Baselines3's 0.5, which the zoo's sampler keeps; gSDE and the initial standard
deviation of continuous actions are left to the user, as in the zoo.

References:
    Schulman et al. Proximal policy optimization algorithms. 2017. arXiv:1707.06347
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _jax as jax
from hyperpilot.algorithms import _on_policy as on_policy
from hyperpilot.algorithms import _rllib as rllib
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm, OnRLlib

DEFAULTS = {**on_policy.DEFAULTS, **on_policy.CLIPPING_DEFAULTS, "n_steps": 2048, "batch_size": 64}

plugin = Algorithm(
    name="ppo",
    title="Proximal Policy Optimization",
    sb3_class="stable_baselines3.PPO",
    actions=on_policy.ACTIONS,
    needs_continuous=on_policy.NEEDS_CONTINUOUS,
    space={
        **on_policy.SPACE,
        **on_policy.LOSS_SPACE,
        **on_policy.MINIBATCH_SPACE,
        **on_policy.CLIPPING_SPACE,
        "clip_range_schedule": "constant|linear",
    },
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS),
    constraints=on_policy.MINIBATCH_CONSTRAINTS,
    rllib=OnRLlib("ray.rllib.algorithms.ppo.PPOConfig", rllib.ppo, rllib.WITHOUT_ON_POLICY),
    jax=jax.PPO,
)
