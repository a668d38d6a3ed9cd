"""Lists the registered environments without making any."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import gymnasium
from gymnasium.envs.registration import EnvSpec as Registered

# Family of gymnasium's own environments -> (module that it needs, what installs it).
_NEEDS = {
    "box2d": ("Box2D", "pip install 'hyperpilot-rl[box2d]'"),
    "mujoco": ("mujoco", "pip install 'gymnasium[mujoco]'"),
    "phys2d": ("jax", "pip install 'gymnasium[jax]'"),
    "tabular": ("jax", "pip install 'gymnasium[jax]'"),
    "ale_py": ("ale_py", "pip install ale-py"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered environment.

    Args:
        id: its id.
        family: what it belongs to: classic_control, box2d, mujoco, ..., or the package that registered it.
        available: whether what it needs is installed.
        needs: what would install that; empty where nothing is missing.
    """

    id: str
    family: str
    available: bool
    needs: str


_REGISTER = ("ale_py", "gymnasium_robotics", "highway_env")
"""Packages whose environments are registered only once they are imported; gymnasium finds others by itself."""


def catalogue() -> list[Entry]:
    """Every registered environment, by family and id; one that is not installed tells what it needs."""
    for package in filter(_installed, _REGISTER):
        with suppress(Exception):  # a broken package must not hide all the others
            gymnasium.register_envs(import_module(package))
    entries = [_entry(spec) for spec in gymnasium.registry.values()]
    return sorted(entries, key=lambda entry: (entry.family, entry.id))


def _entry(spec: Registered) -> Entry:
    if not isinstance(spec.entry_point, str):  # gymnasium's placeholders, which only raise
        family = "mujoco" if "mujoco" in getattr(spec.entry_point, "__name__", "") else "other"
        needs = "a newer version of the environment" if family == "mujoco" else "pip install shimmy"
        return Entry(spec.id, family, False, needs)
    module = spec.entry_point.partition(":")[0]
    parts = module.split(".")
    family = parts[2] if parts[:2] == ["gymnasium", "envs"] and len(parts) > 2 else parts[0]
    package, mend = _NEEDS.get(family, (parts[0], f"pip install {parts[0]}"))
    available = _installed(package)
    return Entry(spec.id, family, available, "" if available else mend)


@cache
def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False
