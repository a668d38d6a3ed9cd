"""Importance-weighted actor-learner.

References:
    Espeholt et al. IMPALA: Scalable distributed deep-RL with importance weighted actor-learner architectures. ICML 2018.
"""

from __future__ import annotations

from hyperpilot.algorithms import _rllib as rllib
from hyperpilot.algorithms import _vtrace as vtrace
from hyperpilot.protocols import Algorithm, OnRLlib

plugin = Algorithm(
    name="impala",
    title="Importance-Weighted Actor-Learner",
    actions=vtrace.ACTIONS,
    space=vtrace.SPACE,
    defaults=vtrace.DEFAULTS,
    sb3_class="",
    sb3=vtrace.no_sb3,
    constraints=vtrace.CONSTRAINTS,
    rllib=OnRLlib("ray.rllib.algorithms.impala.IMPALAConfig", rllib.impala),
)
