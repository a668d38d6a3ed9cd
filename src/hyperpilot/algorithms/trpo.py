"""Trust-region policy optimization.

The learning rate is the critic's alone: the actor's step follows from `target_kl`.

References:
    Schulman et al. Trust region policy optimization. ICML 2015.
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _on_policy as on_policy
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm

DEFAULTS = {
    **on_policy.DEFAULTS,
    "learning_rate": 1e-3,
    "n_steps": 2048,
    "batch_size": 128,
    "n_critic_updates": 10,
    "target_kl": 0.01,
    "cg_max_steps": 15,
    "cg_damping": 0.1,
    "line_search_shrinking_factor": 0.8,
    "line_search_max_iter": 10,
    "sub_sampling_factor": 1,
}

plugin = Algorithm(
    name="trpo",
    title="Trust Region Policy Optimization",
    sb3_class="sb3_contrib.TRPO",
    actions=on_policy.ACTIONS,
    needs_continuous=on_policy.NEEDS_CONTINUOUS,
    space={
        **on_policy.SPACE,
        **on_policy.MINIBATCH_SPACE,
        "n_critic_updates": "5..30",
        "target_kl": "1e-3..0.1:log",
        "cg_max_steps": "5..30",
        "cg_damping": "1e-3..0.5:log",
    },
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS),
    constraints=on_policy.MINIBATCH_CONSTRAINTS,
)
