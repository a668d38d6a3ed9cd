"""Makes environments, and says what is wrong and how to mend it where one cannot be made."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium

from hyperpilot.environments.spec import EnvSpec
from hyperpilot.errors import EnvironmentUnavailable

# What a missing package is called in error messages, and what installs it.
_INSTALL = {
    "box2d": "pip install 'hyperpilot-rl[box2d]'",
    "mujoco_py": "Use the newest version of the environment (for example Hopper-v5).",
    "v2 and v3": "Use the newest version of the environment (for example Hopper-v5).",
    "mujoco": "pip install 'gymnasium[mujoco]'",
    "ale": "pip install ale-py",
    "jax": "pip install 'gymnasium[jax]'",
    "pygame": "pip install pygame",
    "opencv": "pip install opencv-python",
    "cv2": "pip install opencv-python",
    "shimmy": "pip install shimmy",
    "minigrid": "pip install minigrid",
}


def make(spec: EnvSpec, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
    """The environment, with gymnasium's own wrappers where it is registered and none where it is a class.

    Raises:
        EnvironmentUnavailable: naming the environment and what to install or to change.
    """
    module, _, name = spec.id.partition(":")
    if name:
        build = getattr(_module(spec.id, module), name, None)
        if callable(build):
            return _build(spec, build, render_mode)
    return _registered(spec, render_mode)


def close_matches(name: str) -> list[str]:
    """Registered ids that look like a given one, the likeliest first."""
    known = {known_id.lower(): known_id for known_id in gymnasium.registry}
    stem = name.rpartition("-v")[0] or name
    same = sorted((i for i in known.values() if i.rpartition("-v")[0].lower() == stem.lower()), reverse=True)
    return same or [known[match] for match in difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)]


def _registered(spec: EnvSpec, render_mode: str | None) -> gymnasium.Env[Any, Any]:
    _register_atari(spec.id)
    kwargs = dict(spec.kwargs) if render_mode is None else {**spec.kwargs, "render_mode": render_mode}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*out of date.*")
            return gymnasium.make(spec.id, **kwargs)
    except (gymnasium.error.UnregisteredEnv, gymnasium.error.DeprecatedEnv) as error:
        raise EnvironmentUnavailable(f"there is no environment {spec.id!r}", _unknown(spec.id)) from error
    except (gymnasium.error.DependencyNotInstalled, ImportError) as error:
        raise EnvironmentUnavailable(f"{spec.id} cannot be made: {error}", _installation(str(error))) from error
    except Exception as error:
        raise EnvironmentUnavailable(f"{spec.id} cannot be made: {error}", _arguments(spec)) from error


def _unknown(name: str) -> str:
    namespace = name.partition("/")[0] if "/" in name else ""
    if namespace == "ALE":
        return "Atari needs ale-py: pip install ale-py"
    matches = close_matches(name.rpartition(":")[2])
    if matches:
        return f"Did you mean {' or '.join(matches)}?"
    return "`hyperpilot envs` lists what there is; an environment of your own is named module:Class."


def _installation(message: str) -> str:
    lowered = message.lower()
    for word, mend in _INSTALL.items():
        if word in lowered:
            return mend
    return "Install the package that it needs into the same environment as HyperPilotRL."


def _arguments(spec: EnvSpec) -> str:
    if not spec.kwargs:
        return "The fault lies in the environment itself: make it once in Python to see where."
    return f"It was given {', '.join(f'{name}={value!r}' for name, value in spec.kwargs.items())}."


def _register_atari(name: str) -> None:
    """Atari's ids are there only once its package is imported."""
    if name.startswith("ALE/") and name not in gymnasium.registry:
        try:
            gymnasium.register_envs(importlib.import_module("ale_py"))
        except ImportError:
            return


def _module(name: str, module: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            mend = f"Run in the folder that holds {module.partition('.')[0]}.py (now: {here}), or install its package."
            raise EnvironmentUnavailable(f"{name}: there is no module {error.name!r}", mend) from error
        raise EnvironmentUnavailable(f"{name}: {module} needs {error.name!r}", _installation(str(error))) from error
    except Exception as error:
        what = f"{name}: importing {module} failed: {type(error).__name__}: {error}"
        raise EnvironmentUnavailable(what, f"`python -c 'import {module}'` shows where.") from error


def _build(spec: EnvSpec, build: Callable[..., Any], render_mode: str | None) -> gymnasium.Env[Any, Any]:
    kwargs = dict(spec.kwargs)
    if render_mode is not None and _takes(build, "render_mode"):
        kwargs["render_mode"] = render_mode
    try:
        env = build(**kwargs)
    except Exception as error:
        raise EnvironmentUnavailable(
            f"{spec.id} cannot be built: {type(error).__name__}: {error}", _arguments(spec)
        ) from error
    if not isinstance(env, gymnasium.Env):
        what = f"{spec.id} gives {type(env).__name__}, which is no gymnasium.Env"
        raise EnvironmentUnavailable(what, "Derive the class from gymnasium.Env.")
    for name in ("action_space", "observation_space"):
        if not isinstance(getattr(env, name, None), gymnasium.Space):
            raise EnvironmentUnavailable(
                f"{spec.id} has no {name}", f"Set self.{name} to a gymnasium space in __init__."
            )
    return env


def _takes(build: Callable[..., Any], argument: str) -> bool:
    try:
        parameters = inspect.signature(build).parameters
    except (TypeError, ValueError):
        return False
    return argument in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
