"""Truncated quantile critics: soft actor-critic whose critics learn quantiles and drop the largest.

References:
    Kuznetsov et al. Controlling overestimation bias with truncated mixture of continuous distributional quantile
        critics. ICML 2020.
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _off_policy as off_policy
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.algorithms.sac import plugin as sac
from hyperpilot.protocols import Algorithm
from hyperpilot.space.values import Constraint

DEFAULTS = {**sac.defaults, "n_quantiles": 25, "top_quantiles_to_drop_per_net": 2}

plugin = Algorithm(
    name="tqc",
    title="Truncated Quantile Critics",
    sb3_class="sb3_contrib.TQC",
    actions=sac.actions,
    space={**sac.space, "n_quantiles": "5..50", "top_quantiles_to_drop_per_net": "0..5"},
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS),
    conditions=sac.conditions,
    constraints=(
        *off_policy.CONSTRAINTS,
        Constraint(
            "top_quantiles_to_drop_per_net < n_quantiles",
            lambda config: float(config["top_quantiles_to_drop_per_net"]) < float(config["n_quantiles"]),
        ),
    ),
)
