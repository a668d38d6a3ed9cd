"""Environments are made, described and listed; what is wrong is said along with its mend."""

# ruff: noqa: E402  (what is skipped without its extra comes first)

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")

from gymnasium import spaces

from hyperpilot.environments import (
    EnvSpec,
    Traits,
    catalogue,
    check_supported,
    make,
    making,
    preserves_state,
    traits,
)
from hyperpilot.errors import EnvironmentUnavailable, UnsupportedEnvironment
from hyperpilot.protocols import Algorithm

PPO = Algorithm("ppo", "PPO", ("discrete", "continuous"), {}, {}, "stable_baselines3.PPO", dict)
SAC = Algorithm("sac", "SAC", ("continuous",), {}, {}, "stable_baselines3.SAC", dict)

OWN = """
import threading

import gymnasium
import numpy as np

class Walk(gymnasium.Env):
    def __init__(self, size=3, render_mode=None):
        if size < 0:
            raise ValueError("size must be positive")
        self.size, self.render_mode, self.at = size, render_mode, 0
        self.action_space = gymnasium.spaces.MultiDiscrete([2, 2])
        self.observation_space = gymnasium.spaces.Box(-1, 1, (size,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = 0
        return np.zeros(self.size, np.float32), {}

    def step(self, action):
        self.at += 1
        return np.zeros(self.size, np.float32), 0.0, False, False, {}

class Holds(Walk):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()

class Unfinished(gymnasium.Env):
    pass

def other():
    return object()

gymnasium.register("OwnWalk-v0", entry_point=Walk, max_episode_steps=7)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A user's folder with a module of their own, which is the current folder."""
    (tmp_path / "own_envs.py").write_text(OWN)
    (tmp_path / "own_broken.py").write_text("raise RuntimeError('no licence')")
    (tmp_path / "own_needs.py").write_text("import cv2_is_not_here")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    gymnasium.registry.pop("OwnWalk-v0", None)
    for name in ("own_envs", "own_broken", "own_needs"):
        sys.modules.pop(name, None)


def test_a_registered_environment_is_made_with_its_wrappers() -> None:
    env = make(EnvSpec("CartPole-v1", {"sutton_barto_reward": True}))
    assert env.spec.max_episode_steps == 500
    assert env.unwrapped._sutton_barto_reward


@pytest.mark.usefixtures("own")
def test_a_class_of_ones_own_is_built_and_not_wrapped() -> None:
    env = make(EnvSpec("own_envs:Walk", {"size": 5}), render_mode="rgb_array")
    assert type(env).__name__ == "Walk"
    assert (env.size, env.render_mode) == (5, "rgb_array")


@pytest.mark.usefixtures("own")
def test_a_module_that_registers_is_gymnasiums_business() -> None:
    assert make(EnvSpec("own_envs:OwnWalk-v0")).spec.max_episode_steps == 7


@pytest.mark.parametrize(
    ("name", "what", "mend"),
    [
        ("CartPole-v9", "no environment 'CartPole-v9'", "CartPole-v1"),
        ("cartpol-v1", "no environment", "CartPole-v"),
        ("LunarLander-v2", "no environment", "LunarLander-v3"),
        ("Nonsense-v0", "no environment", "module:Class"),
        ("no_such_module:Env", "no module 'no_such_module'", "Run in the folder"),
        ("own_broken:Env", "no licence", "python -c"),
        ("own_needs:Env", "cv2_is_not_here", "pip install"),
        ("own_envs:Nothing-v0", "no environment", "module:Class"),
        ("own_envs:Unfinished", "no action_space", "in __init__"),
        ("own_envs:other", "no gymnasium.Env", "Derive"),
    ],
)
@pytest.mark.usefixtures("own")
def test_what_cannot_be_made_is_named_with_its_mend(name: str, what: str, mend: str) -> None:
    with pytest.raises(EnvironmentUnavailable) as caught:
        make(EnvSpec(name))
    assert what in caught.value.what
    assert mend in caught.value.mend


