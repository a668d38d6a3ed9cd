"""Soft actor-critic.

The weight of the entropy is learned (`ent_coef=auto`), hence not searched.

References:
    Haarnoja et al. Soft actor-critic algorithms and applications. 2018. arXiv:1812.05905
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _jax as jax
from hyperpilot.algorithms import _off_policy as off_policy
from hyperpilot.algorithms import _rllib as rllib
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm, OnRLlib

DEFAULTS = {**off_policy.ENTROPY_DEFAULTS, "learning_rate": 3e-4, "tau": 0.005, "target_update_interval": 1}

plugin = Algorithm(
    name="sac",
    title="Soft Actor-Critic",
    sb3_class="stable_baselines3.SAC",
    actions=("continuous",),
    space={**off_policy.SPACE, **off_policy.TARGET_SPACE, **off_policy.SDE_SPACE},
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS),
    conditions=off_policy.SDE_CONDITIONS,
    constraints=off_policy.CONSTRAINTS,
    rllib=OnRLlib("ray.rllib.algorithms.sac.SACConfig", rllib.sac, rllib.WITHOUT_SAC, ("continuous",)),
    jax=jax.SAC,
)
