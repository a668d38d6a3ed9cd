"""Twin delayed deep deterministic policy gradient.

`target_noise_clip` is left alone: it only bounds the noise whose scale is searched.

References:
    Fujimoto, van Hoof, Meger. Addressing function approximation error in actor-critic methods. ICML 2018.
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _off_policy as off_policy
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm

DEFAULTS = {
    **off_policy.DETERMINISTIC_DEFAULTS,
    "policy_delay": 2,
    "target_policy_noise": 0.2,
    "target_noise_clip": 0.5,
}

plugin = Algorithm(
    name="td3",
    title="Twin Delayed DDPG",
    sb3_class="stable_baselines3.TD3",
    actions=("continuous",),
    space={
        **off_policy.SPACE,
        **off_policy.TARGET_SPACE,
        **off_policy.NOISE_SPACE,
        "policy_delay": "1..4",
        "target_policy_noise": "0.05..0.5",
    },
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS),
    conditions=off_policy.NOISE_CONDITIONS,
    constraints=off_policy.CONSTRAINTS,
)
