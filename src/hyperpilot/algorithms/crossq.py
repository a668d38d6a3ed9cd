"""CrossQ: soft actor-critic with batch normalisation and without target networks.

Its critics are wide; narrower ones are searched as well, since they take a fraction of the time. The warm-up of the
batch renormalisation counts passes through the layer, not environment steps.

References:
    Bhatt et al. CrossQ: batch normalization in deep reinforcement learning for greater sample efficiency and
        simplicity. ICLR 2024.
"""

from __future__ import annotations

from functools import partial

from hyperpilot.algorithms import _off_policy as off_policy
from hyperpilot.algorithms._sb3 import keywords
from hyperpilot.protocols import Algorithm

DEFAULTS = {
    **off_policy.ENTROPY_DEFAULTS,
    "learning_rate": 1e-3,
    "policy_delay": 3,
    "critic_net_arch": "1024x1024",
    "batch_norm_momentum": 0.01,
    "renorm_warmup_steps": 100_000,
}

plugin = Algorithm(
    name="crossq",
    title="CrossQ",
    sb3_class="sb3_contrib.CrossQ",
    actions=("continuous",),
    space={
        **off_policy.SPACE,
        **off_policy.SDE_SPACE,
        "learning_rate": "1e-4..3e-3:log",
        "critic_net_arch": "256x256|512x512|1024x1024:ordered",
        "policy_delay": "1..4",
    },
    defaults=DEFAULTS,
    sb3=partial(keywords, DEFAULTS),
    conditions=off_policy.SDE_CONDITIONS,
    constraints=off_policy.CONSTRAINTS,
)
