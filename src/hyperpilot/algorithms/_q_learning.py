"""What DQN and its distributional form share, beyond the replay buffer.

References:
    Hessel et al. Rainbow: combining improvements in deep reinforcement learning. AAAI 2018. (n-step returns
        are among what weighs most)
"""

from __future__ import annotations

from hyperpilot.algorithms import _off_policy
from hyperpilot.space.values import Value

SPACE = {
    **_off_policy.SPACE,
    "learning_rate": "1e-5..5e-3:log",  # the zoo's tuned MountainCar has 4e-3, beyond its sampler
    "n_steps": "1|3|5",
    "target_update_interval": "10..10000:log",
    "exploration_fraction": "0.005..0.5:log",
    "exploration_final_eps": "0.01..0.2",
}

DEFAULTS: dict[str, Value] = {
    **_off_policy.DEFAULTS,
    "batch_size": 32,
    "train_freq": 4,
    "net_arch": "64x64",
    "tau": 1.0,
    "target_update_interval": 10_000,
    "exploration_initial_eps": 1.0,
}
