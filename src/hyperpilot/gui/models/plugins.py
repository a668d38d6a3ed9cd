"""Plug-ins by name, found once: to look for entry points takes milliseconds each time, and pages ask at every key."""

from __future__ import annotations

from functools import cache

from hyperpilot.protocols import Algorithm
from hyperpilot.registry import available, load


@cache
def names(kind: str) -> tuple[str, ...]:
    """The plug-ins of a kind."""
    return available(kind)


@cache
def algorithm(name: str) -> Algorithm:
    """An algorithm.

    Raises:
        UnknownPlugin: there is none of that name.
    """
    found: Algorithm = load("algorithms", name)
    return found


@cache
def trainable() -> tuple[str, ...]:
    """The algorithms that Stable-Baselines3 and its contributions train."""
    return tuple(name for name in names("algorithms") if algorithm(name).sb3_class)


def trainers() -> tuple[str, ...]:
    """What trains algorithms by name; a program and recorded tables are asked for in other ways."""
    return tuple(name for name in names("trainers") if name not in ("command", "tabular"))
