"""Asynchronous proximal policy optimization: IMPALA's correction with PPO's clipping against a slow target network.

References:
    Luo et al. IMPACT: Importance weighted asynchronous architectures with clipped target networks. ICLR 2020.
"""

from __future__ import annotations

from hyperpilot.algorithms import _rllib as rllib
from hyperpilot.algorithms import _vtrace as vtrace
from hyperpilot.protocols import Algorithm, OnRLlib

plugin = Algorithm(
    name="appo",
    title="Asynchronous Proximal Policy Optimization",
    actions=vtrace.ACTIONS,
    space={
        **vtrace.SPACE,
        "gae_lambda": "0.9|0.95|0.98|1.0",
        "clip_range": "0.1|0.2|0.3|0.4",
        "n_epochs": "1|2|4",
    },
    defaults={
        **vtrace.DEFAULTS,
        "gae_lambda": 1.0,
        "clip_range": 0.4,
        "n_epochs": 2,
        "tau": 1.0,
        "target_update_interval": 2,
    },
    sb3_class="",
    sb3=vtrace.no_sb3,
    constraints=vtrace.CONSTRAINTS,
    rllib=OnRLlib("ray.rllib.algorithms.appo.APPOConfig", rllib.appo),
)
