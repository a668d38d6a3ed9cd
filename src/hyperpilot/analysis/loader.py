"""The few lines of Python that load a handed-over agent with Stable-Baselines3 alone."""

from __future__ import annotations

_CLASSES = {
    "recurrent_ppo": ("sb3_contrib", "RecurrentPPO"),
    "crossq": ("sb3_contrib", "CrossQ"),
    **{name: ("sb3_contrib", name.upper()) for name in ("tqc", "qrdqn", "trpo", "ars")},
}


def loader(algorithm: str, env: str, normalized: bool) -> str:
    """Python source that plays one episode with the agent beside it."""
    package, cls = _CLASSES.get(algorithm, ("stable_baselines3", algorithm.upper()))
    module, _, name = env.rpartition(":")
    custom = f"from {module} import {name}\n" if module else ""
    build = f"{name}()" if module else f'gymnasium.make("{env}")'
    statistics = "from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize\n" if normalized else ""
    load = (
        f'statistics = VecNormalize.load(str(here / "vecnormalize.pkl"), DummyVecEnv([lambda: {build}]))\n'
        "statistics.training = False\n"
        if normalized
        else ""
    )
    seen = "statistics.normalize_obs(observation)" if normalized else "observation"
    return f'''"""Loads the tuned agent and plays one episode; needs {package} and gymnasium, not hyperpilot."""

from pathlib import Path

import gymnasium
from {package} import {cls}
{statistics}{custom}
here = Path(__file__).parent
model = {cls}.load(here / "model.zip", device="cpu")
{load}env = {build}
observation, _ = env.reset(seed=0)
state, start, done, total = None, [True], False, 0.0
while not done:
    action, state = model.predict({seen}, state=state, episode_start=start, deterministic=True)
    observation, reward, terminated, truncated, _ = env.step(action)
    start, done, total = [False], terminated or truncated, total + float(reward)
print(f"return {{total:.1f}}")
'''
