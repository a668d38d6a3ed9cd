"""Environment steps a second of SBX's PPO; `throughput.py --sbx` runs it with the Python of SBX's own environment.

Reads a JSON object from standard input: `env`, `steps` and `configs`, PPO's hyperparameters under Stable-Baselines3's names.
Prints a JSON list: for each the seconds of compiling, which are those of the first rollout and its updates less those of a later
one, and the steps a second of training after it.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import flax.linen as nn
from sbx import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

KNOWN = (
    "learning_rate",
    "n_steps",
    "batch_size",
    "n_epochs",
    "gamma",
    "gae_lambda",
    "clip_range",
    "ent_coef",
    "vf_coef",
)


class Clock(BaseCallback):
    """Notes when each rollout begins."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[float] = []

    def _on_rollout_start(self) -> None:
        self.began.append(time.perf_counter())

    def _on_step(self) -> bool:
        return True


def rate(env: str, steps: int, config: dict[str, Any]) -> dict[str, float]:
    """Trains one configuration for at least three rollouts."""
    envs = make_vec_env(env, n_envs=config["n_envs"])
    if config.get("normalize"):
        envs = VecNormalize(envs, gamma=config["gamma"])
    model = PPO(
        "MlpPolicy",
        envs,
        max_grad_norm=config["max_grad_norm"],
        policy_kwargs={
            "net_arch": [int(units) for units in config["net_arch"].split("x")],
            "activation_fn": getattr(nn, config["activation_fn"]),
        },
        **{name: config[name] for name in KNOWN},
    )
    size, clock = config["n_envs"] * config["n_steps"], Clock()
    model.learn(max(steps, 3 * size), callback=clock)
    ended = time.perf_counter()
    first, rest = clock.began[1] - clock.began[0], ended - clock.began[1]
    turns = len(clock.began) - 1
    return {"steps_per_s": turns * size / rest, "compile_s": max(0.0, first - rest / turns)}


def main() -> None:
    asked = json.load(sys.stdin)
    print(json.dumps([rate(asked["env"], asked["steps"], config) for config in asked["configs"]]))


if __name__ == "__main__":
    main()
