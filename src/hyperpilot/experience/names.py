"""One name a hyperparameter: Stable-Baselines3's, whatever a library calls it."""

from __future__ import annotations

_SB3 = {
    "clip_eps": "clip_range",
    "vf_clip_eps": "clip_range_vf",
    "minibatch_size": "batch_size",
    "buffer_batch_size": "batch_size",
    "update_epochs": "n_epochs",
    "initial_epsilon": "exploration_initial_eps",
    "target_epsilon": "exploration_final_eps",
    "normalize_observations": "normalize",
}
"""ARLBench's names that differ and mean the same. Its replay with priorities and its scale of rewards, SB3 has not."""


def sb3_name(name: str) -> str:
    """The name in Stable-Baselines3, the given one where it is not known under another."""
    return _SB3.get(name, name)