@pytest.mark.usefixtures("own")
def test_arguments_that_do_not_fit_are_shown() -> None:
    for name, kwargs in (("own_envs:Walk", {"size": -1}), ("CartPole-v1", {"wheels": 4})):
        with pytest.raises(EnvironmentUnavailable) as caught:
            make(EnvSpec(name, kwargs))
        assert next(iter(kwargs)) in caught.value.mend


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (gymnasium.error.DependencyNotInstalled("Box2D is not installed"), "hyperpilot-rl[box2d]"),
        (gymnasium.error.DependencyNotInstalled("MuJoCo is not installed"), "gymnasium[mujoco]"),
        (ModuleNotFoundError("No module named 'jax'"), "gymnasium[jax]"),
    ],
)
def test_a_missing_dependency_names_what_to_install(
    error: Exception, mend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(making.gymnasium, "make", fail)
    with pytest.raises(EnvironmentUnavailable) as caught:
        make(EnvSpec("CartPole-v1"))
    assert mend in caught.value.mend


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CartPole-v1", Traits("discrete", "vector")),
        ("Pendulum-v1", Traits("continuous", "vector")),
        ("FrozenLake-v1", Traits("discrete", "discrete")),
        ("own_envs:Walk", Traits("multi_discrete", "vector")),
    ],
)
@pytest.mark.usefixtures("own")
def test_traits(name: str, expected: Traits) -> None:
    assert traits(EnvSpec(name)) == expected


def test_spaces_that_nothing_serves_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    box = spaces.Box(-1, 1, (2,))
    cases = [
        (spaces.Box(-np.inf, np.inf, (1,)), box, "no bounds"),
        (spaces.Tuple([box]), box, "action space"),
        (box, spaces.Tuple([box]), "observations"),
        (box, spaces.Dict({"a": spaces.Dict({"b": box})}), "nested"),
    ]
    for action, observation, message in cases:
        env = gymnasium.make("CartPole-v1").unwrapped
        env.action_space, env.observation_space = action, observation
        monkeypatch.setattr("hyperpilot.environments.describing.make", lambda spec, env=env: env)
        with pytest.raises(UnsupportedEnvironment, match=message):
            traits(EnvSpec("CartPole-v1"))


def test_an_algorithm_that_does_not_serve_the_actions_is_refused() -> None:
    discrete = Traits("discrete", "vector")
    check_supported([PPO], discrete)
    with pytest.raises(UnsupportedEnvironment, match="sac serves continuous actions") as caught:
        check_supported([SAC], discrete)
    assert "ppo" in caught.value.mend and "dqn" in caught.value.mend and "td3" not in caught.value.mend


def test_the_catalogue_lists_all_and_makes_none() -> None:
    entries = {entry.id: entry for entry in catalogue()}
    assert entries.keys() == gymnasium.registry.keys()
    assert (entries["CartPole-v1"].family, entries["CartPole-v1"].available) == ("classic_control", True)
    assert entries["Hopper-v5"].family == "mujoco"
    for entry in entries.values():
        assert entry.available != bool(entry.needs)
    assert not entries["Hopper-v3"].available


def test_what_the_catalogue_calls_available_can_be_made() -> None:
    for entry in catalogue():
        if entry.available and entry.family in ("classic_control", "toy_text"):
            make(EnvSpec(entry.id)).close()


@pytest.mark.usefixtures("own")
def test_whether_pickling_keeps_the_state() -> None:
    assert preserves_state(make(EnvSpec("CartPole-v1")))
    assert preserves_state(make(EnvSpec("own_envs:Walk")))
    assert not preserves_state(make(EnvSpec("own_envs:Holds")))

    class Anew(gymnasium.Wrapper, gymnasium.utils.EzPickle):
        def __init__(self, env: Any) -> None:
            gymnasium.utils.EzPickle.__init__(self, env)
            super().__init__(env)

    assert not preserves_state(gymnasium.wrappers.TimeLimit(Anew(make(EnvSpec("CartPole-v1"))), 3))


def test_torch_is_not_imported() -> None:
    script = (
        "import sys, hyperpilot.environments as e; e.traits(e.EnvSpec('CartPole-v1')); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=dict(os.environ))
