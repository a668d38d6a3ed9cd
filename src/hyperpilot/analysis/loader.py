"""The few lines of Python that load a handed-over agent with the library that trained it, alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hyperpilot.analysis.loader_rllib import rllib_loader
from hyperpilot.protocols import Algorithm


def loader(algorithm: Algorithm, env: str, env_kwargs: Mapping[str, Any], normalized: bool) -> str:
    """Python source that plays one episode with the agent beside it."""
    package, _, cls = algorithm.sb3_class.rpartition(".")
    imports, build = _environment(env, dict(env_kwargs))
    if not algorithm.sb3_class:
        return rllib_loader(imports, build)
    # Loading would else allocate a replay buffer of full size, and warn of its class.
    options = ', device="cpu"' + (
        ", buffer_size=1, replay_buffer_class=None" if "buffer_size" in algorithm.defaults else ""
    )
    unpickle = "import pickle\n" if normalized else ""
    path = "import sys\n" if "sys." in imports else ""
    load, seen = "", "observation"
    if normalized:
        load = (
            'normalize = pickle.loads((here / "vecnormalize.pkl").read_bytes())  # what observations are scaled with\n'
            "normalize.training = False\n"
        )
        seen = "normalize.normalize_obs(observation)"
    return f'''"""Loads the tuned agent and plays one episode; needs {package} and gymnasium, not hyperpilot."""

{unpickle}{path}from pathlib import Path

import gymnasium
from {package} import {cls}
{imports}
here = Path(__file__).resolve().parent
model = {cls}.load(here / "model.zip"{options})
{load}env = {build}
observation, _ = env.reset(seed=0)
state, start, total = None, [True], 0.0
for _ in range(100_000):
    action, state = model.predict({seen}, state=state, episode_start=start, deterministic=True)
    observation, reward, terminated, truncated, _ = env.step(action[()] if action.ndim == 0 else action)
    start, total = [False], total + float(reward)
    if terminated or truncated:
        break
print(f"return {{total:.1f}}")
'''


def _environment(env: str, kwargs: dict[str, Any]) -> tuple[str, str]:
    """The imports that an environment needs beyond gymnasium, and the expression that builds it."""
    given = f"**{kwargs!r}" if kwargs else ""
    module, _, name = env.rpartition(":")
    imports = f"\nsys.path.append(str(Path.cwd()))  # run it where {module.partition('.')[0]} lies\n" if module else ""
    if module and name.isidentifier():  # a versioned id after the colon is gymnasium's own way to import a module first
        return f"{imports}from {module} import {name}\n", f"{name}({given})"
    if env.startswith("ALE/"):
        imports = "import ale_py\n\ngymnasium.register_envs(ale_py)\n"
    return imports, f"gymnasium.make({', '.join([json.dumps(env), given] if given else [json.dumps(env)])})"
