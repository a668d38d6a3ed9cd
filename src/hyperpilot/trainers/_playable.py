"""Checkpoints that can be played: with a model of Stable-Baselines3 in them."""

from __future__ import annotations

from pathlib import Path

MODEL, ARRAYS = "model.zip", "model.npz"
"""An agent as Stable-Baselines3 keeps it, and as the JAX trainer does."""


def holds_agent(checkpoint: Path) -> bool:
    """Whether there is an agent in a checkpoint."""
    return any((checkpoint / name).exists() for name in (MODEL, ARRAYS))


def make_playable(checkpoint: Path) -> bool:
    """Puts a model of Stable-Baselines3 beside the arrays of an agent that was trained in JAX.

    Returns:
        Whether there is a model now. There is none where nothing was saved, and where Stable-Baselines3 is not installed.
    """
    if (checkpoint / MODEL).exists() or not (checkpoint / ARRAYS).exists():
        return (checkpoint / MODEL).exists()
    try:
        from hyperpilot.trainers._jax_to_sb3 import convert
    except ModuleNotFoundError:
        return False
    convert(checkpoint)
    return True
