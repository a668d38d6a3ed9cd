"""Deep Q-network.

References:
    Mnih et al. Human-level control through deep reinforcement learning. Nature 518, 2015.
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _jax as jax
from hyperpilot.algorithms import _off_policy, _q_learning
from hyperpilot.algorithms import _rllib as rllib
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm, OnRLlib

DEFAULTS = {
    **_q_learning.DEFAULTS,
    "learning_rate": 1e-4,
    "exploration_fraction": 0.1,
    "exploration_final_eps": 0.05,
    "max_grad_norm": 10.0,
}

plugin = Algorithm(
    name="dqn",
    title="Deep Q-Network",
    sb3_class="stable_baselines3.DQN",
    actions=("discrete",),
    space=_q_learning.SPACE,
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS),
    constraints=_off_policy.CONSTRAINTS,
    rllib=OnRLlib("ray.rllib.algorithms.dqn.DQNConfig", rllib.dqn, rllib.WITHOUT_OFF_POLICY, ("discrete",)),
    jax=jax.DQN,
)
