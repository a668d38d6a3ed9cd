"""The few lines of Python that load a handed-over agent with RLlib alone."""

from __future__ import annotations


def rllib_loader(imports: str, build: str) -> str:
    """Python source that plays one episode with the agent beside it.

    Args:
        imports: what the environment needs beyond gymnasium.
        build: the expression that builds it.
    """
    path = "import sys\n" if "sys." in imports else ""
    return f'''"""Loads the tuned agent and plays one episode; needs ray[rllib], torch and gymnasium, not hyperpilot."""

{path}import tempfile
import zipfile
from pathlib import Path

import gymnasium
import numpy as np
import torch
from gymnasium.wrappers import FlattenObservation
from ray.rllib.core.rl_module.rl_module import RLModule
from ray.rllib.utils.spaces.space_utils import unsquash_action
{imports}
here = Path(__file__).resolve().parent
with tempfile.TemporaryDirectory() as scratch:  # the archive is a checkpoint of one RLModule
    zipfile.ZipFile(here / "model.zip").extractall(scratch)
    module = RLModule.from_checkpoint(scratch)
env = {build}
box = isinstance(env.observation_space, gymnasium.spaces.Box) and len(env.observation_space.shape) == 1
env = env if box else FlattenObservation(env)
observation, _ = env.reset(seed=0)
total = 0.0
for _ in range(100_000):
    with torch.no_grad():
        out = module.forward_inference({{"obs": torch.as_tensor(np.asarray(observation, dtype=np.float32))[None]}})
    if "actions" not in out:
        kind = module.get_inference_action_dist_cls()
        out = {{"actions": kind.from_logits(out["action_dist_inputs"]).to_deterministic().sample()}}
    action = out["actions"][0].numpy()
    if isinstance(env.action_space, gymnasium.spaces.Box):  # the policy acts between -1 and 1
        action = unsquash_action(action, env.action_space)
    observation, reward, terminated, truncated, _ = env.step(action[()] if action.ndim == 0 else action)
    total += float(reward)
    if terminated or truncated:
        break
print(f"return {{total:.1f}}")
'''
