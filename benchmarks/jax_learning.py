"""Final test scores of trainings in JAX and with Stable-Baselines3, on the same tasks with the same hyperparameters.

    python benchmarks/jax_learning.py [--cases ppo-cartpole,...] [--seeds 10] [--out benchmarks/results/jax_learning.json]

Every agent is evaluated over twenty episodes at the end of its training. Interquartile means over seeds, with 95% bootstrap
intervals; the two should overlap.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from hyperpilot.analysis.statistics import bootstrap_interval, iqm
from hyperpilot.records import Job, Report
from hyperpilot.runtime.placed import executor_for
from hyperpilot.runtime.study import Study

CASES: dict[str, tuple[str, str, int, dict[str, Any]]] = {
    "ppo-cartpole": (
        "ppo",
        "CartPole-v1",
        30_000,
        {"n_envs": 8, "n_steps": 128, "batch_size": 256, "learning_rate": 1e-3},
    ),
    "a2c-cartpole": ("a2c", "CartPole-v1", 60_000, {"n_envs": 8, "normalize": True}),
    "dqn-cartpole": (
        "dqn",
        "CartPole-v1",
        50_000,
        {
            **{"learning_rate": 2.3e-3, "batch_size": 64, "buffer_size": 100_000, "learning_starts": 1_000},
            **{"target_update_interval": 10, "train_freq": 256, "gradient_steps": 128, "exploration_fraction": 0.16},
            **{"exploration_final_eps": 0.04, "net_arch": "256x256"},
        },
    ),
    "a2c-acrobot": ("a2c", "Acrobot-v1", 60_000, {"n_envs": 16, "normalize": True}),
    "a2c-pendulum": (
        "a2c",
        "Pendulum-v1",
        100_000,
        {"n_envs": 8, "n_steps": 8, "gamma": 0.9, "gae_lambda": 0.9, "normalize": True, "vf_coef": 0.4},
    ),
    "dqn-acrobot": (
        "dqn",
        "Acrobot-v1",
        30_000,
        {
            **{"learning_rate": 6.3e-4, "batch_size": 128, "buffer_size": 50_000, "learning_starts": 1_000},
            **{"target_update_interval": 250, "train_freq": 4, "gradient_steps": 4, "exploration_fraction": 0.12},
            **{"exploration_final_eps": 0.1, "net_arch": "64x64"},
        },
    ),
    "ppo-acrobot": ("ppo", "Acrobot-v1", 60_000, {"n_envs": 16, "n_steps": 256, "normalize": True, "n_epochs": 4}),
    "ppo-pendulum": (
        "ppo",
        "Pendulum-v1",
        100_000,
        {"n_envs": 4, "n_steps": 1024, "gamma": 0.9, "learning_rate": 1e-3},
    ),
    "ppo-inverted-pendulum": ("ppo", "InvertedPendulum-v5", 40_000, {"n_envs": 4, "n_steps": 256}),
    "ppo-halfcheetah": (
        "ppo",
        "HalfCheetah-v5",
        10_240,
        {"n_envs": 8, "n_steps": 64, "batch_size": 128, "n_epochs": 10, "learning_rate": 3e-4},
    ),
    "sac-pendulum": ("sac", "Pendulum-v1", 5_000, {"learning_rate": 1e-3, "net_arch": "64x64"}),
}


def scores(trainer: str, case: str, seeds: int) -> list[float]:
    """The final score of each seed."""
    algorithm, env, steps, config = CASES[case]
    study = Study.create(
        algorithm=algorithm, env=env, trainer=trainer, total_steps=2 * steps, horizon=steps, workers=2, evaluations=1
    )
    with tempfile.TemporaryDirectory() as folder:
        study.write(Path(folder))
        executor = executor_for(study, Path(folder))
        waiting = [Job(0, config, seed, steps, steps, phase="test") for seed in range(seeds)]
        found: dict[int, float] = {}
        left = seeds
        try:
            while left:
                while waiting and executor.free:
                    executor.start(waiting.pop(0))
                for event in executor.wait(1.0):
                    if isinstance(event, Report):
                        found[event.run.seed] = event.score
                    else:
                        left -= 1
        finally:
            executor.close()
    return [found[seed] for seed in sorted(found)]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--cases", default=",".join(CASES))
    asked.add_argument("--seeds", type=int, default=10)
    asked.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "jax_learning.json")
    args = asked.parse_args()
    known = json.loads(args.out.read_text()) if args.out.exists() else {}
    for case in args.cases.split(","):
        for trainer in ("jax", "sb3"):
            got = scores(trainer, case, args.seeds)
            low, high = bootstrap_interval(got, np.random.default_rng(0))
            known.setdefault(case, {})[trainer] = {"iqm": iqm(got), "low": low, "high": high, "scores": got}
            print(f"{case:14} {trainer:4} {iqm(got):9.1f} ({low:.1f} to {high:.1f})", flush=True)
            args.out.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
