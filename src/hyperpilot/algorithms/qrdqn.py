"""Deep Q-network that learns quantiles of the return.

References:
    Dabney et al. Distributional reinforcement learning with quantile regression. AAAI 2018.
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _off_policy, _q_learning
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm

DEFAULTS = {
    **_q_learning.DEFAULTS,
    "learning_rate": 5e-5,
    "exploration_fraction": 0.005,
    "exploration_final_eps": 0.01,
    "max_grad_norm": "none",
    "n_quantiles": 200,
}

plugin = Algorithm(
    name="qrdqn",
    title="Quantile-Regression Deep Q-Network",
    sb3_class="sb3_contrib.QRDQN",
    actions=("discrete",),
    space={**_q_learning.SPACE, "n_quantiles": "10|25|50|100|200"},
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS),
    constraints=_off_policy.CONSTRAINTS,
)
