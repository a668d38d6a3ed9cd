"""What training under hyperpilot costs beside the same Stable-Baselines3 training alone, paired in one run.

Both train the same configuration with the same seed to the same horizon, in turn, and evaluate as often; hyperpilot also
saves resumable states, writes TensorBoard, CSV and monitor files and reports progress. Prints the ratio of their speeds
(100% is no overhead) for the median pair, with evaluation in both and, for reference, against a bare `learn`.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import gymnasium
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.monitor import Monitor

from hyperpilot.environments import EnvSpec
from hyperpilot.records import Job
from hyperpilot.registry import load
from hyperpilot.trainers.sb3 import sb3_trainer

CASES = [("ppo", PPO, "CartPole-v1", 40_000, 7), ("sac", SAC, "Pendulum-v1", 2_000, 5)]
EVALUATIONS = 18


def alone(cls: type, env: str, steps: int, seed: int, evaluate: bool) -> float:
    """Seconds of the training with Stable-Baselines3 alone."""
    model = cls("MlpPolicy", Monitor(gymnasium.make(env)), seed=seed, device="cpu")
    check = EvalCallback(Monitor(gymnasium.make(env)), n_eval_episodes=5, eval_freq=steps // EVALUATIONS, verbose=0)
    began = time.perf_counter()
    model.learn(steps, callback=check if evaluate else None)
    return time.perf_counter() - began


def under(name: str, env: str, steps: int, seed: int) -> float:
    """Seconds of the training under hyperpilot."""
    with tempfile.TemporaryDirectory() as folder:
        grid = tuple(round(steps * k / EVALUATIONS) for k in range(1, EVALUATIONS + 1))
        trainer = sb3_trainer(load("algorithms", name), EnvSpec(env), Path(folder), grid)
        began = time.perf_counter()
        for _ in trainer.train(Job(0, {}, seed, steps, steps), lambda step: None):
            pass
        return time.perf_counter() - began


def main() -> None:
    """Prints a line a case."""
    torch.set_num_threads(1)
    for name, cls, env, steps, pairs in CASES:
        under(name, env, steps // 20, 0)
        alone(cls, env, steps // 20, 0, True)
        fair, bare = [], []
        for seed in range(pairs):
            ours = under(name, env, steps, seed)
            fair.append(alone(cls, env, steps, seed, True) / ours)
            bare.append(alone(cls, env, steps, seed, False) / ours)
        print(
            f"{name} {env} {steps:,} steps, {pairs} pairs: {statistics.median(fair):.1%} of SB3 with the same evaluations "
            f"({min(fair):.1%} to {max(fair):.1%}), {statistics.median(bare):.1%} of a bare learn",
            flush=True,
        )


if __name__ == "__main__":
    main()
