"""Deep deterministic policy gradient.

References:
    Lillicrap et al. Continuous control with deep reinforcement learning. ICLR 2016.
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _off_policy as off_policy
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm

DEFAULTS = {**off_policy.DETERMINISTIC_DEFAULTS, "n_critics": 1}

plugin = Algorithm(
    name="ddpg",
    title="Deep Deterministic Policy Gradient",
    sb3_class="stable_baselines3.DDPG",
    actions=("continuous",),
    space={**off_policy.SPACE, **off_policy.TARGET_SPACE, **off_policy.NOISE_SPACE},
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS),
    conditions=off_policy.NOISE_CONDITIONS,
    constraints=off_policy.CONSTRAINTS,
)
