"""Gymnasium's environments that are JAX programs, told apart without importing what moves them, which takes seconds."""

GYMNAX = ("CartPole-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1")
"""Gymnax has them, too."""

MUJOCO = (
    "InvertedPendulum-v5",
    "InvertedDoublePendulum-v5",
    "Reacher-v5",
    "Swimmer-v5",
    "HalfCheetah-v5",
    "Hopper-v5",
    "Walker2d-v5",
)
"""MJX moves their models."""
